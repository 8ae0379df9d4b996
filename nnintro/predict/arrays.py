"""Tables in NumPy's files: .npy in blocks off the disk, and the arrays of a .npz."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from nnintro.errors import DataError
from nnintro.models.standardized import Array
from nnintro.predict.block import fits, rows_per_block, texts, wanted_of
from nnintro.predict.feed import cannot_be_read


@dataclass(frozen=True)
class Header:
    """What a .npy says of itself; ``offset`` is where its numbers begin."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    offset: int

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes], size: int, name: str) -> Header:
    """Read and check the beginning of a .npy of ``size`` bytes; nothing of it is ever executed.

    Raises:
        DataError: it is no .npy of real numbers, or too short for what it promises.
    """
    if size == 0:
        raise DataError(f"{name}: the file is empty")
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
    except ValueError as error:
        raise DataError(f"{name}: not a .npy file") from error
    try:
        shape, fortran, dtype = readers[version](file)
    except Exception as error:
        # Whatever a foreign header makes numpy raise, to the user it is one thing.
        raise DataError(f"{name}: the header of this .npy file cannot be read") from error
    if any(length < 0 for length in shape):
        raise DataError(f"{name}: the header of this .npy file cannot be read")
    if dtype.kind not in "biuf":
        raise DataError(f"{name}: expected an array of real numbers, found {_kind(dtype)}")
    header = Header(shape, fortran, dtype, file.tell())
    there = size - header.offset
    if header.bytes > there:
        wanted = f"an array of shape {shape} takes {header.bytes:,} bytes"
        raise DataError(f"{name}: the file is cut short: {wanted}, {there:,} are there")
    return header


def _kind(dtype: np.dtype[Any]) -> str:
    if dtype.hasobject:
        return "Python objects"
    kinds = {"c": "complex numbers", "U": "text", "S": "text", "V": "a structure"}
    return kinds.get(dtype.kind, dtype.name)


def check_shape(shape: tuple[int, ...], columns: int, name: str) -> None:
    """(n, columns) with n > 0; with one column also (n,).

    Raises:
        DataError: it has another shape.
    """
    if shape[1:] != (columns,) and not (columns == 1 and len(shape) == 1):
        wanted = "(n,) or (n, 1)" if columns == 1 else f"(n, {columns})"
        raise DataError(f"{name}: expected an array of shape {wanted}, found {shape}")
    if shape[0] == 0:
        raise DataError(f"{name}: there are no rows in the array")


class ArrayTable:
    """A .npy of shape (n, columns), read a block at a time.

    Raises:
        DataError: the file is something else (see ``read_header`` and ``check_shape``).
    """

    def __init__(
        self, file: IO[bytes], size: int, name: str, wanted: Sequence[str], dtype: np.dtype[Any]
    ) -> None:
        self.place, self.names = name, wanted
        self.positions: Sequence[int] = range(len(wanted))
        self._file, self._name, self._dtype = file, name, dtype
        self._header = read_header(file, size, name)
        check_shape(self._header.shape, len(wanted), name)

    def blocks(self) -> Iterator[ArrayBlock]:
        """See ``block.Table``."""
        step = rows_per_block(len(self.names))
        for start in range(0, self._header.shape[0], step):
            yield ArrayBlock(
                self._rows(start, start + step), self._name, self.names, self._dtype, start
            )

    def _rows(self, start: int, stop: int) -> Array:
        # Mapped anew for every block: what was read of an open map still counts as memory in use.
        header = self._header
        try:
            mapped: Array = np.memmap(
                self._file,
                header.dtype,
                mode="r",
                offset=header.offset,
                shape=header.shape,
                order="F" if header.fortran else "C",
            )
        except OSError as error:
            raise cannot_be_read(self._name, error) from error
        return np.array(mapped[start:stop])


class ArrayBlock:
    """Rows of an array (see ``block.Block``), in the array's own type.

    Raises:
        DataError: a number is not finite in the run's precision.
    """

    def __init__(
        self,
        values: Array,
        name: str,
        columns: Sequence[str],
        dtype: np.dtype[Any],
        start: int = 0,
    ) -> None:
        # Truth values are numbers here, and are written as such.
        numbers = values.astype(np.uint8) if values.dtype.kind == "b" else values
        self.numbers = numbers.reshape(len(values), -1)
        self._name, self._columns, self._start = name, columns, start
        self._flat = values.ndim == 1
        bad = ~fits(self.numbers, dtype)
        if bad.any():
            row, column = (int(index) for index in np.argwhere(bad)[0])
            raise self.refusal(row, column, wanted_of(float(self.numbers[row, column]), dtype))

    def cells(self) -> list[list[str]]:
        columns = [texts(column) for column in self.numbers.T]
        return [list(row) for row in zip(*columns, strict=True)]

    def refusal(self, row: int, column: int, expected: str) -> DataError:
        index = f"{self._start + row}" if self._flat else f"{self._start + row}, {column}"
        place = f"{self._name}[{index}]: column {self._columns[column]!r}"
        return DataError(f"{place}: expected {expected}, got {self.numbers[row, column]}")
