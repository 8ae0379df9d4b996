"""Read tables in Parquet with pyarrow: column by column to train, in blocks to predict."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from nnintro.datasets.tables.cells import is_text
from nnintro.datasets.tables.files.places import Places, check_names, shown_path
from nnintro.errors import DataError
from nnintro.wording import LONGEST, quoted

if TYPE_CHECKING:
    import pyarrow as pa


class ParquetTable:
    """A Parquet file (see ``files.Table``).

    Raises:
        DataError: it cannot be read, is not Parquet, or its columns have no names of their own.
    """

    def __init__(self, path: str) -> None:
        import pyarrow.parquet

        self.name = self.place = shown_path(path)
        with self._reporting():
            self._file = pyarrow.parquet.ParquetFile(path)
            self._schema = self._file.schema_arrow
        self.names = list(self._schema.names)
        check_names(self.names, self.name)
        self.rows = self._file.metadata.num_rows
        self.places = Places(self.name)

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:  # noqa: ARG002
        """Check that these columns can be used; what is read is read when it is asked for."""
        if self.rows == 0:
            raise DataError(f"{self.name}: the file has no rows")
        for name in names:
            self._check_type(name, self._schema.field(name).type)

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
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                self._check_text(name, column)
            yield batch, places
            places = places.behind(batch.num_rows)
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
            yield
        except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
            reason = (str(error) or "out of memory").splitlines()[0]
            raise DataError(f"{self.name}: not readable as Parquet: {reason}") from error
