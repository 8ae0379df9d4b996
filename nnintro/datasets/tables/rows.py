"""Choose the rows of a file that are used: those without missing values, up to the number asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns.coded import coded
from nnintro.datasets.tables.columns.column import FileColumn
from nnintro.datasets.tables.files import Table
from nnintro.datasets.tables.order import remedy
from nnintro.datasets.tables.series import groups
from nnintro.datasets.tables.splitting import kind_of_split, latest, random_sample
from nnintro.datasets.tables.targets import Targets
from nnintro.datasets.tables.times import Times
from nnintro.errors import DataError
from nnintro.wording import counted, quoted


@dataclass(frozen=True)
class Chosen:
    """The rows that are used, and what a reader of the run should know of them."""

    rows: Array
    """Positions in the file: of a series in the order of time, else of the file."""
    usable: int
    """How many could have been used."""
    facts: dict[str, object]

    @contextlib.contextmanager
    def reporting(self) -> Iterator[None]:
        """Errors say how few of the rows are used: that alone may be the reason for them."""
        try:
            yield
        except DataError as error:
            if len(self.rows) == self.usable:
                raise
            used = f"{len(self.rows):,} of {self.usable:,} rows are used"
            raise DataError(f"{error} ({used}, as samples or --smoke asks for)") from error


def chosen_rows(
    dataset: TableDataset,
    targets: Targets,
    times: Times | None,
    series: Array | None,
    absent: Array | None,
    generator: torch.Generator,
) -> Chosen:
    """Leave out what lacks a value, then what is more than ``samples``.

    Args:
        series: (rows of the file,) the number of each row's series; None where all are one.
        absent: (rows of the file,) whether an input is missing; None where no row is left out.

    Raises:
        DataError: a target is missing, or fewer than two rows are left.
    """
    table = targets.table
    rows = np.arange(table.rows)
    facts: dict[str, object] = {"rows": table.rows}
    if times is not None:
        rows = np.argsort(times.values, kind="stable")  # missing ones last
    if series is not None:
        rows = rows[np.argsort(series[rows], kind="stable")]
    if absent is not None:
        absent = absent | targets.absent
        if times is not None:
            absent = absent | np.isnan(times.values)
        if series is not None:
            absent = absent | (series < 0)
        if dataset.split_by is not None and dataset.split == "group":
            absent = absent | (coded(FileColumn(dataset.split_by, dataset, table).written).codes < 0)
        rows = rows[~absent[rows]]
        facts["dropped_rows"] = table.rows - len(rows)
    usable = len(rows)
    if dataset.samples is not None and len(rows) and kind_of_split(dataset, targets) == "time":
        rows = _latest(dataset, targets, groups(rows, series), times)
    elif dataset.samples is not None:
        rows = random_sample(targets, rows, dataset.samples, generator)
    targets.require(rows, in_series=dataset.window is not None)
    if dataset.window is not None and times is not None:
        _one_row_for_each_time(rows, times, series, dataset, table)
    needs_two(len(rows), table)
    return Chosen(rows, usable, facts)


def _one_row_for_each_time(
    rows: Array, times: Times, series: Array | None, dataset: TableDataset, table: Table
) -> None:
    """Raise DataError where two rows of a series have one time: a window would mix two series."""
    same = np.diff(times.values[rows]) == 0
    if series is not None:
        same &= np.diff(series[rows]) == 0
    again = np.flatnonzero(same)
    if len(again):
        first, second = sorted(map(int, rows[again[0] : again[0] + 2]))
        raise DataError(
            f"{table.places.at(second)}: column {quoted(times.column.name)}: the same time as another row "
            f"({table.places.at(first)}); a window needs one row for each time of a series"
            f"{remedy(dataset, times.values, sort=True)}"
        )


def needs_two(rows: int, table: Table) -> None:
    """Raise DataError where there is nothing to split."""
    if rows < 2:
        raise DataError(f"{table.name}: expected two rows or more to split, got {counted(rows, 'row')}")


def _latest(dataset: TableDataset, targets: Targets, series: list[Array], times: Times | None) -> Array:
    """The latest ``samples`` rows; twice as many, and so on, where they cannot be learned from.

    Of several series each has its share of them, and as many as two samples take.
    """
    usable = sum(map(len, series))
    most = dataset.samples or usable
    before = 0 if dataset.window is None else dataset.window - 1 + dataset.horizon
    least = 1 if len(series) == 1 else before + 2
    while True:
        shares = [max(least, -(-most * len(rows) // usable)) for rows in series]
        some = [rows[-share:] for rows, share in zip(series, shares, strict=True)]
        if most >= usable or _teach(dataset, targets, some, times):
            return np.concatenate(some)
        most *= 2


def _teach(dataset: TableDataset, targets: Targets, series: list[Array], times: Times | None) -> bool:
    """Whether the rows are of two times, and of two classes or more, each learned from."""
    if dataset.window is None:
        if times is not None and all(times.values[rows[0]] == times.values[rows[-1]] for rows in series):
            return False
        answers = series
    else:
        # With a window samples are counted, whenever they are.
        times, before = None, dataset.window - 1 + dataset.horizon
        answers = [rows[before:] for rows in series if len(rows) > before + (len(series) == 1)]
    # Too short a series has an error of its own.
    if not targets.classes or sum(map(len, answers)) < 2:
        return True
    if dataset.validation_file is not None:
        train = np.concatenate(answers)
    else:
        train, _ = latest(answers, times, dataset.held_out, targets.table)
    labels, counts = np.unique(targets.values[np.concatenate(series)], return_counts=True)
    return len(labels) > 1 and int(counts.min()) > 1 and bool(np.isin(labels, targets.values[train]).all())
