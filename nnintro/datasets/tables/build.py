"""Build dataset kind ``table``: turn a file into samples, split in two, with the file's facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import torch

from nnintro.config.datasets.basis import names_for_formulas
from nnintro.config.datasets.table import TableDataset
from nnintro.config.task import DataFacts
from nnintro.datasets.samples import Data, Splits, balanced_weights
from nnintro.datasets.tables.columns.column import FileColumn, training_file
from nnintro.datasets.tables.encoding import Encoding, unseen_note
from nnintro.datasets.tables.files import Table
from nnintro.datasets.tables.files.places import no_column, sha256_of, shown_path
from nnintro.datasets.tables.fill import Filled, Filling
from nnintro.datasets.tables.left_out import LeftOut
from nnintro.datasets.tables.order import require_file_order
from nnintro.datasets.tables.rows import chosen_rows, needs_two
from nnintro.datasets.tables.series import read_series, windows_of
from nnintro.datasets.tables.skipped import skips_rows
from nnintro.datasets.tables.spelling import Spelling
from nnintro.datasets.tables.splitting import Division, divided, kind_of_split
from nnintro.datasets.tables.targets import Targets, read_targets
from nnintro.datasets.tables.times import notes_on_holes, read_times
from nnintro.datasets.tables.validation import with_own_validation
from nnintro.errors import ConfigError, DataError
from nnintro.models import Standardization
from nnintro.models.standardized import numpy_type
from nnintro.wording import quoted

BY_COLUMN = ("decimal", "thousands", "missing_values")
"""Keys that may be mappings of columns."""


def build_table(dataset: TableDataset, data: torch.Generator, splitting: torch.Generator, dtype: torch.dtype) -> Splits:
    """Read the file, choose rows and split them, and fill the inputs in, standardised.

    Args:
        data: chooses the rows where there are more than ``samples``.
        splitting: shares them out.
        dtype: of the inputs, float32 or float64; targets are in float64.

    Raises:
        ConfigError: the section names a column that the file lacks, or the like.
        DataError: the file cannot be used as asked.
    """
    table = training_file(dataset)
    dataset = _column_by_column(dataset, table)
    inputs = _inputs(dataset, table)
    needed = list(dict.fromkeys([*inputs, *dataset.targets, *dataset.split_names, *dataset.series_names]))
    as_text = {*dataset.categorical, *dataset.text, *dataset.series_names, *dataset.dates}
    table.load(needed, as_text.intersection(needed))
    needs_two(table.rows, table)
    targets = read_targets(dataset, table)
    if not targets.classes:
        _needs_no_classes(dataset)
    times = series = None
    if dataset.series is not None:
        series = read_series(dataset, table)
    if kind_of_split(dataset, targets) == "time":
        if dataset.split_by is None:
            require_file_order(dataset, inputs, series, table)
        else:
            times = read_times(dataset, table)
    sources = [FileColumn(name, dataset, table) for name in inputs]
    left = LeftOut(table)
    columns, absent = left.recognized(sources), None
    if dataset.missing == "drop":
        columns, absent = left.with_gaps(columns)
    left.require_others(columns)
    chosen = chosen_rows(dataset, targets, times, series, absent, data)
    with chosen.reporting():
        targets = targets.with_classes_of(chosen.rows, are_split=dataset.validation_file is None)
        division = divided(dataset, targets, times, series, chosen.rows, splitting)
        # Basis functions are of raw columns, in float64, and standardised after that.
        standardize = dataset.standardize != "none" and dataset.basis is None
        held = numpy_type(dtype if dataset.basis is None else torch.float64)
        filling = Filling(table, division.rows, division.seen, held, standardize)
        filled = filling.fill(columns, left)
        splits, encoding = _splits(dataset, targets, division, filled, chosen.facts)
        holes = []
        if dataset.window is not None and times is not None:
            holes = notes_on_holes(dataset, times, chosen.rows, series, table)
        unseen = unseen_note(filled.unseen)
        said = [f"{table.name}: {unseen} in validation rows; unseen: error refuses them"] if unseen else []
        if not targets.classes and dataset.window is None:  # with a window they are inputs too
            for name, values in zip(dataset.targets, targets.values[chosen.rows].T, strict=True):
                filled.sentinels.look_at(name, values)
        said += filled.sentinels.notes(table.name)
        splits = replace(splits, notes=(*targets.notes, *left.notes, *said, *division.notes, *holes))
    return splits if dataset.validation_file is None else with_own_validation(splits, dataset, encoding, data)


def _column_by_column(dataset: TableDataset, table: Table) -> TableDataset:
    """The section with the columns of arrays and lists in place of their names."""
    expanded: dict[str, list[str]] = {}
    for key, names in _named(dataset).items():
        if any(name in table.groups for name in names):
            own = [table.groups.get(name, [name]) if name not in table.names else [name] for name in names]
            # What is of another table is missed by its name.
            kept = own if key == "exclude" else [some or [name] for some, name in zip(own, names, strict=True)]
            expanded[key] = [name for some in kept for name in some]
    return dataset.model_copy(update=expanded) if expanded else dataset


def _named(dataset: TableDataset) -> dict[str, list[str]]:
    """Keys that list columns."""
    return {
        "target": dataset.targets, "inputs": dataset.inputs or [], "exclude": dataset.exclude,
        "categorical": dataset.categorical, "text": dataset.text,
    }  # fmt: skip


def _inputs(dataset: TableDataset, table: Table) -> list[str]:
    """The columns to predict from, with a window the targets too, whose past is known; or ConfigError."""
    named = {
        **_named(dataset), "split_by": dataset.split_names,
        "series": dataset.series_names, "dates": list(dataset.dates),
        **{key: columns for key, columns in vars(dataset).items() if key in BY_COLUMN and isinstance(columns, dict)},
    }  # fmt: skip
    there = frozenset(table.names)  # there may be tens of thousands
    for key, names in named.items():
        for name in names:
            if name not in there and (name or key != "exclude"):
                message = no_column(name, table.names, table.name)
                raise ConfigError.at(f"dataset.{key}", f"{message}{table.advice(name)}")
    inputs = dataset.inputs
    if inputs is None:
        aside = {*dataset.targets, *dataset.exclude, *dataset.split_names, *dataset.series_names}
        if "" in aside:
            aside.update(table.unnamed)
        inputs = [name for name in table.names if name not in aside]
    if dataset.window is not None:
        inputs = [*inputs, *dataset.targets]
    if not inputs:
        key = "exclude" if dataset.exclude else "inputs"
        message = f"no column of {table.name} is left to predict from"
        raise ConfigError.at(f"dataset.{key}", message)
    for key, known in (("text", inputs), ("categorical", [*inputs, *dataset.targets])):
        for name in named[key]:
            if name not in known:
                raise ConfigError.at(f"dataset.{key}", f"column {quoted(name)} is not an input")
    return inputs


def _needs_no_classes(dataset: TableDataset) -> None:
    """Check the section once the target turned out to be a number."""
    why = "the target is a number, so this is a regression (or task: classification)"
    if dataset.class_weights != "none":
        raise ConfigError.at("dataset.class_weights", f"expected none: {why}")
    if dataset.split == "stratified":
        raise ConfigError.at("dataset.split", f"stratified needs classes: {why}")


def _splits(
    dataset: TableDataset, targets: Targets, division: Division, filled: Filled, facts: dict[str, object]
) -> tuple[Splits, Encoding]:
    """The two parts, and what is known of them; and how other rows are encoded."""
    window, training, answers = division.window, division.training, division.answers
    positions = None if targets.table.has_header else tuple(targets.table.names)
    encoding = Encoding(
        tuple(filled.columns), targets.targets, dataset.missing, dataset.unseen, window, positions, Spelling.of(dataset)
    )
    encoding = replace(encoding, skips_rows=skips_rows(targets.table, encoding))
    _require_own_names(encoding, dataset)
    described = encoding.description()
    if dataset.basis is not None:
        described["variables"] = names_for_formulas(encoding.feature_names)
    classes, weights = len(targets.classes), None
    if classes:
        targets.require_learned(answers[:training])
        if dataset.class_weights == "balanced":
            weights = balanced_weights(torch.from_numpy(answers[:training]), classes)
            # Measurements of another file weigh its samples the same way.
            described["class_weights"] = weights.tolist()
        if classes == 2:
            answers = answers[:, None].astype(np.float64)
    lags = 1 if window is None else window.rows
    inputs = filled.inputs
    if division.windows is not None:
        inputs = filled.inputs[division.windows].reshape(len(division.windows), -1)
    elif window is not None:
        inputs = windows_of(filled.inputs, lags)
    x, y = torch.from_numpy(inputs), torch.from_numpy(np.ascontiguousarray(answers))
    low, high, mean, scale = (
        torch.from_numpy(np.tile(values, lags)) for values in (filled.low, filled.high, filled.mean, filled.scale)
    )
    splits = Splits(
        Data(x[:training], y[:training], inputs_standardized=dataset.basis is None),
        Data(x[training:], y[training:], inputs_standardized=dataset.basis is None),
        low,
        high,
        facts=facts,
        standardization=Standardization(mean, scale) if dataset.basis is None else None,
        class_weights=weights,
        coinciding=filled.coinciding,
        found=DataFacts(encoding.task, training, described),
        fingerprint=lambda: sha256_of(dataset.path),
    )
    return splits, encoding


def _require_own_names(encoding: Encoding, dataset: TableDataset) -> None:
    """Raise DataError where a column is called like what another one becomes, such as ``city=Ulm``."""
    if twice := [name for name, count in Counter(encoding.row_features).items() if count > 1]:
        raise DataError(f"{shown_path(dataset.path)}: two inputs are called {quoted(twice[0])}; rename a column")
