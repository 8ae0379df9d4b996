"""Read tables in Parquet with pyarrow: column by column to train, in blocks to predict."""

from __future__ import annotations

import contextlib
import math
import re
import weakref
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from nnintro.datasets.tables.cells import is_text
from nnintro.datasets.tables.files.places import CELL, Places, check_names, opened, require_room, shown_path
from nnintro.errors import DataError, memory_for
from nnintro.wording import LONGEST, cause, quoted

if TYPE_CHECKING:
    import pyarrow as pa


LARGEST_PART = 1 << 26
"""Bytes of the rows that are spelled out together."""


INDEX = re.compile(r"__index_level_\d+__", re.ASCII)
"""What pandas calls an index without a name."""


class ParquetTable:
    """A Parquet file (see ``files.Table``).

    Raises:
        DataError: it cannot be read, is not Parquet, or its columns have no names of their own.
    """

    def __init__(self, path: str, memory: float = math.inf) -> None:
        import pyarrow.parquet

        self.name = self.place = shown_path(path)
        self.has_header = True
        file = opened(path)
        weakref.finalize(self, file.close)  # pyarrow leaves it open
        with self._reporting():
            metadata = pyarrow.parquet.ParquetFile(file).metadata
            self._schema = metadata.schema.to_arrow_schema()
            texts = [field.name for field in self._schema if _is_spelled(field.type)]
            # A text that a thousand rows share is there once, and is spelled out when its size is known.
            self._file = pyarrow.parquet.ParquetFile(file, metadata=metadata, read_dictionary=texts)
        self.names = list(self._schema.names)
        check_names(self.names, self.name)
        self.unnamed = [name for name in self.names if INDEX.fullmatch(name)]
        self.rows = self._file.metadata.num_rows
        self.places = Places(self.name)
        self._memory = memory

    def advice(self, name: str) -> str:  # noqa: ARG002
        """None: these files say what their columns are."""
        return ""

    def row_advice(self, row: int, cell: str) -> str:  # noqa: ARG002
        """None, for the same reason."""
        return ""

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:  # noqa: ARG002
        """Check that these columns can be used; what is read is read when it is asked for."""
        if self.rows == 0:
            raise DataError(f"{self.name}: the file has no rows")
        require_room(self.name, max(self._unpacked(names), CELL * self.rows * len(names)), self._memory)
        for name in names:
            self._check_type(name, self._schema.field(name).type)

    def _unpacked(self, names: Sequence[str]) -> int:
        """Bytes of these columns, as the file says; values that repeat are one there, and many in memory."""
        data = self._file.metadata
        groups = map(data.row_group, range(data.num_row_groups))
        columns = (group.column(index) for group in groups for index in range(group.num_columns))
        return sum(column.total_uncompressed_size for column in columns if column.path_in_schema in names)

    def _check_type(self, name: str, kind: pa.DataType) -> None:
        """A column holds numbers, truth values, dates or text."""
        from pyarrow import types

        inner = kind.value_type if types.is_dictionary(kind) else kind
        plain = (
            types.is_integer(inner) or types.is_floating(inner) or types.is_boolean(inner)
            or types.is_decimal(inner) or types.is_null(inner) or is_text(inner)
            or (types.is_temporal(inner) and not types.is_interval(inner))
        )  # fmt: skip
        if not plain:
            raise DataError(
                f"{self.name}: column {quoted(name)}: expected numbers, truth values, dates or text, "
                f"got cells of type {str(kind)[:LONGEST]}; name it in exclude"
            )

    def type(self, name: str) -> pa.DataType:
        return self._schema.field(name).type

    def column(self, name: str) -> pa.ChunkedArray:
        with self._reporting():
            found = self._file.read(columns=[name]).column(0)
            require_room(self.name, sum(map(_spelled_size, found.chunks)), self._memory)
            found = found.cast(self._schema.field(name).type)
        self._check_text(name, found)
        if len(found) != self.rows:
            message = f"column {quoted(name)} has {len(found):,} of {self.rows:,} rows"
            raise DataError(f"{self.name}: not readable as Parquet: {message}")
        return found

    def forget(self, name: str) -> None:
        """Nothing is kept."""

    def blocks(self, block_rows: int) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """All columns, of the types that they have."""
        with self._reporting():
            batches = self._file.iter_batches(block_rows)
        places = self.places
        while True:
            with self._reporting():
                batch = next(batches, None)
            if batch is None:
                break
            for part in _parts(batch):
                with self._reporting():
                    spelled = part.cast(self._schema)
                for name, column in zip(spelled.schema.names, spelled.columns, strict=True):
                    self._check_text(name, column)
                yield spelled, places
                places = places.behind(part.num_rows)
        if places.first == 0:
            raise DataError(f"{self.name}: the file has no rows")

    def _check_text(self, name: str, column: pa.ChunkedArray | pa.Array) -> None:
        """Bytes that are said to be text have to be; pyarrow itself does not look."""
        import pyarrow as pa

        try:
            column.validate(full=True)
        except pa.ArrowException as error:
            message = "text that is not UTF-8" if "UTF8" in str(error) else "damaged cells"
            raise DataError(f"{self.name}: column {quoted(name)}: {message}") from error

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        import pyarrow as pa

        try:
            with memory_for(f"the table {self.name}"):
                yield
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DataError(f"{self.name}: not readable as Parquet: {cause(error)}") from error


def _is_spelled(kind: pa.DataType) -> bool:
    """Whether cells are texts or bytes, each written out."""
    from pyarrow import types

    return bool(is_text(kind) or types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def _spelled_size(column: pa.Array) -> int:
    """Bytes of a column with every text written out."""
    import pyarrow.compute as pc
    from pyarrow import types

    if not types.is_dictionary(column.type) or not _is_spelled(column.type.value_type):
        return int(column.nbytes)
    return pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The rows in order, in halves of halves where their texts would fill memory."""
    if batch.num_rows < 2 or sum(map(_spelled_size, batch.columns)) <= LARGEST_PART:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _parts(batch.slice(0, half))
    yield from _parts(batch.slice(half))
