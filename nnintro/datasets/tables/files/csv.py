"""Tables in text (CSV, TSV), read by pyarrow: all at once to train, in blocks to predict."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nnintro.datasets.tables.cells import MISSING
from nnintro.datasets.tables.files.csv_layout import Layout, read_layout
from nnintro.datasets.tables.files.places import Places
from nnintro.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.csv


BLOCK_BYTES = 1 << 20
"""Of text that is read at a time; no row may be longer."""


class TextTable:
    """A CSV or TSV (see ``source.Table``).

    Raises:
        ConfigError: there is no such encoding.
        DataError: it cannot be read, is no text, or has no usable header.
    """

    def __init__(self, path: str, encoding: str, delimiter: str | None) -> None:
        self.layout = read_layout(path, encoding, delimiter)
        self.name, self.names = self.layout.name, self.layout.names
        self.place = f"{self.name}:{self.layout.header_lines}"
        self.places = Places(self.name, partial(place_of, self.layout))
        self._columns: dict[str, pa.ChunkedArray] = {}
        self.rows = 0

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:
        """Read these columns, their types seen from their cells but for those ``as_text``."""
        import pyarrow as pa
        import pyarrow.csv

        self._check_quotes()
        given = {name: pa.string() for name in as_text}
        with self._reporting():
            try:
                table = self._read(names, {**self._seen(names, given), **given})
            except pa.ArrowInvalid:  # a later cell is of another type, or the file is no table
                table = self._read(names, given)
        self.rows = table.num_rows
        if self.rows == 0:
            raise no_rows(self.name)
        self._columns = dict(zip(table.column_names, table.columns, strict=True))

    def _seen(
        self, names: Sequence[str], given: Mapping[str, pa.DataType]
    ) -> dict[str, pa.DataType]:
        """Types of the columns in the first block of text.

        Where types are open to the end, pyarrow keeps the whole text until then.
        """
        import pyarrow as pa
        import pyarrow.csv

        with pyarrow.csv.open_csv(
            self._file(), self._reading(), self._parsing(), _converting(names, given)
        ) as reader:
            return {
                field.name: field.type
                for field in reader.schema
                if not pa.types.is_null(field.type)
            }

    def _read(self, names: Sequence[str], known: Mapping[str, pa.DataType]) -> pa.Table:
        import pyarrow.csv

        return pyarrow.csv.read_csv(
            self._file(), self._reading(), self._parsing(), _converting(names, known)
        )

    def column(self, name: str) -> pa.ChunkedArray:
        return self._columns[name]

    def forget(self, name: str) -> None:
        """Give the column's memory back."""
        self._columns.pop(name, None)

    def blocks(self, block_rows: int) -> Iterator[pa.RecordBatch]:
        """All columns, every cell as the text that it is."""
        import pyarrow as pa
        import pyarrow.csv

        convert = pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in self.names}, strings_can_be_null=False
        )
        found = False
        self._check_quotes()
        with self._reporting():
            reader = pyarrow.csv.open_csv(self._file(), self._reading(), self._parsing(), convert)
        while True:
            with self._reporting():
                batch = next(reader, None)
            if batch is None:
                break
            for first in range(0, batch.num_rows, block_rows):
                found = True
                yield batch.slice(first, block_rows)
        if not found:
            raise no_rows(self.name)

    def _check_quotes(self) -> None:
        """pyarrow closes the last quote of a file silently."""
        if self.layout.quotes % 2 and (fault := fault_of(self.layout)):
            raise fault

    def _file(self) -> pa.NativeFile:
        import pyarrow as pa

        path = self.layout.path
        return pa.input_stream(path, compression="gzip" if path.lower().endswith(".gz") else None)

    def _reading(self) -> pyarrow.csv.ReadOptions:
        import pyarrow.csv

        layout = self.layout
        return pyarrow.csv.ReadOptions(
            column_names=layout.names,
            skip_rows=layout.header_lines,
            # pyarrow takes the mark at the beginning off by itself.
            encoding="utf-8" if layout.encoding == "utf-8-sig" else layout.encoding,
            block_size=BLOCK_BYTES,
        )

    def _parsing(self) -> pyarrow.csv.ParseOptions:
        import pyarrow.csv

        return pyarrow.csv.ParseOptions(
            delimiter=self.layout.delimiter,
            newlines_in_values=self.layout.quotes > 0,
            invalid_row_handler=_skip_blank,
        )

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """What pyarrow finds wrong, told with its line."""
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, UnicodeError, OSError, MemoryError) as error:
            reason = (str(error) or "out of memory").splitlines()[0]
            if "straddling" in reason:
                reason = f"a row of more than {BLOCK_BYTES:,} bytes; is a quote not closed?"
            told = DataError(f"{self.name}: not readable as CSV: {reason}")
            raise fault_of(self.layout) or told from error


def _skip_blank(row: Any) -> str:
    return "error" if row.text.strip() else "skip"


def _converting(
    names: Sequence[str], known: Mapping[str, pa.DataType]
) -> pyarrow.csv.ConvertOptions:
    import pyarrow.csv

    return pyarrow.csv.ConvertOptions(
        include_columns=list(names),
        column_types=dict(known),
        null_values=sorted(MISSING),
        strings_can_be_null=True,
        true_values=["true", "True", "TRUE"],
        false_values=["false", "False", "FALSE"],
    )


class _UnreadableError(Exception):
    """The csv module stopped at a row."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def place_of(layout: Layout, row: int) -> str:
    """``prices.csv:17``: where the row (from 0, the header not counted) begins."""
    try:
        for index, (line, _) in enumerate(_rows(layout, strict=False)):
            if index == row:
                return f"{layout.name}:{line}"
    except _UnreadableError:
        pass  # the row is beyond what the csv module reads; its number still says where it is
    return f"{layout.name}: row {row + 1:,}"


def fault_of(layout: Layout) -> DataError | None:
    """The first thing that makes the file no table, with its line; None if it is one."""
    wanted = len(layout.names)
    found = False
    try:
        for line, row in _rows(layout, strict=True):
            found = True
            if len(row) != wanted:
                cells = "1 cell" if wanted == 1 else f"{wanted:,} cells"
                return DataError(f"{layout.name}:{line}: expected {cells}, found {len(row):,}")
    except _UnreadableError as error:
        return DataError(f"{layout.name}:{error.line}: {error}")
    return None if found else no_rows(layout.name)


def no_rows(name: str) -> DataError:
    return DataError(f"{name}: there are no rows below the header")


def _rows(layout: Layout, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header that are not blank, each with the line that it begins on."""
    with layout.lines() as text:
        for _ in range(layout.header_lines):
            text.readline()
        reader = csv.reader(text, delimiter=layout.delimiter, strict=strict)
        line = layout.header_lines + 1
        try:
            for row in reader:
                if not _is_blank(row, len(layout.names)):
                    yield line, row
                line = layout.header_lines + reader.line_num + 1
        except csv.Error as error:
            raise _UnreadableError(line, explanation(error)) from error


def _is_blank(row: list[str], columns: int) -> bool:
    """An empty line; one of blanks too, where it cannot be the cell of an only column."""
    return not row or (columns > 1 and len(row) == 1 and row[0].isspace())


def explanation(error: csv.Error) -> str:
    """What the csv module says, in words that name the mistake."""
    text = str(error)
    if "field larger" in text:
        return f"a cell of more than {csv.field_size_limit():,} characters; is a quote not closed?"
    if "unexpected end of data" in text:
        return "a quote is opened here and never closed"
    if "expected after" in text:
        return "text behind a closing quote; a quote within quotes is written twice"
    return f"not readable as CSV: {text}"
