"""Read the samples to evaluate a run on: a file of inputs and targets, or a dataset section."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch

from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.load import load_config
from nnintro.config.task import Task
from nnintro.datasets import Data, Samples
from nnintro.datasets.images import images_with_masks
from nnintro.datasets.samples import prepared, require_finite
from nnintro.datasets.tables import Block, joined
from nnintro.datasets.tables.encoding import unseen_note
from nnintro.datasets.tables.files.npz import numbers_in
from nnintro.datasets.tables.files.places import shown_path
from nnintro.errors import ConfigError, DataError
from nnintro.models import input_precision, precision_of
from nnintro.models.basis import first_not_finite
from nnintro.models.standardized import Array, numpy_type
from nnintro.predict.inputs import Rows, array_rows, fits, open_inputs, wanted_of
from nnintro.predict.names import input_names, target_names
from nnintro.predict.rows import encoding_of, table_blocks
from nnintro.runs.run import Run
from nnintro.training.setup import build_data
from nnintro.wording import counted

YAML = (".yaml", ".yml")
EXPECTED = ".csv, .tsv, .txt, .npy, .npz or .yaml, or - for CSV on stdin"


def samples_of(source: str, run: Run, say: Callable[[str], None] = lambda _: None) -> tuple[Samples, bool]:
    """The samples of a file, raw, and whether they include the noise-free truth.

    Of a run on a table it is a file of the same columns, of one on images a folder with images/ and
    masks/.

    Raises:
        DataError: the file cannot be read, or is not a table of this run's inputs and targets.
        ConfigError: the dataset section is wrong, or is of another task.
    """
    suffix = Path(source).suffix.lower()
    task = run.setup.task
    if run.has_table:
        unseen: dict[str, int] = {}

        def noting(block: Block) -> Array:
            unseen.update(block.unseen)
            return block.inputs

        inputs, targets = joined(table_blocks(run, source, with_targets=True), encoding_of(run), noting)
        if note := unseen_note(unseen):
            say(note)
        return Data(torch.from_numpy(inputs), torch.from_numpy(np.ascontiguousarray(targets))), False
    if task.image is not None:
        return images_with_masks(Path(source), run.reading, cast(ImagesDataset, run.setup.dataset)), False
    if suffix in YAML:
        return validation_of(Path(source), run)
    if suffix == ".npz":
        return _from_npz(source, run), task.has_truth
    wanted = [*input_names(task), *target_names(task)]
    table = open_inputs(source, wanted, numpy_type(input_precision(run.model)), EXPECTED)
    numbers = np.concatenate([_numbers(rows, run) for rows in table.blocks()])
    return _data(numbers[:, : task.inputs], numbers[:, task.inputs :], task), task.has_truth


def validation_of(path: Path, run: Run) -> tuple[Data, bool]:
    """The validation part of a config's dataset; the file needs no other section."""
    task = run.setup.task
    # Of whatever network the file may speak, this one is not asked for.
    config = load_config(path, ["model={kind: mlp, hidden: []}"])
    with config.locating():
        facts = config.experiment.dataset.facts
        if facts is None:
            kind = config.experiment.dataset.kind
            message = f"the run was not trained on files; expected another kind, got {kind}"
            raise ConfigError.at("dataset.kind", message)
        other = facts.task
        if (other.kind, other.inputs, other.outputs) != (task.kind, task.inputs, task.outputs):
            message = f"expected {_shape(task)}, as the run was trained for; got {_shape(other)}"
            raise ConfigError.at("dataset", message)
        data = build_data(config.experiment).validation
        if run.setup.basis and first_not_finite(run.setup.basis, data.inputs):
            return data, other.has_truth  # which whoever measures says
        held = prepared(data, run.model).to(torch.device("cpu"), precision_of(run.model))
        require_finite(held, *config.experiment.dataset.keys_of_numbers(noise=False))
        return data, other.has_truth


def _shape(task: Task) -> str:
    kind = f"{len(task.classes)} classes" if task.is_classification else "regression"
    outputs = "" if task.is_classification else f" and {counted(task.outputs, 'output')}"
    return f"{kind} of {counted(task.inputs, 'input')}{outputs}"


def _numbers(rows: Rows, run: Run) -> Array:
    """Their inputs and targets in float64.

    Targets have to be finite in the run's precision; inputs may be read in a larger one.
    """
    first, dtype = run.setup.task.inputs, numpy_type(precision_of(run.model))
    bad = ~fits(rows.numbers[:, first:], dtype)
    if bad.any():
        row, column = (int(index) for index in np.argwhere(bad)[0])
        value = float(rows.numbers[row, first + column])
        raise rows.refusal(row, first + column, wanted_of(value, dtype))
    _check_classes(rows, first, run.setup.task)
    return np.asarray(rows.numbers, np.float64)


def _check_classes(rows: Rows, column: int, task: Task) -> None:
    """Where there are classes, the column holds their numbers."""
    if not task.is_classification:
        return
    labels, largest = rows.numbers[:, column], len(task.classes) - 1
    bad = (labels < 0) | (labels > largest) | (labels != np.floor(labels))
    if bad.any():
        row = int(bad.argmax())
        raise rows.refusal(row, column, f"a class number from 0 to {largest}")


def _data(inputs: Array, targets: Array, task: Task) -> Data:
    """As ``datasets.Data`` has them: two classes as (n, 1) floats, more as (n,) integers."""
    x, y = (torch.from_numpy(np.ascontiguousarray(values)) for values in (inputs, targets))
    return Data(x, y[:, 0].long() if task.kind == "multiclass" else y)


def _from_npz(path: str, run: Run) -> Data:
    """The arrays ``inputs`` (n, inputs) and ``targets`` (n, outputs); one column may be (n,)."""
    task = run.setup.task
    types = {"inputs": input_precision(run.model), "targets": precision_of(run.model)}
    columns = {"inputs": input_names(task), "targets": target_names(task)}
    arrays = numbers_in(path, columns)
    inputs, targets = (
        array_rows(values, f"{shown_path(path)}: {key}", columns[key], numpy_type(types[key]))
        for key, values in arrays.items()
    )
    if len(inputs.numbers) != len(targets.numbers):
        counts = f"{len(inputs.numbers):,} rows of inputs and {len(targets.numbers):,} of targets"
        raise DataError(f"{shown_path(path)}: expected as many of each, found {counts}")
    _check_classes(targets, 0, task)
    return _data(inputs.numbers.astype(np.float64), targets.numbers.astype(np.float64), task)
