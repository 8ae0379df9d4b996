"""Read .npy files: the header, and then the numbers block by block."""

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
from nnintro.datasets.tables.files.places import cannot_be_read, opened, shown_path
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
        kind = "Python objects" if header.dtype.hasobject else _KINDS.get(header.dtype.kind, header.dtype.name)
        raise DataError(f"{name}: expected an array of real numbers, found {kind}")
    there = size - header.offset
    if header.bytes > there:
        wanted = f"an array of shape {header.shape} takes {header.bytes:,} bytes"
        raise DataError(f"{name}: the file is cut short: {wanted}, {there:,} are there")
    shape = header.shape
    if shape[1:] != (columns,) and not (columns == 1 and len(shape) == 1):
        wanted = "(n,) or (n, 1)" if columns == 1 else f"(n, {columns})"
        raise DataError(f"{name}: expected an array of shape {wanted}, found {shape}")
    if shape[0] == 0:
        raise DataError(f"{name}: the array has no rows")
    return header


def npy_header(path: str, columns: int) -> Header:
    """What a .npy file of real numbers, (n, columns) or (n,), says of itself (see ``read_numeric_header``)."""
    with opened(path) as file:
        return read_numeric_header(file, os.fstat(file.fileno()).st_size, columns, shown_path(path))


def npy_blocks(path: str, header: Header, rows: int) -> Iterator[Array]:
    """Consecutive rows of a .npy, of the array's own type.

    Raises:
        DataError: it cannot be read.
    """
    order: Literal["C", "F"] = "F" if header.fortran else "C"
    with opened(path) as file:
        for first in range(0, header.shape[0], rows):
            try:
                # Mapped anew for each block: what was read of an open map still counts as memory in use.
                mapped = np.memmap(file, header.dtype, "r", header.offset, header.shape, order)
            except OSError as error:
                raise cannot_be_read(shown_path(path), error) from error
            yield mapped[first : first + rows].copy()


def unpacked(archive: zipfile.ZipFile, header: Header, rows: int) -> Iterator[Array]:
    """An array of an archive from its first row to its last, ``rows`` at a time, unpacked as far as asked for.

    One whose columns follow on each other is unpacked as a whole.

    Raises:
        EOFError, ValueError: the data is cut off; zipfile's errors.
    """
    count, *rest = header.shape
    with archive.open(header.member) as stream:
        if len(stream.read(header.offset)) != header.offset:
            raise EOFError
        whole = _read(stream, header, header.shape, "F") if header.fortran and rest else None
        for first in range(0, count, rows):
            if whole is None:
                yield _read(stream, header, (min(rows, count - first), *rest), "C")
            else:
                yield whole[first : first + rows]


def _read(stream: IO[bytes], header: Header, shape: tuple[int, ...], order: Literal["C", "F"]) -> Array:
    values = np.empty(math.prod(shape), header.dtype)
    for first in range(0, values.nbytes, _PIECE):
        room = values.view(np.uint8).data[first : first + _PIECE]
        room[:] = stream.read(len(room))  # a ValueError where the data is cut off
    return values.reshape(shape, order=order)
