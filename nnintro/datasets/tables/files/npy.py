"""The arrays of an .npz: what their headers say, and their numbers, a piece at a time."""

from __future__ import annotations

import io
import math
import zipfile
from dataclasses import dataclass
from typing import IO, Any, Literal

import numpy as np

from nnintro.datasets.tables.cells import Array

_LONGEST_HEADER = 1 << 16

_PIECE = 1 << 20
"""Bytes that are unpacked at a time."""


@dataclass(frozen=True)
class Header:
    """An array of an archive, before it is unpacked."""

    member: str
    shape: tuple[int, ...]
    fortran: bool
    """Whether column follows on column."""
    dtype: np.dtype[Any]
    offset: int
    """Where its numbers begin."""

    @property
    def name(self) -> str:
        return self.member.removesuffix(".npy")


def read_header(archive: zipfile.ZipFile, member: str) -> Header:
    """What a .npy says of itself; nothing of it is ever executed.

    Raises:
        ValueError: it is no .npy, or of another size than it says; numpy's and zipfile's errors.
    """
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    with archive.open(member) as stream:
        start = io.BytesIO(stream.read(_LONGEST_HEADER))  # one may say that it is 4 GiB long
    version = np.lib.format.read_magic(start)
    shape, fortran, dtype = readers[version](start)
    found = Header(member, shape, fortran, dtype, start.tell())
    size = archive.getinfo(member).file_size - found.offset
    if not dtype.hasobject and math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"an array of shape {shape} and {size} bytes")
    return found


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
