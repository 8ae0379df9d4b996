"""Choose the rows of a file that are used: those without missing values, up to the number asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.config.section import held_out
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns.coded import coded
from nnintro.datasets.tables.columns.column import FileColumn
from nnintro.datasets.tables.files import Table
from nnintro.datasets.tables.splitting import Times, by_time, kind_of_split, random_sample
from nnintro.datasets.tables.targets import Targets
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
    dataset: TableDataset, targets: Targets, times: Times | None, absent: Array | None, generator: torch.Generator
) -> Chosen:
    """Leave out what lacks a value, then what is more than ``samples``.

    Args:
        absent: (rows of the file,) whether an input is missing; None where no row is left out.

    Raises:
        DataError: a target is missing, or fewer than two rows are left.
    """
    table = targets.table
    rows = np.arange(table.rows)
    facts: dict[str, object] = {"rows": table.rows}
    if times is not None:
        rows = np.argsort(times.values, kind="stable")  # missing ones last
    if absent is not None:
        absent = absent | targets.absent
        if times is not None:
            absent = absent | np.isnan(times.values)
        if dataset.split_by is not None and dataset.split == "group":
            absent = absent | (coded(FileColumn(dataset.split_by, dataset, table).written).codes < 0)
        rows = rows[~absent[rows]]
        facts["dropped_rows"] = table.rows - len(rows)
    usable = len(rows)
    if dataset.samples is not None and kind_of_split(dataset, targets) == "time":
        rows = _latest(dataset, targets, rows, times)
    elif dataset.samples is not None:
        rows = random_sample(targets, rows, dataset.samples, generator)
    targets.require(rows, in_series=dataset.window is not None)
    if dataset.window is not None and times is not None:
        _one_row_for_each_time(rows, times, table)
    needs_two(len(rows), table)
    return Chosen(rows, usable, facts)


def _one_row_for_each_time(rows: Array, times: Times, table: Table) -> None:
    """Raise DataError where two rows have one time: a window would mix two series."""
    again = np.flatnonzero(np.diff(times.values[rows]) == 0)
    if len(again):
        first, second = sorted(map(int, rows[again[0] : again[0] + 2]))
        raise DataError(
            f"{table.places.at(second)}: column {quoted(times.column.name)}: the same time as "
            f"another row ({table.places.at(first)}); a window needs one series with one row for each time"
        )


def needs_two(rows: int, table: Table) -> None:
    """Raise DataError where there is nothing to split."""
    if rows < 2:
        raise DataError(f"{table.name}: expected two rows or more to split, got {counted(rows, 'row')}")


def _latest(dataset: TableDataset, targets: Targets, rows: Array, times: Times | None) -> Array:
    """The latest ``samples`` rows; twice as many, and so on, where they cannot be learned from."""
    most = dataset.samples or len(rows)
    # With a window samples are counted, whenever they are.
    values = None if times is None or dataset.window is not None else times.values
    while most < len(rows) and not _teach(dataset, targets, rows[-most:], values):
        most *= 2
    return rows[-most:]


def _teach(dataset: TableDataset, targets: Targets, rows: Array, times: Array | None) -> bool:
    """Whether the rows are of two times, and of two classes or more, each learned from."""
    if times is not None and times[rows[0]] == times[rows[-1]]:
        return False
    answers = rows if dataset.window is None else rows[dataset.window - 1 + dataset.horizon :]
    # Too short a series has an error of its own.
    if not targets.classes or len(answers) < 2:
        return True
    count = held_out(len(answers), dataset.validation)
    train, _ = by_time(answers, None if times is None else times[answers], count, targets.table)
    labels, counts = np.unique(targets.values[rows], return_counts=True)
    return len(labels) > 1 and int(counts.min()) > 1 and bool(np.isin(labels, targets.values[train]).all())
