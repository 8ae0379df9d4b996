"""Tables in .npz: each array a column, or several where it has two dimensions."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.layout import check_names
from nnintro.datasets.tables.places import Places, cannot_be_read, quoted, shown_path
from nnintro.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, OSError,
    KeyError, TypeError, SyntaxError, tokenize.TokenError, struct.error, MemoryError,
)  # fmt: skip
"""What a damaged archive makes Python's and numpy's readers raise."""


class ArraysTable:
    """An .npz (see ``source.Table``); a 2-D array `inputs` is the columns inputs1, inputs2, ...

    Raises:
        DataError: it cannot be read, or its arrays are no columns of one length.
    """

    def __init__(self, path: str) -> None:
        self.name = self.place = shown_path(path)
        self._columns: dict[str, Array] = {}
        self.places = Places(self.name, self._place)
        for name, array in self._read(path).items():
            self._add(name, array)
        self.names = list(self._columns)
        check_names(self.names, self.name)
        self.rows = len(next(iter(self._columns.values())))
        if self.rows == 0:
            raise DataError(f"{self.name}: there are no rows")

    def _read(self, path: str) -> dict[str, Array]:
        try:
            file = open(path, "rb")  # noqa: PTH123, SIM115
        except OSError as error:
            raise cannot_be_read(self.name, error) from error
        arrays: dict[str, Array] = {}
        name = ""
        with file:
            try:
                with zipfile.ZipFile(file) as archive:
                    members = archive.namelist()
                    for member in members:
                        name = member.removesuffix(".npy")
                        with archive.open(member) as stream:
                            arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
            except _DAMAGED as error:
                if "allow_pickle" in str(error):
                    told = "expected numbers or text, got pickled objects"
                    raise DataError(f"{self.name}: array {quoted(name)}: {told}") from error
                where = f"array {quoted(name)}: " if name else ""
                raise DataError(f"{self.name}: {where}not readable as .npz") from error
        if not arrays:
            raise DataError(f"{self.name}: there are no arrays")
        return arrays

    def _add(self, name: str, array: Array) -> None:
        named = f"{self.name}: array {quoted(name)}"
        if array.ndim not in (1, 2):
            raise DataError(f"{named}: expected 1 or 2 dimensions, got {array.ndim}")
        if array.dtype.kind not in "biufUMm":
            raise DataError(f"{named}: expected numbers or text, got {array.dtype}")
        known = next(iter(self._columns.values()), array)
        if len(known) != len(array):
            first = quoted(next(iter(self._columns)))
            raise DataError(f"{named}: expected {len(known):,} rows as {first}, got {len(array):,}")
        if array.ndim == 1:
            self._put(name, array)
            return
        width = array.shape[1]
        for index in range(width):
            self._put(name if width == 1 else f"{name}{index + 1}", array[:, index])

    def _put(self, name: str, column: Array) -> None:
        if name in self._columns:
            raise DataError(f"{self.name}: column {quoted(name)} is given more than once")
        self._columns[name] = column

    def _place(self, row: int) -> str:
        return f"{self.name}: row {row + 1:,}"

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:
        """All is there already."""

    def column(self, name: str) -> pa.ChunkedArray:
        import pyarrow as pa

        return pa.chunked_array([_arrow(self._columns[name])])

    def forget(self, name: str) -> None:
        """Columns of one array go together, if at all."""

    def blocks(self, block_rows: int) -> Iterator[pa.RecordBatch]:
        """All columns, of the types that they have."""
        import pyarrow as pa

        for first in range(0, self.rows, block_rows):
            rows = slice(first, first + block_rows)
            arrays = [_arrow(column[rows]) for column in self._columns.values()]
            yield pa.RecordBatch.from_arrays(arrays, names=self.names)


def _arrow(column: Array) -> pa.Array:
    import pyarrow as pa

    if column.dtype.kind in "Mm" and np.datetime_data(column.dtype)[0] not in ("D", "s", "ms"):
        column = column.astype(f"{column.dtype.kind}8[us]")
    elif column.dtype.kind == "m":
        column = column.astype("m8[us]")
    if column.dtype.kind in "fiu" and not column.dtype.isnative:
        column = column.astype(column.dtype.newbyteorder("="))
    if column.dtype.kind == "f" and column.dtype.itemsize > 8:
        column = column.astype(np.float64)
    return pa.array(column)
