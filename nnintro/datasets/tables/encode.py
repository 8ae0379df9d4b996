"""One column of a table, encoded: the plain way, for a block of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnintro.datasets.tables.categories import Coded, coded, plain_number
from nnintro.datasets.tables.cells import EXPECTED, Array, Reading, is_numeral, number, numbers
from nnintro.datasets.tables.columns import Category, ClassTarget, Column, Number, Target
from nnintro.datasets.tables.files.places import Places
from nnintro.datasets.tables.hashing import hashed, sentences
from nnintro.errors import DataError
from nnintro.wording import MOST_NAMED, listed, shown

if TYPE_CHECKING:
    import pyarrow as pa

    from nnintro.datasets.tables.encoding import Encoding


def encoded_column(column: Column, values: Any, encoding: Encoding, places: Places) -> Array:
    """(rows, features of the column) in float64, raw; words in float32.

    Raises:
        DataError: a cell cannot be used.
    """
    cells = chunked(values)
    if isinstance(column, Number):
        return _number(column, cells, encoding, places)
    if isinstance(column, Category):
        return _category(column, cells, encoding, places)
    texts = sentences(cells)
    if encoding.missing in ("error", "drop"):
        absent = np.array([text is None for text in texts], bool)
        _none_missing(absent, column.name, "text", places)
    return hashed(texts, column.width)


def chunked(values: Any) -> pa.ChunkedArray:
    """An array of whatever library as pyarrow has them."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        return values
    return pa.chunked_array([values if isinstance(values, pa.Array) else pa.array(values)])


def _number(column: Number, cells: pa.ChunkedArray, encoding: Encoding, places: Places) -> Array:
    values = finite_numbers(cells, column.name, column.reading, places)
    absent = np.isnan(values)
    if encoding.missing in ("error", "drop"):
        _none_missing(absent, column.name, EXPECTED[column.reading], places)
    filled = np.where(absent, column.mean, values)
    parts = [filled, *([absent.astype(np.float64)] if column.flagged else [])]
    return np.stack(parts, axis=1)


def finite_numbers(cells: pa.ChunkedArray, name: str, reading: Reading, places: Places) -> Array:
    """(rows,) float64, NaN where missing.

    Raises:
        DataError: a cell is no number, or infinite.
    """
    values = numbers(cells, name, reading, places)
    infinite = np.isinf(values)
    if infinite.any():
        row = int(infinite.argmax())
        raise places.refusal(row, name, "a finite number", float(values[row]))
    return values


def _none_missing(absent: Array, name: str, expected: str, places: Places) -> None:
    if absent.any():
        raise missing(int(absent.argmax()), name, expected, places)


def missing(row: int, name: str, expected: str, places: Places, hint: str = "") -> DataError:
    """What to raise of a missing value."""
    return (
        places.refusal(row, name, expected, None)
        if not hint
        else DataError(f"{places.refusal(row, name, expected, None)}; {hint}")
    )


def _category(
    column: Category, cells: pa.ChunkedArray, encoding: Encoding, places: Places
) -> Array:
    found = coded(cells)
    codes = matched(found, column.values)
    absent = found.codes < 0
    fills = encoding.missing in ("mean", "indicator")
    if column.missing:
        codes[absent] = len(column.values)
    unknown = codes < 0
    if encoding.unseen == "zeros":
        unknown &= absent & (not fills)  # no value is no category, unless it might be one
    if unknown.any():
        row = int(unknown.argmax())
        got = found.values[found.codes[row]] if not absent[row] else None
        error = places.refusal(row, column.name, one_of(column.values, "categories"), got)
        if fills and absent[row]:
            error = DataError(f"{error}; in training none was missing there")
        raise error
    hot = np.zeros((len(codes), len(column.features)))
    rows = np.flatnonzero(codes >= 0)
    hot[rows, codes[rows]] = 1
    return hot


def one_of(values: tuple[str, ...], things: str) -> str:
    """``one of the 3 categories that training had ('a', 'b', 'c')``."""
    named = listed(values[:MOST_NAMED])
    rest = f" and {len(values) - MOST_NAMED} more" if len(values) > MOST_NAMED else ""
    return f"one of the {len(values)} {things} that training had ({named}{rest})"


def matched(found: Coded, values: tuple[str, ...]) -> Array:
    """(rows,) positions in ``values``; -1 for what is none of them, or missing.

    Other spellings than training had count too: True of true, and of numbers 3 of 3.0 or 3.0 of 3,
    unless training told the two apart.
    """
    positions = {value: index for index, value in enumerate(values)}
    plain: Callable[[str], str] = str.lower if set(values) <= {"true", "false"} else str.strip
    if values and all(map(is_numeral, values)):
        plain = _plain
    spellings = Counter(map(plain, values))
    meant = {
        plain(value): positions[value]
        for value in values
        if spellings[plain(value)] == 1 or plain(value) == value
    }
    translation = [positions.get(value, meant.get(plain(value), -1)) for value in found.values]
    codes: Array = np.array([*translation, -1], np.int64)[found.codes]
    return codes


def _plain(value: str) -> str:
    """``3`` of 3.0 and 03; what is no numeral stays as it is."""
    found = number(value)
    return value if found is None else plain_number(found)


def encoded_labels(target: ClassTarget, values: Any, places: Places) -> Array:
    """(rows,) class numbers, int64.

    Raises:
        DataError: a value is missing, or no class that training had.
    """
    found = coded(chunked(values))
    codes = matched(found, target.classes)
    if (codes < 0).any():
        row = int((codes < 0).argmax())
        got = found.values[found.codes[row]] if found.codes[row] >= 0 else None
        raise places.refusal(row, target.name, one_of(target.classes, "classes"), got)
    return codes


def encoded_target(target: Target, values: Any, places: Places) -> Array:
    """(rows,) float64.

    Raises:
        DataError: a value is missing, or no finite number.
    """
    assert target.kind == "number", shown(target.kind)
    cells = finite_numbers(chunked(values), target.name, target.reading, places)
    _none_missing(np.isnan(cells), target.name, EXPECTED[target.reading], places)
    return cells
