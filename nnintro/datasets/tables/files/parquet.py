"""Read tables in Parquet with pyarrow: column by column to train, in blocks to predict."""

from __future__ import annotations

import contextlib
import math
import re
import weakref
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from nnintro.datasets.tables.cells import is_text
from nnintro.datasets.tables.files.parquet_lists import (
    Element,
    element_of,
    element_type,
    elements,
    is_list,
    require_shape,
)
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

    Args:
        needed: columns; lists of which none is needed stay lists. By default all may be.

    Raises:
        DataError: it cannot be read, is not Parquet, or its columns have no names of their own.
    """

    is_in_memory = False

    def __init__(self, path: str, memory: float = math.inf, needed: Collection[str] = ()) -> None:
        import pyarrow.parquet

        self.name = self.place = shown_path(path)
        self.has_header = True
        file = opened(path)
        weakref.finalize(self, file.close)  # pyarrow leaves it open
        with self._reporting():
            metadata = pyarrow.parquet.ParquetFile(file).metadata
            self._schema = _without_views(metadata.schema.to_arrow_schema())
            texts = [field.name for field in self._schema if _is_spelled(field.type)]
            # A text that a thousand rows share is there once, and is spelled out when its size is known.
            self._file = pyarrow.parquet.ParquetFile(file, metadata=metadata, read_dictionary=texts)
            self._elements = self._found_elements(needed)
        self.groups = {name: [element.name for element in of_list] for name, of_list in self._elements.items()}
        """Column of lists -> the columns that it becomes."""
        self._of_lists = {element.name: element for of_list in self._elements.values() for element in of_list}
        self.names = [one for name in self._schema.names for one in self.groups.get(name, [name])]
        check_names(self.names, self.name)
        self._lists: dict[str, pa.ChunkedArray] = {}
        self._needed: set[str] = set()
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

    def _found_elements(self, needed: Collection[str]) -> dict[str, list[Element]]:
        """Of the columns that hold lists of numbers; where some are needed, only of these."""
        lists = [field.name for field in self._schema if is_list(field.type) and _is_number(element_type(field.type))]
        every = {name: elements(self._file, name) for name in lists}
        wanted = set(needed)
        return {
            name: found
            for name, found in every.items()
            if found and (not wanted or any(element.name in wanted for element in found))
        }

    def _source(self, name: str) -> str:
        """The file's column that holds one of the ``names``."""
        return self._of_lists[name].source if name in self._of_lists else name

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:  # noqa: ARG002
        """Check that these columns can be used; what is read is read when it is asked for."""
        if self.rows == 0:
            raise DataError(f"{self.name}: the file has no rows")
        self._needed = set(names)
        sources = {self._source(name) for name in names}
        require_room(self.name, max(self._unpacked(sources), CELL * self.rows * len(names)), self._memory)
        for name in names:
            self._check_type(name, self.type(name))

    def _unpacked(self, names: Collection[str]) -> int:
        """Bytes of these columns, as the file says; values that repeat are one there, and many in memory."""
        data = self._file.metadata

        def named(path: str) -> bool:
            return path in names or path.partition(".list.")[0] in names

        groups = map(data.row_group, range(data.num_row_groups))
        columns = (group.column(index) for group in groups for index in range(group.num_columns))
        return sum(column.total_uncompressed_size for column in columns if named(column.path_in_schema))

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
        kind = self._schema.field(self._source(name)).type
        return element_type(kind) if name in self._of_lists else kind

    def column(self, name: str) -> pa.ChunkedArray:
        element = self._of_lists.get(name)
        if element is None:
            return self._read(name)
        if element.source not in self._lists:
            lists = self._read(element.source)
            require_shape(lists, element, self.places)
            self._lists[element.source] = lists
        return element_of(self._lists[element.source], element)

    def _read(self, name: str) -> pa.ChunkedArray:
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
        """Only lists are kept, until none of their columns is needed."""
        self._needed.discard(name)
        if name in self._of_lists and not any(self._source(other) == self._source(name) for other in self._needed):
            self._lists.pop(self._source(name), None)

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
                yield self._with_elements(spelled, places), places
                places = places.behind(part.num_rows)
        if places.first == 0:
            raise DataError(f"{self.name}: the file has no rows")

    def _with_elements(self, batch: pa.RecordBatch, places: Places) -> pa.RecordBatch:
        """The batch with the columns that its lists become in place of them."""
        import pyarrow as pa

        if not self._elements:
            return batch
        columns = []
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            of_list = self._elements.get(name, [])
            if of_list:
                require_shape(cells, of_list[0], places)
            columns += [element_of(cells, element) for element in of_list] or [cells]
        return pa.RecordBatch.from_arrays(columns, names=self.names)

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


def _without_views(schema: pa.Schema) -> pa.Schema:
    """The schema with texts of the kinds that pyarrow casts from dictionaries: its views it does not."""
    import pyarrow as pa
    from pyarrow import types

    fields = [
        field.with_type(pa.string() if types.is_string_view(field.type) else pa.binary())
        if types.is_string_view(field.type) or types.is_binary_view(field.type)
        else field
        for field in schema
    ]
    return pa.schema(fields, schema.metadata)


def _is_number(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


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
