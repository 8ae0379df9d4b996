"""Check that rows in the order of a file are in the order of time, and find the column that tells series apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns.coded import coded
from nnintro.datasets.tables.columns.column import FileColumn, training_file
from nnintro.datasets.tables.columns.number import dates_of
from nnintro.datasets.tables.files import Table
from nnintro.datasets.tables.series import series_codes
from nnintro.errors import DataError
from nnintro.wording import quoted

MOST_TRIED = 8
"""Columns that are tried in pairs."""


def require_file_order(dataset: TableDataset, inputs: Sequence[str], series: Array | None, table: Table) -> None:
    """Check rows that are taken in the order of the file, by the columns of dates that the file has.

    A column that is no input may hold other dates than the rows' own, so it counts only where all its steps fall, or
    where a column tells series apart in which it rises.

    Raises:
        DataError: dates fall, or jump back, or are there more than once for a column that tells series apart.
    """
    try:
        whole, names = _whole(dataset), table.names
    except DataError:  # a column that is not used cannot be read; the others can still be looked at
        whole, names = table, list(inputs)
    rows = np.arange(table.rows) if series is None else np.argsort(series, kind="stable")
    for name in (name for name in names if name not in {*dataset.targets, *dataset.series_names}):
        dates = _dates(FileColumn(name, dataset, whole))
        if dates is not None:
            _require_rising(name, dates, rows, series, dataset, table, is_input=name in inputs)


def _whole(dataset: TableDataset) -> Table:
    """The file once more with all its columns, also those that are not used."""
    table = training_file(dataset)
    table.load(table.names, {*dataset.categorical, *dataset.text, *dataset.series_names, *dataset.dates})
    return table


def _dates(source: FileColumn) -> Array | None:
    try:
        return dates_of(source)
    except DataError:  # such as a column without values: reported where it is an input
        return None


def _require_rising(
    name: str, dates: Array, rows: Array, series: Array | None, dataset: TableDataset, table: Table, *, is_input: bool
) -> None:
    steps = np.diff(dates[rows])
    if series is not None:
        steps[np.diff(series[rows]) != 0] = 0
    falls = steps < 0
    if not falls.any() and not (steps == 0).any():
        return
    hint = "" if series is not None else remedy(dataset, dates, sort=False)
    if falls.any() and (is_input or hint or not (steps > 0).any()):
        at = int(falls.argmax())
        before, after = (table.places.at(int(row)) for row in rows[at : at + 2])
        instead = f", or exclude: [{name}] if it is not the time of the rows" if is_input else ""
        raise DataError(
            f"{after}: column {quoted(name)}: an earlier date than the row before it ({before}) has; without split_by "
            f"the rows have to be in the order of time: split_by: {name} sorts them{hint}{instead}"
        )
    if hint and series is None and not falls.any():
        at = int((steps == 0).argmax())
        raise DataError(
            f"{table.places.at(int(rows[at + 1]))}: column {quoted(name)}: the same date as the row before it has; "
            f"a window needs one row for each time of a series{hint}"
        )


def remedy(dataset: TableDataset, times: Array, *, sort: bool) -> str:
    """The key that would tell the series apart, where a column or two of the file do; else nothing.

    Args:
        times: (rows of the file,) when each row is.
        sort: whether rows are sorted by time, or have to be in its order in the file.
    """
    if dataset.series is not None:
        return ""
    try:
        table = _whole(dataset)
        texts = [name for name in table.names if _may_name_series(name, dataset, table)]
        if not sort:  # hours and the like would tell rows of one date apart
            texts = [name for name in texts if FileColumn(name, dataset, table).is_text]
        names = _telling_apart([FileColumn(name, dataset, table) for name in texts], times, sort=sort)
    except DataError:  # a column that is not used cannot be read, and the error to come says what is wrong
        return ""
    return (
        f"; series: [{', '.join(names)}] tells series apart, in each of which every time is there once" if names else ""
    )


def _may_name_series(name: str, dataset: TableDataset, table: Table) -> bool:
    """Whether it is a column of texts or whole numbers, each of them in several rows."""
    from pyarrow import types

    source = FileColumn(name, dataset, table)
    if name in {*dataset.targets, *dataset.split_names} or not (source.is_text or types.is_integer(source.type)):
        return False
    count = len(coded(source.cells).values)
    return 1 < count <= table.rows / 2 and dates_of(source) is None


def _telling_apart(columns: list[FileColumn], times: Array, *, sort: bool) -> tuple[str, ...]:
    """The first column, or pair of them, in which no two rows of a series have one time; none where there is none."""
    pairs = itertools.combinations(columns[:MOST_TRIED], 2)
    for some in itertools.chain(((column,) for column in columns), pairs):
        codes = series_codes([column.written for column in some], {})
        order = np.lexsort((times, codes)) if sort else np.argsort(codes, kind="stable")
        same = np.diff(codes[order]) == 0
        if (codes >= 0).all() and (np.diff(times[order])[same] > 0).all():
            return tuple(column.name for column in some)
    return ()
