"""dataset kind ``table``: a file to samples, split in two, with all that is found in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.config.task import DataFacts, Task
from nnintro.datasets.samples import Data, Splits
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns import Number, Window
from nnintro.datasets.tables.encoding import Encoding, windows_of
from nnintro.datasets.tables.files.source import Table, open_table
from nnintro.datasets.tables.fill import Filled, Filling, Prepared
from nnintro.datasets.tables.policy import learned, prepare
from nnintro.datasets.tables.roles import Roles, roles_of
from nnintro.datasets.tables.rows import Chosen, chosen_rows, needs_two
from nnintro.datasets.tables.splitting import kind_of_split, lacking, shared_out, wanted
from nnintro.datasets.tables.targets import Targets, read_targets, with_classes_of
from nnintro.datasets.tables.times import Times, read_times
from nnintro.errors import ConfigError, DataError
from nnintro.models import Standardization


def build_table(
    dataset: TableDataset,
    data: torch.Generator,
    splitting: torch.Generator,
    dtype: torch.dtype,
) -> Splits:
    """Read the file, choose rows and split them, and fill the inputs in, standardised.

    Args:
        data: chooses the rows where there are more than ``samples``.
        splitting: shares them out.
        dtype: of the inputs, float32 or float64; targets are in float64.

    Raises:
        ConfigError: the section names a column that the file lacks, or the like.
        DataError: the file cannot be used as asked.
    """
    table = open_table(dataset.path, dataset.encoding, dataset.delimiter)
    roles = roles_of(dataset, table)
    as_text = {*dataset.categorical, *dataset.text}.intersection(roles.needed)
    table.load(roles.needed, as_text)
    needs_two(table.rows, table)
    targets = read_targets(dataset, table)
    if not targets.classes:
        _needs_no_classes(dataset)
    times = _times(dataset, targets, roles, table)
    prepared, absent = prepare(dataset, roles, table)
    chosen = chosen_rows(dataset, table, targets, times, absent, data)
    with chosen.telling():
        return _filled(dataset, table, targets, times, prepared, chosen, splitting, dtype)


def _filled(
    dataset: TableDataset,
    table: Table,
    targets: Targets,
    times: Times | None,
    prepared: Sequence[Prepared],
    chosen: Chosen,
    splitting: torch.Generator,
    dtype: torch.dtype,
) -> Splits:
    """The chosen rows, split and filled in."""
    rows, window = chosen.rows, _window(dataset, times)
    targets = with_classes_of(targets, rows, table)
    if window is None:
        by = None if times is None else times.values
        train, validation = shared_out(dataset, table, targets, rows, by, splitting)
        order, training = np.concatenate([train, validation]), len(train)
        answers = targets.values[order]
    else:
        train, order = _series(dataset, window, rows, table)
        training = len(train) + window.rows - 1
        answers = targets.values[rows[window.rows - 1 + window.horizon :]]
    prepared = learned(prepared, order[:training], dataset, table)
    filled = Filling(
        table, order, training, np.dtype(str(dtype).removeprefix("torch.")),
        dataset.standardize != "none", dataset.missing in ("mean", "indicator"),
        dataset.unseen == "zeros",
    ).fill(prepared)  # fmt: skip
    inputs = filled.inputs if window is None else windows_of(filled.inputs, window.rows)
    encoding = Encoding(
        tuple(filled.columns), targets.targets, dataset.missing, dataset.unseen, window
    )
    facts = chosen.facts
    return _splits(inputs, answers, len(train), filled, encoding, targets, dataset, table, facts)


def _needs_no_classes(dataset: TableDataset) -> None:
    """Of numbers that were found to be a regression's: what the section asks for."""
    why = "the target is a number, so this is a regression (or task: classification)"
    if dataset.class_weights != "none":
        raise ConfigError.at("dataset.class_weights", f"expected none: {why}")
    if dataset.split == "stratified":
        raise ConfigError.at("dataset.split", f"stratified needs classes: {why}")


def _times(dataset: TableDataset, targets: Targets, roles: Roles, table: Table) -> Times | None:
    if roles.split_by is None or kind_of_split(dataset, targets) != "time":
        return None
    return read_times(roles.split_by, table, may_be_missing=dataset.missing == "drop")


def _window(dataset: TableDataset, times: Times | None) -> Window | None:
    if dataset.window is None:
        return None
    order = None if times is None else Number(times.name, times.reading)
    return Window(dataset.window, dataset.horizon, order)


def _series(
    dataset: TableDataset, window: Window, rows: Array, table: Table
) -> tuple[Array, Array]:
    """Samples to learn from (the earliest), and the rows that samples are made of.

    Sample s sees rows s to s + window - 1 and answers with row s + window - 1 + horizon: what
    validation is asked for lies behind all that training has seen or was asked for.
    """
    samples = len(rows) - (window.rows - 1) - window.horizon
    if samples < 2:
        least = window.rows + 1 + window.horizon
        raise DataError(
            f"{table.name}: a window of {window.rows:,} rows and a horizon of {window.horizon:,} "
            f"need {least:,} rows or more, got {len(rows):,}"
        )
    train = np.arange(samples - wanted(dataset, samples))
    return train, rows[: samples + window.rows - 1]


def _splits(
    inputs: Array,
    answers: Array,
    training: int,
    filled: Filled,
    encoding: Encoding,
    targets: Targets,
    dataset: TableDataset,
    table: Table,
    facts: dict[str, object],
) -> Splits:
    """The two parts, and what is known of them."""
    classes, lags = len(targets.classes), encoding.window.rows if encoding.window else 1
    weights = None
    if classes:
        lacking(targets, answers[:training], table)
        if dataset.class_weights == "balanced":
            counts = np.bincount(answers[:training], minlength=classes)
            weights = torch.from_numpy(training / (classes * counts))
        if classes == 2:
            answers = answers[:, None].astype(np.float64)
    described = encoding.description()
    if weights is not None:  # measurements of another file weigh its samples the same way
        described["class_weights"] = weights.tolist()
    x, y = torch.from_numpy(inputs), torch.from_numpy(np.ascontiguousarray(answers))
    return Splits(
        Data(x[:training], y[:training], inputs_standardized=True),
        Data(x[training:], y[training:], inputs_standardized=True),
        _tiled(filled.low, lags),
        _tiled(filled.high, lags),
        facts=facts,
        standardization=Standardization(_tiled(filled.mean, lags), _tiled(filled.scale, lags)),
        class_weights=weights,
        found=DataFacts(_task(encoding), training, described),
        fingerprint=lambda: sha256_of(dataset.path),
    )


def sha256_of(path: str) -> str:
    """Of a file's bytes, in hexadecimal.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _tiled(values: Array, lags: int) -> torch.Tensor:
    return torch.from_numpy(np.tile(values, lags))


def _task(encoding: Encoding) -> Task:
    classes = encoding.classes
    if not classes:
        return Task("regression", encoding.features, len(encoding.targets))
    if len(classes) == 2:
        return Task("binary", encoding.features, 1, classes)
    return Task("multiclass", encoding.features, len(classes), classes)
