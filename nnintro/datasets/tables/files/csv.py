"""Read tables in text (CSV, TSV) with pyarrow: all columns of it to train, in blocks to predict."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nnintro.config.datasets.text_keys import NOTHING_SAID, WHITESPACE, TextKeys
from nnintro.datasets.tables.cells import MISSING
from nnintro.datasets.tables.files.csv_advice import FOOTERS, advice, fault_advice
from nnintro.datasets.tables.files.csv_columns import OtherTypesError, joined, may_be_odd
from nnintro.datasets.tables.files.csv_layout import Layout, cells_of, read_layout
from nnintro.datasets.tables.files.csv_lines import LONGEST_ROW
from nnintro.datasets.tables.files.csv_rows import Piece, PieceFile, larger, place_of
from nnintro.datasets.tables.files.places import CELL, Places, opened, require_room
from nnintro.datasets.tables.files.text import STDIN, TextFile
from nnintro.errors import DataError, memory_for
from nnintro.wording import cause, counted

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.csv


SHORTEST_PIECE, LONGEST_PIECE, BYTES_OF_A_COLUMN = 1 << 21, 1 << 25, 1 << 9
"""Of text that is read at once; more where there are many columns."""
_ODD = r"^\s*[+-]?(0[xX]|[nN][aA][nN]\(|\d{16,}\s*$)"
"""Cells that pyarrow takes for numbers and nothing else here does: 0x10 and nan(1).  Of whole numbers beyond
int64 it keeps what float64 can hold, and ids are compared digit by digit."""


class CsvTable:
    """A CSV or TSV (see ``files.Table``), read from its beginning once: by ``load`` or ``blocks``.

    Args:
        keys, wanted, positional: see ``csv_layout.read_layout``.
        memory: MiB that ``load`` may take.
        only_whole: see ``open_table``.

    Raises:
        DataError: it cannot be read, is not text, or has no usable header.
    """

    is_in_memory = True

    def __init__(
        self,
        file: TextFile,
        keys: TextKeys = NOTHING_SAID,
        wanted: Sequence[str] = (),
        *,
        positional: bool = False,
        memory: float = math.inf,
        only_whole: bool = False,
    ) -> None:
        self._file, self._keys, self._asked = file, keys, (wanted, positional)
        self.layout, self._pieces = self._opened()
        self.name, self.names, self.unnamed = file.name, self.layout.names, self.layout.unnamed
        self.has_header = self.layout.has_header
        self.groups: dict[str, list[str]] = {}
        self.place = f"{self.name}:{self.layout.line}"
        # The file is read anew to find a row's line.
        self.places = Places(self.name, lambda row: place_of(row, self._opened()[1], self.name, len(self.names)))
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._has_quotes = self._has_returns = self._has_odd = False
        self._memory, self._only_whole = memory, only_whole
        self.rows = 0

    def _opened(self) -> tuple[Layout, Iterator[Piece]]:
        wanted, positional = self._asked
        return read_layout(self._file, self._keys, wanted, positional=positional)

    def advice(self, name: str) -> str:
        return "" if self._keys.names else advice(self._file, self._keys, self.layout, name)

    def left_out(self) -> Iterator[tuple[str, list[str]]]:
        """Places and cells of the lines that ``skip_rows`` and ``skip_footer`` have left out up to here."""
        for number, line in self.layout.left_out:
            text = line.decode(errors="replace")
            cells = text.split() if self._keys.delimiter == WHITESPACE else cells_of(text, self.layout.delimiter)
            yield f"{self.name}: a line at its end" if number is None else f"{self.name}:{number}", cells

    def row_advice(self, row: int, cell: str) -> str:
        if row == 0 and self._keys.header is None and not self._keys.skip_lines:
            line = self.places.at(row).rpartition(":")[2]
            return f"; if it is a unit or the like, add skip_rows: [{line}]"
        is_footer = row == self.rows - 1 and cell.strip().lower().startswith(FOOTERS)
        return "; if it is of a footer, add skip_footer: 1" if is_footer else ""

    def blocks(self, block_rows: int) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """All columns, every cell as the text that it is."""
        found = False
        # For each column of a piece pyarrow takes some time, whatever its rows: a piece should have hundreds,
        # but what somebody sends is answered as it comes.
        size = 0 if self._file.path == STDIN else min(LONGEST_PIECE, BYTES_OF_A_COLUMN * len(self.names))
        for piece in larger(self._pieces, size):
            places = Places(self.name, partial(place_of, pieces=[piece], name=self.name, columns=len(self.names)))
            for batch in self._as_texts(piece).to_batches(max_chunksize=block_rows):
                found = True
                yield batch, places
                places = places.behind(batch.num_rows)
        if not found:
            raise self._no_rows()

    def _as_texts(self, piece: Piece) -> pa.Table:
        import pyarrow as pa
        import pyarrow.csv

        convert = pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in self.names},
            strings_can_be_null=False,
            check_utf8=False,  # it was decoded before
        )
        with self._reporting(iter([piece])):
            return self._parsed(piece, convert)

    def _parsed(self, piece: Piece, convert: pyarrow.csv.ConvertOptions) -> pa.Table:
        import pyarrow as pa
        import pyarrow.csv

        # One block, whatever its length: the whole rows of a piece are known already.
        read = pyarrow.csv.ReadOptions(column_names=self.names, block_size=len(piece.text) + 1, use_threads=False)
        return pyarrow.csv.read_csv(pa.BufferReader(piece.text), read, self._parsing(quotes=piece.has_quotes), convert)

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:
        """Read these columns, their types seen from their cells but for those ``as_text``."""
        import pyarrow as pa

        given = {name: pa.string() for name in as_text}
        pieces = self._looked_over(len(names))
        with self._reporting():
            try:
                table = self._joined(pieces, names, given)
            except (OtherTypesError, pa.ArrowInvalid):
                # The types are those of all cells, or it is no CSV.  What is wrong with the text is said before that.
                deque(pieces, maxlen=0)
                table = self._read(names, given)
            if odd := [name for name in names if may_be_odd(table.column(name), self._has_odd)]:
                table = self._with_odd_as_text(table, odd)
        self.rows = table.num_rows
        if self.rows == 0:
            raise self._no_rows()
        self._columns = dict(zip(table.column_names, table.columns, strict=True))

    def _joined(self, pieces: Iterator[Piece], names: Sequence[str], given: dict[str, pa.DataType]) -> pa.Table:
        larger_ones = larger(pieces, min(LONGEST_PIECE, max(SHORTEST_PIECE, BYTES_OF_A_COLUMN * len(self.names))))
        first = next(larger_ones, None)
        if first is None:
            raise self._no_rows()
        return joined(
            itertools.chain([first], larger_ones),
            lambda piece, types: self._parsed(piece, self._converting(names, types)),
            given,
            self._file.size,
        )

    def _looked_over(self, columns: int) -> Iterator[Piece]:
        """The pieces from the first with a row on, checked as pyarrow would not: encoding, quotes, long rows, size."""
        found = False
        size, first = 0, self.layout.line
        for piece in self._pieces:
            text = piece.text
            size += len(text)
            lines = piece.line - first + text.count(b"\n")
            require_room(self.name, max(size, CELL * columns * lines), self._memory)
            self._has_quotes = self._has_quotes or piece.has_quotes
            self._has_returns = self._has_returns or b"\r" in text
            found = found or not text.isspace()
            if found:
                yield piece
            # A copy in lower case only where there may be one: most files hold neither letter.
            if not self._has_odd and (b"x" in text or b"X" in text or b"(" in text):
                text = text.lower()
                self._has_odd = b"0x" in text or b"nan(" in text

    def _read(self, names: Sequence[str], known: Mapping[str, pa.DataType]) -> pa.Table:
        """The whole file at once, by pyarrow alone, which keeps the text of columns whose types are not known."""
        import pyarrow.csv

        with self._text() as text:
            return pyarrow.csv.read_csv(
                text, self._reading(), self._parsing(quotes=self._has_quotes), self._converting(names, known)
            )

    @property
    def _by_pieces(self) -> bool:
        r"""Whether pyarrow gets whole rows alone: of a \r\n in quotes it loses the \n where a block ends between."""
        return self._keys.changes_lines or (self._has_quotes and self._has_returns)

    @contextlib.contextmanager
    def _text(self) -> Iterator[pa.NativeFile]:
        """The file for pyarrow, which would open a pipe and wait."""
        import pyarrow as pa

        if self._by_pieces:
            yield pa.PythonFile(PieceFile(self._opened()[1]), mode="r")
            return
        with opened(self._file.path) as file:
            text = pa.PythonFile(file, mode="r")
            yield pa.CompressedInputStream(text, "gzip") if self._file.path.lower().endswith(".gz") else text

    def _reading(self) -> pyarrow.csv.ReadOptions:
        import pyarrow.csv

        reading = pyarrow.csv.ReadOptions(column_names=self.names, block_size=2 * LONGEST_ROW)
        if not self._by_pieces:
            reading.skip_rows = self.layout.skipped_lines
            # pyarrow takes the BOM off by itself.
            reading.encoding = self._file.encoding.removesuffix("-sig")
            # What is skipped has to end in the first block.
            reading.block_size = max(2 * LONGEST_ROW, 2 * self.layout.skipped_bytes)
        return reading

    def _converting(self, names: Sequence[str], known: Mapping[str, pa.DataType]) -> pyarrow.csv.ConvertOptions:
        import pyarrow.csv

        return pyarrow.csv.ConvertOptions(
            include_columns=list(names),
            column_types=dict(known),
            null_values=sorted(MISSING),
            strings_can_be_null=True,
            true_values=["true", "True", "TRUE"],
            false_values=["false", "False", "FALSE"],
            # A mark that no cell has leaves 1.5 as the text that it is.
            decimal_point="\x01" if self._only_whole else ".",
        )

    def _with_odd_as_text(self, table: pa.Table, numbers: Sequence[str]) -> pa.Table:
        """Columns of numbers that hold such a cell become text, as they are where they are read."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.csv

        as_text = dict.fromkeys(numbers, pa.string())
        texts = self._read(numbers, as_text)
        for name, column in zip(texts.column_names, texts.columns, strict=True):
            if pc.any(pc.match_substring_regex(column, _ODD)).as_py():
                table = table.set_column(table.column_names.index(name), name, column)
        return table

    def type(self, name: str) -> pa.DataType:
        return self._columns[name].type

    def column(self, name: str) -> pa.ChunkedArray:
        return self._columns[name]

    def forget(self, name: str) -> None:
        """Give the column's memory back."""
        import pyarrow as pa

        if self._columns.pop(name, None) is not None:
            pa.default_memory_pool().release_unused()

    def _parsing(self, *, quotes: bool) -> pyarrow.csv.ParseOptions:
        import pyarrow.csv

        return pyarrow.csv.ParseOptions(
            delimiter=self.layout.delimiter,
            newlines_in_values=quotes,
            # Lines of blanks are skipped; any other row of another length is an error.
            invalid_row_handler=lambda row: "error" if row.text.strip() else "skip",
        )

    @contextlib.contextmanager
    def _reporting(self, pieces: Iterator[Piece] | None = None) -> Iterator[None]:
        """What pyarrow finds wrong, reported with its line: in ``pieces``, or in the file."""
        import pyarrow as pa

        try:
            with memory_for(f"the table {self.name}"):
                yield
        except (pa.ArrowException, UnicodeError, OSError) as error:
            of_file = pieces is None
            raise self._fault(pieces or self._opened()[1], cause(error), advised=of_file) from error

    def _fault(self, pieces: Iterator[Piece], why: str, *, advised: bool) -> DataError:
        """What to raise of the first row of another length than the header's; ``why`` where there is none.

        Args:
            advised: whether these are all pieces, and the config can say more of them.
        """
        for piece in pieces:
            if fault := piece.fault(len(self.names)):
                line, row = fault
                message = f"expected {counted(len(self.names), 'cell')}, found {len(row):,}"
                if advised:
                    is_last = not any(piece.behind(line + 1).filled(len(self.names))) and next(pieces, None) is None
                    message += fault_advice(self._keys, self.layout, line, row, is_last=is_last)
                return DataError(f"{self.name}:{line}: {message}")
        return DataError(f"{self.name}: not readable as CSV: {why}")

    def _no_rows(self) -> DataError:
        return DataError(f"{self.name}: the file has a header but no rows")
