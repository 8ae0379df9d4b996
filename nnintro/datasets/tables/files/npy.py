"""Arrays in NumPy's format: what a .npy says of itself, and its numbers, a piece at a time."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal

import numpy as np

from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.files.places import cannot_be_read, require_readable, shown_path
from nnintro.errors import DataError

_LONGEST_HEADER = 1 << 16
_PIECE = 1 << 20
"""Bytes that are unpacked at a time."""
_KINDS = {"c": "complex numbers", "U": "text", "S": "text", "V": "a structure"}
"""Of arrays that hold no real numbers."""


@dataclass(frozen=True)
class Header:
    """An array, before it is read."""

    shape: tuple[int, ...]
    fortran: bool
    """Whether column follows on column."""
    dtype: np.dtype[Any]
    offset: int
    """Where its numbers begin."""
    member: str = ""
    """Its name in an archive."""

    @property
    def name(self) -> str:
        return self.member.removesuffix(".npy")

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: IO[bytes], member: str = "") -> Header:
    """What a .npy says of itself; nothing of it is ever executed.

    Raises:
        ValueError: it is not a .npy; and what else a foreign header makes numpy raise.
    """
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    start = io.BytesIO(stream.read(_LONGEST_HEADER))  # one may say that it is 4 GiB long
    version = np.lib.format.read_magic(start)
    shape, fortran, dtype = readers[version](start)
    if any(length < 0 for length in shape):
        raise ValueError(shape)
    return Header(shape, fortran, dtype, start.tell(), member)


def read_numeric_header(stream: IO[bytes], size: int, columns: int, name: str) -> Header:
    """The header of real numbers of shape (n, columns), or (n,) for one column; n > 0.

    Args:
        size: of the .npy, in bytes.
        name: the array's in messages.

    Raises:
        DataError: it is something else, or too short for what it promises.
    """
    if size == 0:
        raise DataError(f"{name}: the file is empty")
    start = stream.read(_LONGEST_HEADER)
    if not start.startswith(np.lib.format.MAGIC_PREFIX):
        raise DataError(f"{name}: not a .npy file")
    try:
        header = read_header(io.BytesIO(start))
    except Exception as error:
        # Whatever a foreign header makes numpy raise, to the user it is one thing.
        raise DataError(f"{name}: the header of this .npy file cannot be read") from error
    if header.dtype.kind not in "biuf":
        kind = "Python objects" if header.dtype.hasobject else _KINDS.get(header.dtype.kind)
        found = kind or header.dtype.name
        raise DataError(f"{name}: expected an array of real numbers, found {found}")
    there = size - header.offset
    if header.bytes > there:
        wanted = f"an array of shape {header.shape} takes {header.bytes:,} bytes"
        raise DataError(f"{name}: the file is cut short: {wanted}, {there:,} are there")
    _check_shape(header.shape, columns, name)
    return header


def _check_shape(shape: tuple[int, ...], columns: int, name: str) -> None:
    if shape[1:] != (columns,) and not (columns == 1 and len(shape) == 1):
        wanted = "(n,) or (n, 1)" if columns == 1 else f"(n, {columns})"
        raise DataError(f"{name}: expected an array of shape {wanted}, found {shape}")
    if shape[0] == 0:
        raise DataError(f"{name}: there are no rows in the array")


class NpyFile:
    """A .npy of real numbers, (n, columns) or (n,), read a block of rows at a time.

    Raises (all methods):
        DataError: it cannot be read, or holds something else (see ``read_numeric_header``).
    """

    def __init__(self, path: str, columns: int) -> None:
        require_readable(path)
        self.name = shown_path(path)
        self._path = path
        with open(path, "rb") as file:  # noqa: PTH123
            size = os.fstat(file.fileno()).st_size
            self._header = read_numeric_header(file, size, columns, self.name)

    def blocks(self, rows: int) -> Iterator[Array]:
        """Consecutive rows, of the array's own type."""
        header = self._header
        with open(self._path, "rb") as file:  # noqa: PTH123
            for first in range(0, header.shape[0], rows):
                yield self._mapped(file)[first : first + rows].copy()

    def _mapped(self, file: IO[bytes]) -> Array:
        # Mapped anew for each block: what was read of an open map still counts as memory in use.
        header = self._header
        order: Literal["C", "F"] = "F" if header.fortran else "C"
        try:
            return np.memmap(file, header.dtype, "r", header.offset, header.shape, order)
        except OSError as error:
            raise cannot_be_read(self.name, error) from error


class ArrayReader:
    """An array of an archive from its first row to its last, unpacked as far as it was asked for.

    One whose columns follow on each other is unpacked as a whole.
    """

    def __init__(self, archive: zipfile.ZipFile, header: Header) -> None:
        self._header = header
        self._stream: IO[bytes] = archive.open(header.member)
        _skip(self._stream, header.offset)
        self._whole: Array | None = None
        self._first = 0

    def rows(self, count: int) -> Array:
        """The next so many rows, or those that are left.

        Raises:
            EOFError: the data is cut off; zipfile's errors.
        """
        header = self._header
        count = min(count, header.shape[0] - self._first)
        self._first += count
        if not (header.fortran and len(header.shape) > 1):
            return self._read((count, *header.shape[1:]), "C")
        if self._whole is None:
            self._whole = self._read(header.shape, "F")
        return self._whole[self._first - count : self._first]

    def _read(self, shape: tuple[int, ...], order: Literal["C", "F"]) -> Array:
        values = np.empty(math.prod(shape), self._header.dtype)
        room = values.view(np.uint8).data if values.nbytes else memoryview(b"")
        for first in range(0, values.nbytes, _PIECE):
            _fill(self._stream, room[first : first + _PIECE])
        return values.reshape(shape, order=order)


def _skip(stream: IO[bytes], count: int) -> None:
    if len(stream.read(count)) != count:
        raise EOFError


def _fill(stream: IO[bytes], room: memoryview) -> None:
    while len(room):
        data = stream.read(len(room))
        if not data:
            raise EOFError
        room[: len(data)] = data
        room = room[len(data) :]
