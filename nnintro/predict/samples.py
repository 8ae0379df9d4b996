"""Samples to evaluate a run on: a file of inputs and targets, or a dataset section."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import numpy as np
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.config.load import load_config
from nnintro.config.task import Task
from nnintro.datasets import Data, Samples
from nnintro.datasets.images import images_with_masks
from nnintro.datasets.samples import prepared, require_finite
from nnintro.datasets.tables import Block as TableBlock
from nnintro.datasets.tables import encoded_blocks, joined
from nnintro.errors import ConfigError, DataError
from nnintro.models import input_precision, precision_of
from nnintro.models.standardized import Array, numpy_type
from nnintro.predict.arrays import ArrayBlock, check_shape, read_header
from nnintro.predict.block import Block, fits, wanted_of
from nnintro.predict.names import input_names, target_names
from nnintro.predict.read import STDIN, SUFFIXES, open_table, opened, unknown_suffix
from nnintro.predict.rows import encoding_of, path_of, require_held
from nnintro.runs.run import Run
from nnintro.training.setup import build_data
from nnintro.wording import MOST_NAMED, counted

YAML = (".yaml", ".yml")

UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError
)  # fmt: skip
"""What a damaged archive makes Python's readers raise."""

EXPECTED = ".csv, .tsv, .npy, .npz or .yaml, or - for CSV on stdin"


def samples_of(source: str, run: Run) -> tuple[Samples, bool]:
    """The samples of a file, raw, and whether they include the noise-free truth.

    Of a run on a table it is a file of the same columns, of one on images a folder with images/ and
    masks/.

    Raises:
        DataError: the file cannot be read, or is no table of this run's inputs and targets.
        ConfigError: the dataset section is wrong, or is of another task.
    """
    suffix = Path(source).suffix.lower()
    task = run.setup.task
    if run.has_table:
        return _of_table(source, run), False
    if task.image is not None:
        return images_with_masks(Path(source), run.setup.facts.description), False
    if suffix in YAML:
        return validation_of(Path(source), run)
    if suffix == ".npz":
        return _from_npz(Path(source), run), task.has_truth
    if source != STDIN and suffix not in SUFFIXES:
        with opened(Path(source)):  # what is not there has no suffix either
            raise unknown_suffix(Path(source), EXPECTED)
    with open_table(source, _names(task), numpy_type(input_precision(run.model))) as table:
        blocks = [_numbers(block, run) for block in table.blocks()]
    numbers = np.concatenate(blocks)
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
        held = prepared(data, run.model).to(torch.device("cpu"), precision_of(run.model))
        require_finite(held, config.experiment.dataset)
        return data, other.has_truth


def _of_table(source: str, run: Run) -> Data:
    """A table's rows, read the way the training's were."""
    dataset, encoding = run.setup.dataset, encoding_of(run)
    assert isinstance(dataset, TableDataset)

    def checked(blocks: Iterator[TableBlock]) -> Iterator[TableBlock]:
        for block in blocks:
            require_held(block, encoding, run)
            yield block

    with path_of(source) as path:
        blocks = encoded_blocks(
            path,
            encoding,
            with_targets=True,
            text_encoding=dataset.encoding,
            delimiter=dataset.delimiter,
        )
        inputs, targets = joined(checked(blocks), encoding)
    return Data(torch.from_numpy(inputs), torch.from_numpy(np.ascontiguousarray(targets)))


def _shape(task: Task) -> str:
    kind = f"{len(task.classes)} classes" if task.is_classification else "regression"
    outputs = "" if task.is_classification else f" and {counted(task.outputs, 'output')}"
    return f"{kind} of {counted(task.inputs, 'input')}{outputs}"


def _names(task: Task) -> list[str]:
    return [*input_names(task), *target_names(task)]


def _numbers(block: Block, run: Run) -> Array:
    """A block's inputs and targets in float64."""
    task = run.setup.task
    _check_targets(block, task.inputs, run)
    _check_classes(block, task.inputs, task)
    numbers: Array = block.numbers.astype(np.float64)
    return numbers


def _check_targets(block: Block, first: int, run: Run) -> None:
    """Targets have to be finite in the run's precision; inputs may be read in a larger one."""
    dtype = numpy_type(precision_of(run.model))
    bad = ~fits(block.numbers[:, first:], dtype)
    if bad.any():
        row, column = (int(index) for index in np.argwhere(bad)[0])
        value = float(block.numbers[row, first + column])
        raise block.refusal(row, first + column, wanted_of(value, dtype))


def _check_classes(block: Block, column: int, task: Task) -> None:
    """Where there are classes, the column holds their numbers."""
    if not task.is_classification:
        return
    labels, largest = block.numbers[:, column], len(task.classes) - 1
    bad = (labels < 0) | (labels > largest) | (labels != np.floor(labels))
    if bad.any():
        row = int(bad.argmax())
        raise block.refusal(row, column, f"a class number from 0 to {largest}")


def _data(inputs: Array, targets: Array, task: Task) -> Data:
    """As ``datasets.Data`` has them: two classes as (n, 1) floats, more as (n,) integers."""
    found = torch.from_numpy(np.ascontiguousarray(targets))
    if task.kind == "multiclass":
        found = found[:, 0].long()
    return Data(torch.from_numpy(np.ascontiguousarray(inputs)), found)


def _from_npz(path: Path, run: Run) -> Data:
    """The arrays ``inputs`` (n, inputs) and ``targets`` (n, outputs); one column may be (n,)."""
    task = run.setup.task
    types = {"inputs": input_precision(run.model), "targets": precision_of(run.model)}
    columns = {"inputs": input_names(task), "targets": target_names(task)}
    blocks: dict[str, ArrayBlock] = {}
    with opened(path) as file:
        for key, values in _arrays(file, path, columns).items():
            dtype = numpy_type(types[key])
            blocks[key] = ArrayBlock(values, f"{path}: {key}", columns[key], dtype)
    inputs, targets = (block.numbers.astype(np.float64) for block in blocks.values())
    if len(inputs) != len(targets):
        counts = f"{len(inputs):,} rows of inputs and {len(targets):,} of targets"
        raise DataError(f"{path}: expected as many of each, found {counts}")
    _check_classes(blocks["targets"], 0, task)
    return _data(inputs, targets, task)


def _arrays(file: IO[bytes], path: Path, columns: dict[str, list[str]]) -> dict[str, Array]:
    """The named arrays of an archive, checked before they are unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            # As numpy has it: a name, or the name with .npy behind it.
            there = {name.removesuffix(".npy"): name for name in archive.namelist()}
            for key in columns:
                if key not in there:
                    found = ", ".join(map(repr, list(there)[:MOST_NAMED])) or "nothing"
                    raise DataError(f"{path}: array {key!r} is missing; found {found}")
            return {
                key: _array(archive, there[key], f"{path}: {key}", len(names))
                for key, names in columns.items()
            }
    except UNREADABLE as error:
        # RuntimeError: encrypted, or packed in a way that this Python cannot unpack.
        raise DataError(f"{path}: not a readable .npz file") from error


def _array(archive: zipfile.ZipFile, member: str, name: str, columns: int) -> Array:
    with archive.open(member) as file:
        header = read_header(file, archive.getinfo(member).file_size, name)
        check_shape(header.shape, columns, name)
        data = file.read(header.bytes)
    order: Literal["C", "F"] = "F" if header.fortran else "C"
    return np.frombuffer(data, header.dtype).reshape(header.shape, order=order)
