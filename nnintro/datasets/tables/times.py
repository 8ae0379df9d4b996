"""The column that a series is ordered by: numbers, dates, or text that is either."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnintro.datasets.tables.categories import coded
from nnintro.datasets.tables.cells import Array, Reading, is_numeral, is_text
from nnintro.datasets.tables.encode import finite_numbers
from nnintro.datasets.tables.files.source import Table
from nnintro.datasets.tables.roles import kind_reading


@dataclass(frozen=True)
class Times:
    """When each row of the file was: a number, or seconds."""

    name: str
    reading: Reading
    values: Array
    """(rows,) float64; NaN where missing."""


def read_times(name: str, table: Table, *, may_be_missing: bool) -> Times:
    """The column of the time.

    Raises:
        DataError: a cell is no time, or missing where it may not be.
    """
    column = table.column(name)
    reading = kind_reading(column.type)
    if is_text(column.type):
        values = coded(column).values
        reading = "number" if values and is_numeral(values[0]) else "time"
    times = finite_numbers(column, name, reading, table.places)
    absent = np.isnan(times)
    if absent.any() and not may_be_missing:
        raise table.places.refusal(int(absent.argmax()), name, "a time", None)
    return Times(name, reading, times)
