"""Tell the series of a table apart, and make windows that stay inside one series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns.coded import ABSENT, coded, plain_numeral
from nnintro.datasets.tables.columns.column import FileColumn
from nnintro.datasets.tables.files import Table
from nnintro.datasets.tables.files.places import Places

if TYPE_CHECKING:
    import pyarrow as pa

EXPECTED = "the name of a series"


def series_codes(columns: Sequence[pa.ChunkedArray], numbers: dict[tuple[str, ...], int]) -> Array:
    """(rows,) the number of each row's series, by the columns that name it; ABSENT where a name is missing.

    Args:
        numbers: names -> number of the series that are known; new ones are added.
    """
    parts = [coded(column) for column in columns]
    pairs, which = np.unique(np.stack([part.codes for part in parts], 1), axis=0, return_inverse=True)
    codes = []
    for pair in pairs.tolist():
        # 01, 1 and 1.0 are one series, whether or not the file has a type for numbers.
        names = tuple(plain_numeral(part.values[code]) for part, code in zip(parts, pair, strict=True) if code >= 0)
        codes.append(numbers.setdefault(names, len(numbers)) if len(names) == len(parts) else ABSENT)
    return np.array(codes, np.int64)[which.reshape(-1)]


def required_codes(
    columns: Mapping[str, pa.ChunkedArray], numbers: dict[tuple[str, ...], int], places: Places
) -> Array:
    """The same of columns by their names; DataError where one lacks the name of its series."""
    codes = series_codes(list(columns.values()), numbers)
    if (codes == ABSENT).any():
        row = int((codes == ABSENT).argmax())
        gaps = [name for name, cells in columns.items() if coded(cells.slice(row, 1)).codes[0] == ABSENT]
        raise places.refusal(row, gaps[0], EXPECTED, None)
    return codes


def groups(rows: Array, codes: Array | None) -> list[Array]:
    """Rows that are sorted by series -> those of each series; all of them without ``codes``."""
    if codes is None:
        return [rows]
    return np.split(rows, np.flatnonzero(np.diff(codes[rows])) + 1)


def windows_of(rows: Array, window: int) -> Array:
    """(n, features) -> (n - window + 1, window * features): each row with those before it."""
    n, features = rows.shape
    if n < window:
        return np.zeros((0, window * features), rows.dtype)
    views = np.lib.stride_tricks.sliding_window_view(rows, window, axis=0)
    samples = views.transpose(0, 2, 1).reshape(n - window + 1, window * features)
    return np.array(samples)  # reshape may give a view in which samples overlap


def window_positions(codes: Array, window: int) -> tuple[Array, Array]:
    """The windows over rows of several series, in the order of time in each.

    Args:
        codes: (rows,) the number of each row's series.

    Returns:
        (n,) the last row of each window, rising; and (n, window) the rows that it consists of.
    """
    order = np.argsort(codes, kind="stable")
    if len(order) < window:
        return np.zeros(0, np.int64), np.zeros((0, window), np.int64)
    views = np.lib.stride_tricks.sliding_window_view(order, window)
    inside = views[codes[views[:, 0]] == codes[views[:, -1]]]
    inside = inside[np.argsort(inside[:, -1])]
    return inside[:, -1], inside


def rows_ahead(codes: Array, horizon: int) -> Array:
    """(rows,) the row that is ``horizon`` rows further on in the same series; -1 where there is none."""
    order = np.argsort(codes, kind="stable")
    ahead = np.full(len(codes), -1)
    first, later = order[:-horizon], order[horizon:]
    same = codes[first] == codes[later]
    ahead[first[same]] = later[same]
    return ahead


def read_series(dataset: TableDataset, table: Table) -> Array:
    """(rows,) the number of each row's series, ABSENT only with ``missing: drop``; DataError elsewhere."""
    columns = {name: FileColumn(name, dataset, table).written for name in dataset.series_names}
    if dataset.missing == "drop":
        return series_codes(list(columns.values()), {})
    return required_codes(columns, {}, table.places)
