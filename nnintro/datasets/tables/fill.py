"""A table's columns into one array of inputs: each is read, standardised and put in its place.

The array is allocated once, in the run's precision and in the order of the samples; besides it no
more than a few columns are in memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnintro.datasets.tables.categories import coded
from nnintro.datasets.tables.cells import EXPECTED, Array
from nnintro.datasets.tables.columns import Category, Column, Number, Words
from nnintro.datasets.tables.encode import finite_numbers, one_of
from nnintro.datasets.tables.files.source import Table
from nnintro.datasets.tables.hashing import blocks, sentences
from nnintro.datasets.tables.roles import empty_column
from nnintro.errors import DataError
from nnintro.wording import quoted

HINT = "missing: drop, mean or indicator says what to do then"
MISSING, UNSEEN = -1, -2
"""In place of a category's number: no value; one that no training row has."""


@dataclass(frozen=True)
class Prepared:
    """A column, and for categories which one each row of the file has (or MISSING, UNSEEN)."""

    column: Column
    codes: Array | None = None


@dataclass
class Filled:
    """The inputs of all samples, and per feature, in float64, what the training rows say."""

    inputs: Array
    """(rows, features), standardised."""
    mean: Array
    scale: Array
    low: Array
    """Raw."""
    high: Array
    columns: list[Column] = field(default_factory=list)


