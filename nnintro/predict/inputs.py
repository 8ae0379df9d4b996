"""Read files of rows for runs not trained on a table: their inputs (and targets) as numbers.

The columns are called x, or x1, x2, ... (and y, or y1, y2, ...), and stand in that order where a
file has no header.  Rows go through the network in blocks, so that files may be of any length.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnintro.datasets.tables.cells import is_numeral
from nnintro.datasets.tables.files import full_blocks
from nnintro.datasets.tables.files.csv import CsvTable
from nnintro.datasets.tables.files.npy import npy_blocks, npy_header
from nnintro.datasets.tables.files.places import Places, require_readable, shown_path
from nnintro.datasets.tables.files.text import STDIN, TextFile
from nnintro.errors import DataError
from nnintro.models.standardized import Array
from nnintro.predict.names import positions
from nnintro.predict.writers import texts, values_of

if TYPE_CHECKING:
    import pyarrow as pa

EXPECTED = ".csv, .tsv, .txt or .npy, or - for CSV on stdin"
TEXT = (".csv", ".tsv", ".txt")
CELLS = 1 << 15
"""Cells in a block; larger blocks are slower, for the text of this many is still in the cache."""
CHUNK = 1 << 17
"""Bytes of text that are read at a time: what a program writes to stdin is answered early."""


def open_inputs(
    source: str, wanted: Sequence[str], dtype: np.dtype[Any], expected: str = EXPECTED
) -> TextInputs | ArrayInputs:
    """Open a .csv, .tsv, .txt or .npy, or CSV on stdin for ``-``.

    Args:
        wanted: names of the columns that are read as numbers.
        dtype: of the run; the numbers have to be finite in it.
        expected: endings that a file may have, for messages.

    Raises:
        DataError: it cannot be read, or is not a table of these columns.
    """
    if source != STDIN:
        require_readable(source)
        suffix = Path(source).suffix.lower()
        if suffix == ".npy":
            return ArrayInputs(source, wanted, dtype)
        if suffix not in TEXT:
            raise DataError(f"{shown_path(source)}: expected a file that ends in {expected}")
    return TextInputs(source, wanted, dtype)


def rows_per_block(columns: int) -> int:
    return max(1, CELLS // max(columns, 1))


def fits(numbers: Array, dtype: np.dtype[Any]) -> Array:
    """(rows, columns) truth values: finite, and still finite as ``dtype``."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.isfinite(numbers.astype(dtype)))


def wanted_of(value: float, dtype: np.dtype[Any]) -> str:
    """What is expected in place of a number that does not fit."""
    if not np.isfinite(value):
        return "a finite number"
    return f"a number that {dtype.name} can hold (at most {np.finfo(dtype).max:.1e})"


@dataclass(frozen=True)
class ArrayRows:
    """Consecutive rows of an array."""

    numbers: Array
    """(rows, wanted) in the array's own type; finite in the run's precision."""
    name: str
    wanted: Sequence[str]
    first: int
    """The row of the array that is row 0 here."""
    flat: bool

    def texts(self) -> list[list[str]]:
        """Column by column, the text of every number."""
        return list(map(texts, self.numbers.T))

    def values(self) -> list[Iterable[Any]]:
        """Column by column, Python's numbers."""
        return list(map(values_of, self.numbers.T))

    def refusal(self, row: int, column: int, expected: str) -> DataError:
        """What to raise of one of the numbers, with its place in the file."""
        index = f"{self.first + row}" if self.flat else f"{self.first + row}, {column}"
        place = f"{self.name}[{index}]: column {self.wanted[column]!r}"
        return DataError(f"{place}: expected {expected}, got {self.numbers[row, column]}")


def array_rows(values: Array, name: str, wanted: Sequence[str], dtype: np.dtype[Any], first: int = 0) -> ArrayRows:
    """Rows of an array (n, wanted) or (n,).

    Raises:
        DataError: a number is not finite in the run's precision.
    """
    # Truth values are numbers here, and are written as such.
    numbers = values.astype(np.uint8) if values.dtype.kind == "b" else values
    numbers = numbers.reshape(len(values), -1)
    rows = ArrayRows(numbers, name, wanted, first, flat=values.ndim == 1)
    bad = ~fits(numbers, dtype)
    if bad.any():
        row, column = (int(index) for index in np.argwhere(bad)[0])
        raise rows.refusal(row, column, wanted_of(float(numbers[row, column]), dtype))
    return rows


