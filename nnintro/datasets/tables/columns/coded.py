"""Encode a column as its distinct values and one integer code per row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from nnintro.datasets.tables.cells import MISSING, Array, exact_number, is_numeral, is_text
from nnintro.wording import MOST_NAMED, listed

if TYPE_CHECKING:
    import pyarrow as pa

ABSENT, UNSEEN = -1, -2
"""Codes for a missing value, and for a value that is not one of the categories."""
MOST_DIGITS = 400
"""Of a whole number that is spelled out: more than any float64 has before its point."""


@dataclass(frozen=True)
class Coded:
    """A column as positions in a list of its distinct values."""

    values: list[str]
    """In sorted order: as numbers where all of them are, else as text."""
    codes: Array
    """(rows,) int32; ABSENT where there is no value."""

    def text(self, row: int) -> str | None:
        """The row's value; None where there is none."""
        return None if self.codes[row] < 0 else self.values[self.codes[row]]

    def merged(self) -> Coded:
        """The same with one value for the spellings of one: 1 of 1.0 and 01, true of True."""
        plain = _spelling([value.lower() for value in self.values])
        if plain is str.strip:
            return self
        plains = list(map(plain, self.values))
        if len(set(plains)) == len(plains):
            return self  # 01 stays 01
        values = list(dict.fromkeys(plains))  # numerals of one number stand together
        values = values if plain is plain_numeral else sorted(values)
        new = [*map(values.index, plains), ABSENT]
        return Coded(values, np.array(new, np.int32)[self.codes])

    def without_full_stops(self, values: Sequence[str]) -> Coded:
        """The same with the value in place of one that has a full stop behind it, and is none itself."""
        known = set(values)
        plain = [v[:-1] if v not in known and v.endswith(".") and v[:-1] in known else v for v in self.values]
        merged = list(dict.fromkeys(plain))
        return Coded(merged, np.array([*map(merged.index, plain), ABSENT], np.int32)[self.codes])

    def positions(self, values: Sequence[str]) -> Array:
        """(rows,) positions in ``values``, ABSENT or UNSEEN.

        Other spellings than those of ``values`` count too: True of true, and of numbers 3 of 3.0 or
        3.0 of 3, unless ``values`` tells the two apart.
        """
        exact = {value: index for index, value in enumerate(values)}
        plain = _spelling(values)
        spellings = Counter(map(plain, values))
        meant = {
            plain(value): index
            for value, index in exact.items()
            if spellings[plain(value)] == 1 or plain(value) == value
        }
        new = [exact.get(value, meant.get(plain(value), UNSEEN)) for value in self.values]
        # The last entry is that of code -1, no value.
        return cast(Array, np.array([*new, ABSENT], np.int32)[self.codes])


def coded(column: pa.ChunkedArray) -> Coded:
    """The categories of a column of any plain type; blanks around text do not count."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(column.type) and not is_text(column.type.value_type):
        column = column.cast(column.type.value_type)
    if not types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    words = plain_words(column.chunk(0).dictionary) if column.num_chunks else []
    values = sorted({word for word in words if word not in MISSING})
    if all(map(is_numeral, values)):
        values.sort(key=exact_number)  # numerals of one number stay in the order of text
    positions = {value: index for index, value in enumerate(values)}
    translation = np.array([*(positions.get(word, ABSENT) for word in words), ABSENT], np.int32)
    indices = [chunk.indices.cast(pa.int64()).fill_null(len(words)) for chunk in column.chunks]
    codes = [translation[index.to_numpy()] for index in indices]
    return Coded(values, np.concatenate([np.zeros(0, np.int32), *codes]))


def plain_words(values: pa.Array) -> list[str]:
    """Each value in plain text: ``3`` of 3.0, ``true`` of truth values."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_floating(values.type):
        return ["" if value is None else plain_number(value) for value in values.to_pylist()]
    return [(value or "").strip() for value in values.cast(pa.string()).to_pylist()]


def plain_number(value: float) -> str:
    """``3`` of 3.0, ``0.5``, ``nan``."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def one_of(values: Sequence[str], things: str) -> str:
    """``one of the 3 categories that training had ('a', 'b', 'c')``."""
    named = listed(values[:MOST_NAMED])
    rest = f" and {len(values) - MOST_NAMED} more" if len(values) > MOST_NAMED else ""
    return f"one of the {len(values)} {things} that training had ({named}{rest})"


def _spelling(values: Sequence[str]) -> Callable[[str], str]:
    """What maps the spellings of one value to one text."""
    if values and all(map(is_numeral, values)):
        return plain_numeral
    return str.lower if set(values) <= {"true", "false"} else str.strip


def plain_numeral(text: str) -> str:
    """``3`` of 3.0 and 03, with every digit of a whole number; other texts stay as they are."""
    if not is_numeral(text):
        return text
    value = exact_number(text)
    if value.is_finite() and value.adjusted() < MOST_DIGITS and value == value.to_integral_value():
        return str(int(value))
    return plain_number(float(text))
