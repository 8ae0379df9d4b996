"""Measure a trained run on its own validation data or on other samples, and print the result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nnintro.datasets import Data, Samples
from nnintro.datasets.samples import prepared
from nnintro.datasets.tables.columns.column import Unseen
from nnintro.errors import DataError, memory_for
from nnintro.models import Standardized, precision_of
from nnintro.models.basis import first_not_finite
from nnintro.models.forward import autocast_for, own_modes, threads, threads_for
from nnintro.objectives.losses import loss_for
from nnintro.objectives.metrics import undefined
from nnintro.predict.rows import with_unseen
from nnintro.predict.samples import samples_of
from nnintro.runs.data import same_data, with_own_data
from nnintro.runs.data_files import with_paths
from nnintro.runs.run import Run, load_run
from nnintro.training.evaluation import RowEvaluator, build_evaluator
from nnintro.training.setup import build_data, class_weights_of
from nnintro.wording import counted, measurement, plural

OWN = "validation"
"""What the run's own data is called among the datasets."""
LARGEST_ERROR = "the largest absolute error over these samples"


@dataclass(frozen=True)
class Evaluation:
    """Metrics and where they come from."""

    run: str
    dataset: str
    samples: int
    metrics: dict[str, float]
    classes: tuple[str, ...]
    confusion: list[list[int]] | None
    """Rows are true classes, columns predicted ones; None for regression."""
    targets: dict[str, dict[str, float]] | None = None
    """Target -> its own metrics, where a table has several targets."""
    notes: tuple[str, ...] = ()
    """What a reader should know of the samples."""

    def as_dict(self) -> dict[str, Any]:
        """What ``nnintro evaluate --json`` prints."""
        aside = ("classes", "notes", *(["targets"] if self.targets is None else []))
        return {name: value for name, value in vars(self).items() if name not in aside}


@own_modes()
@memory_for("the samples to measure the run on")
def evaluate(
    run: Run | str | Path,
    dataset: str | Path | None = None,
    runs_dir: str | Path = "runs",
    *,
    unseen: Unseen | None = None,
) -> Evaluation:
    """Measure a run; the metrics are those of its training, defined as there.

    Args:
        run: its folder, its name in ``runs_dir``, or what ``nnintro.train`` returned.
        dataset: a .csv, .tsv, .npy or .npz of inputs and targets, a .yaml with a dataset section
            (its validation part counts), or ``-`` for CSV on stdin; for a run on a table a table
            of the same columns, for one on images a folder; None for the run's own validation data,
            on which a run is what its summary.json says.
        unseen: of another table, what becomes of categories that training did not have: zeros or error; by default
            what the run's config says.

    Raises:
        CheckpointError: the run cannot be used.
        DataError: the samples cannot be used.
        ConfigError: the dataset section cannot be used.
    """
    loaded = with_unseen(load_run(run, runs_dir), unseen)
    task = loaded.setup.task
    data: Samples
    notes: list[str] = []
    if dataset is None:
        config, moved = with_own_data(loaded.config, loaded.directory)
        notes += moved
        with config.locating():
            splits = build_data(with_paths(loaded.setup.experiment, config.experiment.dataset.paths))
        same_data(loaded.directory, splits, config)
        data, has_truth = splits.validation, task.has_truth
    else:
        data, has_truth = samples_of(str(dataset), loaded, notes.append)
    _require_values(loaded, data, OWN if dataset is None else str(dataset))
    metrics, confusion, targets = measured(loaded, data, has_truth=has_truth)
    where = str(loaded.directory)
    name = OWN if dataset is None else str(dataset)
    return Evaluation(where, name, len(data), metrics, task.classes, confusion, targets, tuple(notes))


def _require_values(run: Run, data: Samples, name: str) -> None:
    """Raise DataError where a basis function has no value at a sample."""
    basis = run.setup.basis
    if basis and isinstance(data, Data) and (undefined := first_not_finite(basis, data.inputs.double())):
        _, index, at = undefined
        raise DataError(f"{name}: the basis function {basis[index]} has no value at {at}")


def measured(
    run: Run, data: Samples, *, has_truth: bool
) -> tuple[dict[str, float], list[list[int]] | None, dict[str, dict[str, float]] | None]:
    """Metrics and confusion of raw samples, computed step by step as the training does; of several targets each too."""
    experiment, model = run.setup, run.model
    device, dtype = _device(run), precision_of(model)
    data = prepared(data, model).to(device, dtype)
    network = (model.network if isinstance(model, Standardized) else model).to(device)
    weights, ignores = class_weights_of(experiment), experiment.dataset.ignores_pixels
    loss = loss_for(experiment.loss_name, experiment.task, weights, ignores=ignores)
    autocast = autocast_for(experiment, device)
    evaluator = build_evaluator(experiment, network, model, loss, data, autocast, has_truth=has_truth)
    # The number of threads changes the order of sums, and so the last bits.
    with threads(threads_for(network, experiment.batch_size)):
        metrics, targets = evaluator.validate(), None
        if isinstance(evaluator, RowEvaluator) and len(experiment.target_names) > 1:
            targets = dict(zip(experiment.target_names, evaluator.of_each_target(), strict=True))
    counts = evaluator.confusion
    return metrics, None if counts is None else counts.tolist(), targets


def _device(run: Run) -> torch.device:
    """The device of the training, where this machine has it; a summary may say anything."""
    cuda = re.fullmatch(r"cuda(:(\d{1,3}))?", str(run.summary.get("device")))
    return torch.device(cuda[0] if cuda and int(cuda[2] or 0) < torch.cuda.device_count() else "cpu")


def as_table(found: Evaluation) -> str:
    """Metric and value; where there are classes, the confusion below."""
    metrics = [[name, measurement(value)] for name, value in found.metrics.items()]
    lines = _aligned([["metric", "value"], *metrics], left=2)
    if "sup_error" in found.metrics and found.dataset != OWN:  # which has it on a grid
        lines[list(found.metrics).index("sup_error") + 1] += f"  {LARGEST_ERROR}"
    if found.targets is not None:
        names = list(next(iter(found.targets.values())))
        each = [[name, *(measurement(values[key]) for key in names)] for name, values in found.targets.items()]
        lines += ["", *_aligned([["target", *names], *each], left=1)]
    if found.confusion is not None:
        counts = [[name, *map(str, row)] for name, row in zip(found.classes, found.confusion, strict=True)]
        lines += ["", "true class (rows), predicted class (columns)"]
        lines += _aligned([["", *found.classes], *counts], left=1)
    return "\n".join(lines)


def heading(found: Evaluation) -> str:
    """What was measured, in one line."""
    data = "its own validation data" if found.dataset == OWN else found.dataset
    return f"{found.run} on {data}, {counted(found.samples, 'sample')}"


def remarks(found: Evaluation) -> list[str]:
    """What a reader should know of the numbers."""
    per_class = dict(zip(found.classes, map(sum, found.confusion or ()), strict=False))
    if said := [why for name, why in undefined(found.samples, per_class).items() if name in found.metrics]:
        return [*found.notes, *said]
    absent = [name for name, count in per_class.items() if count == 0]
    missing = [f"no sample belongs to {plural('class', len(absent))} {', '.join(absent)}"] if absent else []
    return [*found.notes, *missing]


def _aligned(rows: list[list[str]], left: int) -> list[str]:
    """Columns of equal width; the first ``left`` of them begin, the others end together."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