class ArrayInputs:
    """A .npy of shape (n, wanted), or (n,) for one column (see ``TextInputs``)."""

    def __init__(self, path: str, wanted: Sequence[str], dtype: np.dtype[Any]) -> None:
        self._path, self._header, self._dtype = path, npy_header(path, len(wanted)), dtype
        self.place, self.names = shown_path(path), wanted

    def blocks(self) -> Iterator[ArrayRows]:
        """Its rows, once, from the first to the last; DataError as of ``TextInputs.blocks``."""
        first = 0
        for values in npy_blocks(self._path, self._header, rows_per_block(len(self.names))):
            yield array_rows(values, self.place, self.names, self._dtype, first)
            first += len(values)


@dataclass(frozen=True)
class TextRows:
    """Consecutive rows of a text file."""

    numbers: Array
    """(rows, wanted) in float64; finite in the run's precision."""
    columns: pa.RecordBatch
    """All columns, every cell as the text that it is."""
    wanted: Sequence[str]
    positions: Sequence[int]
    places: Places

    def texts(self) -> list[list[str]]:
        """All columns of the file, every cell as it stands."""
        return [column.to_pylist() for column in self.columns.columns]

    def values(self) -> list[Iterable[Any]]:
        """All columns: those that are wanted as numbers, others as text."""
        columns: list[Iterable[Any]] = [*self.texts()]
        for position, numbers in zip(self.positions, self.numbers.T, strict=True):
            columns[position] = values_of(numbers)
        return columns

    def refusal(self, row: int, column: int, expected: str) -> DataError:
        """What to raise of one of the numbers, with its place in the file."""
        cell = self.columns.column(self.positions[column])[row].as_py()
        return self.places.refusal(row, self.wanted[column], expected, cell)

    def parsed(self, dtype: np.dtype[Any]) -> Array:
        """The numbers; DataError of the first cell, in the order of the file, that ``dtype`` cannot hold."""
        columns = [self.columns.column(position).to_pylist() for position in self.positions]
        for row, cells in enumerate(zip(*columns, strict=True)):
            for column, cell in enumerate(cells):
                if expected := _complaint(cell, dtype):
                    raise self.refusal(row, column, expected)
        return np.stack([np.array(list(map(float, cells))) for cells in columns], axis=1)


Rows = ArrayRows | TextRows


class TextInputs:
    """A CSV or TSV with or without a header.

    Attributes:
        place: where the columns' names stand, for messages.
        names: of all columns, in the order of the file, as they are written there.
        positions: which of them are wanted, in the order that was asked for.
    """

    def __init__(self, source: str, wanted: Sequence[str], dtype: np.dtype[Any]) -> None:
        file = TextFile(source, has_key=False, chunk=CHUNK)
        self._table = CsvTable(file, wanted=wanted, positional=True)
        self._wanted, self._dtype = wanted, dtype
        self.place, self.names = self._table.place, self._table.layout.written
        self.positions = positions(self._table.names, wanted, self.place)

    def blocks(self) -> Iterator[TextRows]:
        """Its rows, once, from the first to the last.

        Raises:
            DataError: a row cannot be used, or there is none; the blocks before it were good.
        """
        most = rows_per_block(len(self.names))
        for columns, places in full_blocks(self._table.blocks(most), most):
            numbers = _numbers([columns.column(position) for position in self.positions])
            rows = TextRows(numbers, columns, self._wanted, self.positions, places)
            if not fits(numbers, self._dtype).all():
                rows = replace(rows, numbers=rows.parsed(self._dtype))
            yield rows


def _numbers(columns: Sequence[pa.Array]) -> Array:
    """(rows, columns) float64; all NaN where a cell is not a number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        parts = [pc.utf8_trim_whitespace(column).cast(pa.float64()) for column in columns]
    except pa.ArrowInvalid:
        return np.full((len(columns[0]), len(columns)), np.nan)
    return np.stack([part.to_numpy() for part in parts], axis=1)


def _complaint(cell: str, dtype: np.dtype[Any]) -> str | None:
    """What was expected in place of this cell; None if it is a number that ``dtype`` can hold."""
    if not is_numeral(cell):
        return "a number"
    value = float(cell)
    if fits(np.array(value), dtype).all():
        return None
    # 1e999 is written as a finite number, and is one too large for any float.
    written_finite = math.isinf(value) and any(character.isdigit() for character in cell)
    return wanted_of(0.0 if written_finite else value, dtype)
