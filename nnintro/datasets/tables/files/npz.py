"""Read tables in .npz: each 1-D array is one column, each array of more dimensions several."""

from __future__ import annotations

import contextlib
import itertools
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nnintro.config.datasets.text_keys import composed
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.files.npy import Header, read_header, read_numeric_header, unpacked
from nnintro.datasets.tables.files.parquet_lists import indexed
from nnintro.datasets.tables.files.places import Places, check_names, opened, require_room, shown_path
from nnintro.errors import DataError, memory_for
from nnintro.wording import MOST_NAMED, quoted

if TYPE_CHECKING:
    import pyarrow as pa


_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, OSError,
    KeyError, TypeError, SyntaxError, tokenize.TokenError, struct.error,
)  # fmt: skip
"""What a damaged archive makes Python's and numpy's readers raise."""

MOST_COLUMNS = 1 << 20
"""That one array may become."""
_UNITS = {"M": ("D", "s", "ms", "us", "ns"), "m": ("s", "ms", "us", "ns")}
"""Of dates and durations that pyarrow knows."""


class ArraysTable:
    """An .npz (see ``files.Table``): an array `x` of (n, 3) is the columns x1, x2, x3; of (n, 9, 9) x[0,0], ...

    Arrays are unpacked when a column of theirs is asked for.

    Args:
        needed: columns or arrays; where arrays have different lengths, those of the first of these count.

    Raises:
        DataError: it cannot be read, or its arrays are not columns of one length.
    """

    is_in_memory = False

    def __init__(self, path: str, memory: float = math.inf, needed: Sequence[str] = ()) -> None:
        self.name = self.place = shown_path(path)
        self.has_header = True
        self._path, self._memory = path, memory
        self._columns: dict[str, tuple[Header, int]] = {}
        """Name -> its array, and which column of that it is."""
        self._unreadable: dict[str, str] = {}
        """Array that holds neither numbers nor text -> why it cannot be used; others may be without it."""
        self._unpacked: dict[str, Array] = {}
        """Arrays by their names."""
        self._needed: set[str] = set()
        self.places = Places(self.name)
        headers = self._headers()
        self.groups: dict[str, list[str]] = {}
        first = next((header for name in needed for header in headers if _holds(header, name)), None)
        alike = [header for header in headers if first is not None and header.shape[:1] == first.shape[:1]]
        for header in headers:
            if len(alike) < 2 or header in alike:
                self._add(header, alike[0] if len(alike) > 1 else headers[0])
            else:  # such as x_test beside x_train: no rows of this table
                self.groups[header.name] = []
        self._others = {header.name: header for header in headers if self.groups.get(header.name) == []}
        self._require_readable(needed)
        self.names = list(self._columns)
        if not self.names:
            raise DataError(f"{self.name}: the file has no columns")
        check_names(self.names, self.name)
        self.unnamed: list[str] = []
        self.rows = self._columns[self.names[0]][0].shape[0]
        if self.rows == 0:
            raise DataError(f"{self.name}: the file has no rows")

    def _headers(self) -> list[Header]:
        with self._archive() as archive:
            members = archive.namelist()
            counts = Counter(member.removesuffix(".npy") for member in members)
            for name, count in counts.items():
                if count > 1:
                    raise DataError(f"{self.name}: array {quoted(name)} is given more than once")
            headers = []
            for member in members:
                with self._reporting(member.removesuffix(".npy")):
                    headers.append(_header(archive, member))
        if not headers:
            raise DataError(f"{self.name}: the file has no arrays")
        return headers

    @contextlib.contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        with contextlib.ExitStack() as stack:
            with self._reporting():
                # What zipfile opens by itself stays open until the last of its streams is gone.
                file = stack.enter_context(opened(self._path))
                archive = stack.enter_context(zipfile.ZipFile(file))
            yield archive

    @contextlib.contextmanager
    def _reporting(self, name: str = "") -> Iterator[None]:
        """What is wrong with the file, or with one of its arrays."""
        try:
            with memory_for(f"the table {self.name}"):
                yield
        except _DAMAGED as error:
            where = f"array {quoted(name)}: " if name else ""
            raise DataError(f"{self.name}: {where}not readable as .npz") from error

    def _add(self, header: Header, first: Header) -> None:
        name, shape = header.name, header.shape
        named = f"{self.name}: array {quoted(name)}"
        if not shape:
            raise DataError(f"{named}: expected 1 dimension or more, got 0")
        if shape[0] != first.shape[0]:
            rows = f"{first.shape[0]:,} rows as {quoted(first.name)}"
            raise DataError(f"{named}: expected {rows}, got {shape[0]:,}")
        if math.prod(shape[1:]) > MOST_COLUMNS:
            raise DataError(
                f"{named}: expected at most {MOST_COLUMNS:,} numbers to a row, got {math.prod(shape[1:]):,}"
            )
        if kind := _unreadable(header):
            remedy = "save it as .astype(float) or .astype(str), or name it in exclude"
            self._unreadable[composed(name)] = f"{named}: expected numbers or text, got {kind}; {remedy}"
        names = _column_names(header) if kind is None else [composed(name)]
        for index, column in enumerate(names):
            if column in self._columns:
                raise DataError(f"{self.name}: column {quoted(column)} is given more than once")
            self._columns[column] = header, index
        if names != [composed(name)]:
            self.groups[composed(name)] = names

    def _require_readable(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self._unreadable:
                raise DataError(self._unreadable[name])

    def advice(self, name: str) -> str:
        """That an array has another length than the others."""
        other = self._others.get(name)
        if other is None:
            return ""
        length = other.shape[0] if other.shape else 1
        return f"; array {quoted(name)} has {length:,} rows, and the target has {self.rows:,}"

    def row_advice(self, row: int, cell: str) -> str:  # noqa: ARG002
        """None, for the same reason."""
        return ""

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:  # noqa: ARG002
        """Check that these columns fit; what is read is read when it is asked for."""
        self._require_readable(names)
        self._needed = set(names)
        arrays = {header.name: header for header, _ in map(self._columns.__getitem__, names)}
        require_room(self.name, sum(header.bytes for header in arrays.values()), self._memory)

    def type(self, name: str) -> pa.DataType:
        return self._arrow(name, np.empty(0, self._columns[name][0].dtype)).type

    def column(self, name: str) -> pa.ChunkedArray:
        import pyarrow as pa

        header, index = self._columns[name]
        if header.name not in self._unpacked:
            with self._archive() as archive, self._reporting(header.name):
                self._unpacked[header.name] = next(unpacked(archive, header, self.rows))
        array = self._unpacked[header.name]
        return pa.chunked_array([self._arrow(name, array.reshape(len(array), -1)[:, index])])

    def forget(self, name: str) -> None:
        """Columns of one array go together."""
        self._needed.discard(name)
        array = self._columns[name][0].name
        if not any(self._columns[other][0].name == array for other in self._needed):
            self._unpacked.pop(array, None)

    def blocks(self, block_rows: int) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """All columns, of the types that they have."""
        import pyarrow as pa

        columns = {name: column for name, column in self._columns.items() if name not in self._unreadable}
        headers = {header.name: header for header, _ in columns.values()}
        with self._archive() as archive:
            arrays_of = {name: unpacked(archive, header, block_rows) for name, header in headers.items()}
            for first in range(0, self.rows, block_rows):
                pieces = {}
                for name, array in arrays_of.items():
                    with self._reporting(name):
                        pieces[name] = next(array)
                # What cannot be read is empty.
                arrays = dict.fromkeys(self.names, pa.nulls(min(block_rows, self.rows - first)))
                for name, (header, index) in columns.items():
                    piece = pieces[header.name]
                    arrays[name] = self._arrow(name, piece.reshape(len(piece), -1)[:, index])
                batch = pa.RecordBatch.from_pydict(arrays)
                yield batch, self.places.behind(first)

    def _arrow(self, name: str, column: Array) -> pa.Array:
        import pyarrow as pa

        try:
            with memory_for(f"the table {self.name}"):
                return pa.array(_plain(column))
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            named = f"{self.name}: column {quoted(name)}"
            raise DataError(f"{named}: cells of type {column.dtype} are not readable") from error


def _unreadable(header: Header) -> str | None:
    """What an array holds that is neither numbers nor text."""
    if header.dtype.hasobject:
        return "pickled objects"
    return None if header.dtype.kind in "biufUMm" else str(header.dtype)


def _column_names(header: Header) -> list[str]:
    """Of the columns that an array becomes."""
    name, rest = composed(header.name), header.shape[1:]
    if math.prod(rest) == 1:
        return [name]
    if len(rest) == 1:
        return [f"{name}{number}" for number in range(1, rest[0] + 1)]
    return [indexed(name, index) for index in itertools.product(*map(range, rest))]


def _holds(header: Header, name: str) -> bool:
    """Whether it is the array of this name, or one of its columns is."""
    is_near = bool(header.shape) and name.startswith(composed(header.name))
    return is_near and (name == composed(header.name) or name in _column_names(header))


def _header(archive: zipfile.ZipFile, member: str) -> Header:
    """What an array says of itself; ValueError if it is of another size."""
    with archive.open(member) as stream:
        header = read_header(stream, member)
    size = archive.getinfo(member).file_size - header.offset
    if not header.dtype.hasobject and header.bytes != size:
        raise ValueError(f"an array of shape {header.shape} and {size} bytes")
    return header


def numbers_in(path: str, columns: Mapping[str, Sequence[str]]) -> dict[str, Array]:
    """Arrays of numbers by their names, checked before they are unpacked.

    Args:
        columns: name -> its columns: the shape is (n, columns), or (n,) where there is one.

    Raises:
        DataError: the file cannot be read, lacks one, or holds something else under its name.
    """
    file = shown_path(path)
    try:
        with memory_for(f"the arrays of {file}"), opened(path) as binary, zipfile.ZipFile(binary) as archive:
            # As numpy has it: a name, or the name with .npy behind it.
            there = {member.removesuffix(".npy"): member for member in archive.namelist()}
            for key in columns:
                if key not in there:
                    found = ", ".join(map(repr, list(there)[:MOST_NAMED])) or "nothing"
                    raise DataError(f"{file}: array {key!r} is missing; found {found}")
            return {key: _numbers(archive, there[key], len(names), f"{file}: {key}") for key, names in columns.items()}
    except _DAMAGED as error:
        # RuntimeError: encrypted, or packed in a way that this Python cannot unpack.
        raise DataError(f"{file}: not a readable .npz file") from error


def _numbers(archive: zipfile.ZipFile, member: str, columns: int, name: str) -> Array:
    with archive.open(member) as stream:
        size = archive.getinfo(member).file_size
        header = replace(read_numeric_header(stream, size, columns, name), member=member)
    return next(unpacked(archive, header, header.shape[0]))


def _plain(column: Array) -> Array:
    """The same values in a type that pyarrow knows."""
    kind = column.dtype.kind
    if kind in "Mm":
        unit, count = np.datetime_data(column.dtype)
        if count != 1 or unit not in _UNITS[kind]:
            return column.astype(f"{kind}8[us]")
    if not column.dtype.isnative:
        column = column.astype(column.dtype.newbyteorder("="))
    if kind == "f" and column.dtype.itemsize > 8:
        return column.astype(np.float64)
    return column