@dataclass(frozen=True)
class Filling:
    """What filling needs to know.

    Attributes:
        order: the file's rows in the order of the samples.
        training: how many of them, from the first, statistics are taken from.
    """

    table: Table
    order: Array
    training: int
    dtype: np.dtype[np.floating]
    standardize: bool
    allow_missing: bool
    allow_unseen: bool

    def fill(self, prepared: Sequence[Prepared]) -> Filled:
        """The array of all columns' features.

        Raises:
            DataError: a value is missing or not finite, a column constant, memory too small.
        """
        features = sum(len(item.column.features) for item in prepared)
        rows = len(self.order)
        try:
            inputs = np.zeros((rows, features), self.dtype)
        except (MemoryError, ValueError) as error:
            need = rows * features * self.dtype.itemsize / 2**30
            told = f"{rows:,} rows of {features:,} inputs need {need:,.1f} GiB"
            raise DataError(f"{self.table.name}: {told}, more than there is") from error
        zeros, ones = np.zeros(features), np.ones(features)
        filled = Filled(inputs, zeros, ones, zeros.copy(), zeros.copy())
        first = 0
        for item in prepared:
            width = len(item.column.features)
            place = slice(first, first + width)
            filled.columns.append(self._put(item, filled, place))
            self.table.forget(item.column.name)
            first += width
        return filled

    def _put(self, item: Prepared, filled: Filled, place: slice) -> Column:
        if isinstance(item.column, Number):
            return self._number(item.column, filled, place)
        if isinstance(item.column, Category):
            assert item.codes is not None
            self._category(item.column, item.codes, filled, place)
        else:
            self._words(item.column, filled, place)
        return item.column

    def _number(self, column: Number, filled: Filled, place: slice) -> Number:
        index = place.start
        values = self._values(column)
        absent = np.isnan(values)
        if self.allow_missing or absent.any():  # a later file may lack what this one has
            column = replace(column, mean=self._mean(column, values, absent))
            values[absent] = column.mean
        if column.flagged:
            filled.inputs[:, index + 1] = absent
            filled.low[index + 1] = absent[: self.training].min()
            filled.high[index + 1] = absent[: self.training].max()
        seen = values[: self.training]
        filled.low[index], filled.high[index] = seen.min(), seen.max()
        if self.standardize:
            filled.mean[index], filled.scale[index] = mean_and_deviation(seen)
            values -= filled.mean[index]
            values /= filled.scale[index]
        with np.errstate(over="ignore"):
            filled.inputs[:, index] = values
        finite = np.isfinite(filled.inputs[:, index])
        if not finite.all():
            raise self._too_large(column, int(finite.argmin()))
        return column

    def _values(self, column: Number) -> Array:
        """In the order of the samples; NaN where missing."""
        table = self.table
        values = finite_numbers(
            table.column(column.name), column.name, column.reading, table.places
        )
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        if np.isnan(low):
            raise empty_column(column.name, table)
        if low == high and not (column.flagged and np.isnan(values).any()):
            raise constant(column.name, f"{low:g}", table)
        taken: Array = values[self.order]
        return taken

    def _mean(self, column: Number, values: Array, absent: Array) -> float:
        if not self.allow_missing:
            row = int(self.order[absent].min())
            wanted = EXPECTED[column.reading]
            error = self.table.places.refusal(row, column.name, wanted, None)
            raise DataError(f"{error}; {HINT}")
        seen = values[: self.training][~absent[: self.training]]
        if not len(seen):
            message = f"column {quoted(column.name)} has no value in the training part"
            raise DataError(f"{self.table.name}: {message}; name it in exclude")
        return mean_and_deviation(seen)[0]

    def _too_large(self, column: Number, position: int) -> DataError:
        row = int(self.order[position])
        wanted = f"a number that {self.dtype.name} can hold"
        return self.table.places.refusal(row, column.name, wanted, self._raw(column, row))

    def _raw(self, column: Number, row: int) -> float:
        table = self.table
        values = finite_numbers(
            table.column(column.name), column.name, column.reading, table.places
        )
        return float(values[row])

    def _category(self, column: Category, codes: Array, filled: Filled, place: slice) -> None:
        taken = codes[self.order].astype(np.int64)
        absent = taken == MISSING
        if column.missing:
            taken[absent] = len(column.values)
        elif absent.any() and not self.allow_missing:
            row = int(self.order[absent].min())
            error = self.table.places.refusal(row, column.name, "a category", None)
            raise DataError(f"{error}; {HINT}")
        if (taken < 0).any() and not self.allow_unseen:
            raise self._unseen(column, int(self.order[taken < 0].min()))
        rows = np.flatnonzero(taken >= 0)
        filled.inputs[rows, place.start + taken[rows]] = 1
        counts = np.bincount(taken[: self.training], minlength=len(column.features))
        filled.low[place], filled.high[place] = counts == self.training, counts > 0

    def _unseen(self, column: Category, row: int) -> DataError:
        found = coded(self.table.column(column.name))
        got = found.values[found.codes[row]] if found.codes[row] >= 0 else None
        expected = one_of(column.values, "categories")
        error = self.table.places.refusal(row, column.name, expected, got)
        return DataError(
            f"{error}, which only validation rows have; "
            f"unseen: zeros takes it as none of these, exclude leaves the column out"
        )

    def _words(self, column: Words, filled: Filled, place: slice) -> None:
        cells = sentences(self.table.column(column.name))
        texts = [cells[row] for row in self.order.tolist()]
        if not self.allow_missing:
            for row in np.sort(self.order).tolist():
                if cells[row] is None:
                    error = self.table.places.refusal(row, column.name, "text", None)
                    raise DataError(f"{error}; {HINT}")
        for rows, counts in blocks(texts, column.width):
            filled.inputs[rows, place] = counts
        seen = filled.inputs[: self.training, place]
        filled.low[place], filled.high[place] = seen.min(0), seen.max(0)


def constant(name: str, value: str, table: Table) -> DataError:
    """What to raise of a column that says nothing."""
    return DataError(
        f"{table.name}: column {quoted(name)} is {value} in every row; name it in exclude"
    )


def mean_and_deviation(values: Array) -> tuple[float, float]:
    """Mean and standard deviation (by n) of a column; a constant one has scale 1."""
    largest = float(np.abs(values).max())
    # In units of a power of two, which rounds nothing: squares of 1e200 or 1e-200 leave the range.
    unit = math.ldexp(1.0, math.frexp(largest)[1] - 1)
    scaled = values / unit
    mean, scale = float(scaled.mean()) * unit, float(scaled.std()) * unit
    return mean, scale if scale > 1e-12 * largest else 1.0
