"""Text to categories: a column's distinct values, and which of them each row has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nnintro.datasets.tables.cells import MISSING, Array, is_numeral, is_text

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Coded:
    """A column as positions in a list of its distinct values."""

    values: list[str]
    """In sorted order: as numbers where all of them are, else as text."""
    codes: Array
    """(rows,) int32; -1 where the value is missing."""

    def counts(self) -> Array:
        """How many rows have each value, (values,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))


def coded(column: pa.ChunkedArray) -> Coded:
    """The categories of a column of any plain type, blanks around text aside."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(column.type) and not is_text(column.type.value_type):
        column = column.cast(column.type.value_type)
    if not types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    words = plain_words(column.chunk(0).dictionary) if column.num_chunks else []
    values = in_order({word for word in words if word not in MISSING})
    positions = {value: index for index, value in enumerate(values)}
    translation = np.array([*(positions.get(word, -1) for word in words), -1], np.int32)
    indices = [chunk.indices.cast(pa.int64()).fill_null(len(words)) for chunk in column.chunks]
    found = [translation[index.to_numpy()] for index in indices]
    return Coded(values, np.concatenate(found) if found else np.zeros(0, np.int32))


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


def in_order(values: set[str]) -> list[str]:
    """Sorted as numbers where all are numerals, else as text."""
    if values and all(is_numeral(value) for value in values):
        return sorted(values, key=lambda value: (float(value), value))
    return sorted(values)
