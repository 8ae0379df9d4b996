"""Turn cells into numbers: what counts as one, what as missing, and dates as seconds since 1970."""

from __future__ import annotations

import contextlib
import decimal
import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from nnintro.datasets.tables.dates import seconds

if TYPE_CHECKING:
    import pyarrow as pa

    from nnintro.datasets.tables.files.places import Places

Array = np.ndarray[Any, Any]
Reading = Literal["number", "truth", "time"]
"""How a column's cells are read: as numbers; true and false as 1 and 0; dates as seconds."""
MISSING = frozenset({"", "NA", "N/A", "n/a", "#N/A", "<NA>", "nan", "NaN", "None", "null", "NULL", "?"})
"""Spellings of no value, blanks around them aside."""
EXPECTED: dict[Reading, str] = {
    "number": "a number",
    "truth": "true or false",
    "time": "a date or time such as 2024-12-31",
}
LARGEST_WHOLE = 2.0**53
"""From here on float64 does not hold every whole number."""
_NUMERAL = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)", re.ASCII | re.I)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)+", re.ASCII)


def is_numeral(cell: str) -> bool:
    return _NUMERAL.fullmatch(cell.strip()) is not None


def is_meant_as_number(cell: str) -> bool:
    """A numeral, or one with commas in it, which stand for too many things to be read."""
    return is_numeral(cell) or _DECIMAL_COMMA.fullmatch(cell.strip()) is not None


def number(cell: str) -> float | None:
    return float(cell) if is_numeral(cell) else None


def exact_number(numeral: str) -> decimal.Decimal:
    """The number itself, of which float64 may have no digit right: 9007199254740993."""
    try:
        return decimal.Decimal(numeral.strip())
    except decimal.InvalidOperation:  # an exponent beyond all bounds: 0 or infinity, as float64 has it
        return decimal.Decimal(float(numeral))


def exactly(column: pa.ChunkedArray, values: Array) -> Array:
    """(rows,) what to compare numbers by: float64, or objects where it holds less than the cells do.

    Args:
        column: the cells, numbers or numerals.
        values: the same as ``numbers`` has them; where NaN, they stay NaN.
    """
    from pyarrow import types

    if types.is_timestamp(column.type) and column.type.unit == "ns":
        return _exact_seconds(column, values)
    if types.is_temporal(column.type) or not (np.abs(values) >= LARGEST_WHOLE).any():
        return values
    exact, known = values.astype(object), np.flatnonzero(~np.isnan(values))
    cells = column.to_pylist()
    exact[known] = [exact_number(str(cells[row])) for row in known]
    return exact


def _exact_seconds(column: pa.ChunkedArray, values: Array) -> Array:
    """Seconds of nanoseconds since 1970: of fractions of a microsecond as decimal numbers, which float64 rounds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    counts: Array = pc.fill_null(column.cast(pa.int64()), 0).to_numpy()
    if not (counts % 1000).any():
        return values
    exact, known = values.astype(object), np.flatnonzero(~np.isnan(values))
    exact[known] = [decimal.Decimal(count) / 10**9 for count in counts[known].tolist()]
    return exact


def truth(cell: str) -> float | None:
    return {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}.get(cell.strip().lower())


READERS: dict[Reading, Callable[[str], float | None]] = {"number": number, "truth": truth, "time": seconds}


def numbers(column: pa.ChunkedArray, name: str, reading: Reading, places: Places) -> Array:
    """(rows,) float64, NaN where the value is missing.

    Raises:
        DataError: a cell is not a number, with its place.
    """
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if is_text(column.type):
        return _parsed(column, name, reading, places)
    if types.is_null(column.type):
        return np.full(len(column), np.nan)
    if types.is_temporal(column.type) != (reading == "time"):
        got = f"cells of type {column.type}"
        raise places.refusal(0, name, EXPECTED[reading], got)
    return _time(column) if reading == "time" else _float64(column)


def is_text(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _float64(column: pa.ChunkedArray) -> Array:
    import pyarrow as pa
    from pyarrow import types

    if types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    # Integers beyond 2**53 are rounded: they are measured, not counted.
    return cast(Array, column.cast(pa.float64(), safe=False).to_numpy())


_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def _time(column: pa.ChunkedArray) -> Array:
    """Seconds; whole ones and the rest apart, since 64-bit nanoseconds are no float64."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    kind = column.type
    if types.is_date(kind):
        kind = pa.timestamp("s")
        column = column.cast(kind)
    narrow = types.is_time32(kind)
    counts = column.cast(pa.int32()).cast(pa.int64()) if narrow else column.cast(pa.int64())
    unit = _PER_SECOND[kind.unit]
    missing = column.is_null().to_numpy()
    whole: Array = pc.fill_null(counts, 0).to_numpy()
    values = (whole // unit).astype(np.float64) + (whole % unit) / unit
    values[missing] = np.nan
    return values


def _parsed(column: pa.ChunkedArray, name: str, reading: Reading, places: Places) -> Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(column)
    if reading == "number":
        absent = pc.is_in(trimmed, value_set=pa.array(sorted(MISSING), trimmed.type))
        with contextlib.suppress(pa.ArrowInvalid):  # the slow way finds which cell
            values = _float64(pc.if_else(absent, None, trimmed))
            # pyarrow takes nan(1) for one.
            odd = np.isnan(values) & pc.and_not(trimmed.is_valid(), absent).to_numpy()
            if all(is_numeral(trimmed[int(row)].as_py()) for row in np.flatnonzero(odd)):
                return values
    read, values = functools.cache(READERS[reading]), np.full(len(column), np.nan)
    for row, cell in enumerate(trimmed.to_pylist()):
        if cell is not None and cell not in MISSING:
            value = read(cell)
            if value is None:
                raise places.refusal(row, name, EXPECTED[reading], cell)
            values[row] = value
    return values
