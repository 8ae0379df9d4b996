"""Columns of numbers, truth values and dates: one input each, and quantities to predict."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np

from nnintro.datasets.tables.cells import EXPECTED, Array, Reading, is_meant_as_number, is_numeral, numbers, seconds
from nnintro.datasets.tables.columns.advice import advice, stands_for_nothing
from nnintro.datasets.tables.columns.column import Column, FileColumn, Policy, Target
from nnintro.datasets.tables.files.places import Places
from nnintro.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_ISO = re.compile(r"\d{4}-\d\d-\d\d.*|\d\d:\d\d.*", re.ASCII)
_DATE = re.compile(r"(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|(19|20)\d\d[./-](0?[1-9]|1[0-2]))( .*)?", re.ASCII)
"""Dates of any order and years with months, but not 18-25."""


@dataclass(frozen=True)
class Number(Column):
    """One input, and a 0/1 input behind it that says where the value was missing."""

    name: str
    reading: Reading = "number"
    mean: float = 0.0
    """Of the training rows; it replaces a missing value."""
    flagged: bool = False
    kind: Literal["number"] = "number"
    quantities: ClassVar[int] = 1

    @classmethod
    def recognize(cls, source: FileColumn) -> Self | None:
        """Numbers, truth values and times by their type; texts that all are numerals or ISO dates.

        Raises:
            DataError: half of the texts or more are numbers, or dates, and the others are not.
        """
        from pyarrow import types

        if source.name in source.dataset.categorical:
            return None
        if not source.is_text:
            return cls(source.name, reading_of(source.type))
        if not types.is_dictionary(source.type) and _are_numbers(source):
            return cls(source.name)
        # Dates to predict are taken for classes.
        is_target = source.name in source.dataset.targets
        return cls(source.name, "time") if not is_target and _are_times(source) else None

    @property
    def features(self) -> list[str]:
        return [self.name, *([f"{self.name} missing"] if self.flagged else [])]

    @property
    def expected(self) -> str:
        return EXPECTED[self.reading]

    def read(self, cells: pa.ChunkedArray, places: Places) -> Array:
        """(rows,) float64, NaN where missing; infinity is refused."""
        values = numbers(cells, self.name, self.reading, places)
        infinite = np.isinf(values)
        if infinite.any():
            row = int(infinite.argmax())
            raise places.refusal(row, self.name, "a finite number", float(values[row]))
        return values

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
    proposal = advice(values) if source.marks.are_plain else None
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
    if not source.marks.are_plain and all(map(is_numeral, values)):
        return "; where columns are written in different ways, map them: decimal: {price: ','}"
    if is_meant_as_number(cell) and source.marks.are_plain:
        return "; numbers are written with a point, and without thousands marks"
    if nothing := stands_for_nothing([value for value, is_odd in zip(values, odd[:-1], strict=True) if is_odd]):
        return f"; {nothing}"
    return source.table.row_advice(row, cell) if int(odd[codes].sum()) == 1 else ""


def _are_times(source: FileColumn) -> bool:
    """Whether all are ISO dates or times; DataError where half or more are dates of another kind."""
    values = source.coded.values
    texts = [value.strip() for value in values]
    if all(_ISO.fullmatch(text) and seconds(text) is not None for text in texts):
        return True
    dates = [_DATE.fullmatch(text) is not None for text in texts]
    if 2 * sum(dates) < len(dates):
        return False
    code = dates.index(True)
    row = int((source.coded.codes == code).argmax())
    error = source.table.places.refusal(row, source.name, EXPECTED["time"], values[code])
    raise DataError(f"{error}; write dates that way, or name the column in categorical or exclude")
