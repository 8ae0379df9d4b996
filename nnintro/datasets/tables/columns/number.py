"""Columns of numbers, truth values and dates: one input each, and quantities to predict."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np

from nnintro.datasets.tables import dates
from nnintro.datasets.tables.cells import EXPECTED, Array, Reading, is_meant_as_number, numbers
from nnintro.datasets.tables.columns.advice import add_missing, advice, as_key, stands_for_nothing
from nnintro.datasets.tables.columns.coded import coded
from nnintro.datasets.tables.columns.column import Column, FileColumn, Policy, Target
from nnintro.datasets.tables.files.places import Places
from nnintro.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_LINES = 100
"""That are named to be left out."""


class InfiniteError(DataError):
    """A number of a column is infinite."""

    def __init__(self, message: str, value: float) -> None:
        super().__init__(message)
        self.value = value


@dataclass(frozen=True)
class Number(Column):
    """One input, and a 0/1 input behind it that says where the value was missing."""

    name: str
    reading: Reading = "number"
    mean: float = 0.0
    """Of the training rows; it replaces a missing value."""
    flagged: bool = False
    kind: Literal["number"] = "number"
    form: str | None = None
    """strptime's format of dates that are not ISO's."""
    quantities: ClassVar[int] = 1
    optional: ClassVar[tuple[str, ...]] = ("form",)

    @classmethod
    def recognize(cls, source: FileColumn) -> Self | None:
        """Numbers, truth values and times by their type; texts that all are numerals or ISO dates.

        Raises:
            DataError: half of the texts or more are numbers, or dates, and the others are not.
        """
        from pyarrow import types

        if source.name in source.dataset.categorical:
            return None
        if form := source.dataset.dates.get(source.name):
            return cls(source.name, "time", form=form)
        if not source.is_text:
            return cls(source.name, reading_of(source.type))
        if not types.is_dictionary(source.type) and _are_numbers(source):
            return cls(source.name)
        # Dates to predict are taken for classes.
        is_target = source.name in source.dataset.targets
        return cls(source.name, "time") if not is_target and are_times(source) else None

    @property
    def features(self) -> list[str]:
        return [self.name, *([f"{self.name} missing"] if self.flagged else [])]

    @property
    def expected(self) -> str:
        return EXPECTED[self.reading] if self.form is None else f"a date or time of the form {self.form}"

    @property
    def way(self) -> Column:
        return replace(self, name="", mean=0.0, flagged=False)

    def read(self, cells: pa.ChunkedArray, places: Places) -> Array:
        """(rows,) float64, NaN where missing; infinity is refused."""
        if self.form is not None:
            return self._dates(cells, self.form, places)
        values = numbers(cells, self.name, self.reading, places)
        infinite = np.isinf(values)
        if infinite.any():
            row = int(infinite.argmax())
            error = places.refusal(row, self.name, "a finite number", float(values[row]))
            raise InfiniteError(str(error), float(values[row]))
        return values

    def read_file(self, source: FileColumn) -> Array:
        try:
            return super().read_file(source)
        except InfiniteError as error:
            remedy = add_missing([str(error.value)], source.dataset)
            raise DataError(f"{error}; {remedy}" if remedy else str(error)) from None

    def _dates(self, cells: pa.ChunkedArray, form: str, places: Places) -> Array:
        column, read = coded(cells), dates.reader(form)
        known = [read(value) for value in column.values]
        if None in known:
            row = int((column.codes == known.index(None)).argmax())
            raise places.refusal(row, self.name, self.expected, column.text(row))
        # The last entry is that of code -1, no value.
        return np.array([*known, np.nan], np.float64)[column.codes]

    def absent(self, values: Array) -> Array:
        return np.isnan(values)

    def learn_features(self, source: FileColumn, training: Array) -> Self:
        if source.policy.missing != "indicator":
            return self  # which spares reading the cells
        return replace(self, flagged=bool(np.isnan(self.read_file(source)[training]).any()))

    def learn_values(self, source: FileColumn, values: Array, training: Array) -> Self:
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        if np.isnan(low):
            raise source.useless("has no value in any row")
        if low == high and not (self.flagged and np.isnan(values).any()):
            error = source.useless(source.constant(float(low)))
            # Ids that float64 merges are not constant: the user must say what to do with them.
            raise DataError(f"{error}; name it in exclude or categorical") if source.differs else error
        if not source.policy.fills:
            return self
        # Even where no row lacks a value: a later file may.
        seen = values[training]
        known = seen[~np.isnan(seen)]
        if not len(known):
            raise source.useless("has no value in the training part")
        return replace(self, mean=mean_and_deviation(known)[0])

    def write_into(self, inputs: Array, values: Array) -> None:
        absent = np.isnan(values)
        inputs[:, 0] = values
        inputs[absent, 0] = self.mean
        if self.flagged:
            inputs[:, 1] = absent


@dataclass(frozen=True)
class NumberTarget(Target):
    """A quantity to predict, in its own units."""

    name: str
    reading: Reading = "number"
    kind: Literal["number"] = "number"

    @property
    def expected(self) -> str:
        return EXPECTED[self.reading]

    def encode(self, cells: pa.ChunkedArray, places: Places) -> Array:
        """(rows,) float64."""
        return Number(self.name, self.reading).usable(cells, Policy(), places)


def reading_of(kind: pa.DataType) -> Reading:
    """How cells of a type that is not text are read."""
    from pyarrow import types

    inner = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_boolean(inner):
        return "truth"
    return "time" if types.is_temporal(inner) else "number"


def mean_and_deviation(values: Array) -> tuple[float, float]:
    """Mean and standard deviation (by n) of a column; a constant one has scale 1."""
    largest = float(np.abs(values).max())
    # In units of a power of two, which rounds nothing: squares of 1e200 or 1e-200 leave the range.
    unit = math.ldexp(1.0, math.frexp(largest)[1] - 1)
    scaled = values / unit
    mean, scale = float(scaled.mean()) * unit, float(scaled.std()) * unit
    return mean, scale if scale > 1e-12 * largest else 1.0


def _are_numbers(source: FileColumn) -> bool:
    """Whether all texts are numerals; DataError where those of half the rows or more are, and one is not."""
    values, codes = source.coded.values, source.coded.codes
    if all(map(source.is_numeral, values)):
        return True
    proposal = advice(source.name, values, source.dataset, source.others)
    meant = np.array([source.is_numeral(value) or is_meant_as_number(value) for value in values])
    if proposal is None and 2 * meant[codes[codes >= 0]].sum() < (codes >= 0).sum():
        return False
    odd = np.array([not source.is_numeral(value) for value in values] + [False])  # the last is of code -1
    row = int(odd[codes].argmax())
    cell = values[codes[row]]
    expected = EXPECTED["number"] if source.marks.are_plain else f"a number such as {source.marks.example}"
    error = source.table.places.refusal(row, source.name, expected, cell)
    raise DataError(f"{error}{_remedy(source, odd, row, proposal)}")


def _remedy(source: FileColumn, odd: Array, row: int, proposal: str | None) -> str:
    """What to do about the texts that are ``odd``, the first of which is in this row; or nothing."""
    values, codes = source.coded.values, source.coded.codes
    if proposal is not None:
        return f"; {proposal}, or list the column in dataset.categorical"
    cell = values[codes[row]]
    if is_meant_as_number(cell) and source.marks.are_plain:
        return "; numbers are written with a point, and without thousands marks"
    words = [value for value, is_odd in zip(values, odd[:-1], strict=True) if is_odd]
    nothing = add_missing(words, source.dataset)
    if nothing and stands_for_nothing(words):
        return f"; {nothing}"
    if words == [source.name]:
        rows = np.flatnonzero(odd[codes])
        lines = [source.table.places.at(int(row)).rpartition(":")[2] for row in rows[:MOST_LINES]]
        return f"; it is the header again: add skip_rows: [{', '.join(lines)}]" if len(rows) <= MOST_LINES else ""
    if int(odd[codes].sum()) == 1 and (of_row := source.table.row_advice(row, cell)):
        return of_row
    return f"; mend it, or {nothing}" if nothing else "; mend such cells, or list the column in categorical or text"


def are_times(source: FileColumn) -> bool:
    """Whether all texts are ISO dates, or all times of day.

    Raises:
        DataError: half or more are dates or times of another format, or dates and times of day stand together.
    """
    values = source.coded.values
    texts = [value.strip() for value in values]
    iso = [(dates.is_iso_date(text), dates.is_iso_clock(text)) for text in texts]
    if all(date for date, _ in iso) or all(clock for _, clock in iso):
        return True
    like = [dates.is_date_like(text) or any(kinds) for text, kinds in zip(texts, iso, strict=True)]
    if 2 * sum(like) < len(like):
        return False
    # The kind that most have, or none has, is not the one that is odd.
    usual = max((0, 1), key=lambda kind: sum(kinds[kind] for kinds in iso))
    odd = np.array([not kinds[usual] for kinds in iso] + [False])  # the last is of code -1
    row = int(odd[source.coded.codes].argmax())
    error = source.table.places.refusal(row, source.name, EXPECTED["time"], source.coded.text(row))
    if long := dates.long_duration(texts):
        row = int((source.coded.codes == texts.index(long)).argmax())
        error = source.table.places.refusal(row, source.name, "a time of day, before 24:00", long)
        raise DataError(f"{error}; write durations as numbers, of hours or seconds")
    raise DataError(f"{error}; {date_remedy(source.name, texts)}")


def date_remedy(name: str, cells: Sequence[str]) -> str:
    """What to do about dates that are not ISO's: the formats that read all of these cells, if there are some."""
    lines = [f"dates: {{{as_key(name)}: {json.dumps(form)}}}" for form in dates.formats_of(cells)]
    if not lines:
        return "write dates that way, give their format in dates, or name the column in categorical or exclude"
    fits = "every cell fits it" if len(lines) == 1 else "every cell fits each of them, so choose the one that is meant"
    return f"put {' or '.join(lines)} under dataset ({fits}), or name the column in categorical or exclude"


def dates_of(source: FileColumn) -> Array | None:
    """(rows,) seconds since 1970, NaN where missing, of a column of dates; None of any other column."""
    from pyarrow import types

    form = source.dataset.dates.get(source.name)
    if form is not None:
        is_date = dates.has_date(form)
    elif source.is_text:
        is_date = bool(source.coded.values) and all(map(dates.is_iso_date, source.coded.values))
    else:
        is_date = types.is_timestamp(source.type) or types.is_date(source.type)
    return Number(source.name, "time", form=form).read_file(source) if is_date else None
