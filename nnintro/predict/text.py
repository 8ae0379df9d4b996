"""Tables in text: CSV and TSV as a stream of rows, with the line of whatever is wrong."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from typing import IO, Any, BinaryIO, TextIO, cast

import numpy as np

from nnintro.datasets.tables.files.csv_rows import explanation
from nnintro.errors import DataError
from nnintro.models.standardized import Array
from nnintro.predict.block import rows_per_block
from nnintro.predict.feed import Feed
from nnintro.predict.lines import delimiter_of, filled, is_blank, lines_of
from nnintro.predict.names import positions
from nnintro.predict.numerals import complaint, is_numeral, numbers_of, shown_cell
from nnintro.wording import counted

Rows = list[list[str]]


MOST_BYTES = 1 << 23
"""Of a block's text, more or less: cells may be long."""

STRIDE = 1 << 12
"""Cells read before looking at how much that was."""


class TextTable:
    """A CSV with or without a header.

    Args:
        file: its bytes, UTF-8 with or without a mark at the beginning.
        name: the file's name in messages.
        wanted: names of the columns that hold the numbers to be read.
        dtype: of the run; the numbers have to be finite in it.
        delimiter: None to see it from the first line.

    Raises:
        DataError: the file is empty or no text, or has other columns.
    """

    def __init__(
        self,
        file: IO[bytes],
        name: str,
        wanted: Sequence[str],
        dtype: np.dtype[Any],
        delimiter: str | None = None,
    ) -> None:
        self.name, self.wanted, self.dtype = name, wanted, dtype
        self._feed = Feed(file, name)
        text = io.TextIOWrapper(cast(BinaryIO, self._feed), encoding="utf-8-sig", newline="")
        self._above, first = self._first_line(text)
        self._reader = csv.reader(
            itertools.chain([first], text),
            delimiter=delimiter or delimiter_of(first, wanted),
            strict=True,
        )
        self._line = self._above + 1  # of the next row
        self._waiting: Rows = []  # read, not yet in a block
        self.names, self.positions = self._columns()

    def _first_line(self, text: TextIO) -> tuple[int, str]:
        """How many blank lines there are above it, and the first one that is not."""
        above = 0
        while line := text.readline():
            if line.strip(" \r\n"):
                return above, line
            above += 1
        raise self._empty()

    def _empty(self) -> DataError:
        return DataError(f"{self.name}: the file is empty")

    def _columns(self) -> tuple[Sequence[str], Sequence[int]]:
        first = self._first_row()
        self.place = f"{self.name}:{self._line}"
        if not all(map(is_numeral, first)):
            self._line += lines_of(first)
            return first, positions(first, self.wanted, self.place)
        if len(first) != len(self.wanted):
            wanted = f"{counted(len(self.wanted), 'column')} ({', '.join(self.wanted)})"
            raise DataError(f"{self.place}: expected {wanted}, found {len(first)}")
        self._waiting = [first]
        return self.wanted, range(len(first))

    def _first_row(self) -> list[str]:
        """The first row that is not blank; those above are counted, and not kept."""
        while True:
            rows: Rows = []
            fault = self._read(rows, 1)
            if not rows:
                raise fault or self._empty()
            if not is_blank(rows[0]):
                return rows[0]
            self._line += lines_of(rows[0])

    def _read(self, rows: Rows, count: int) -> DataError | None:
        """Append so many rows, fewer at the end; what is wrong with the row behind them."""
        try:
            # Rows before a fault stay in the list.
            rows.extend(itertools.islice(self._reader, count))
        except DataError as fault:
            return fault
        except csv.Error as error:
            line = self._line + sum(map(lines_of, rows))
            return DataError(f"{self.name}:{line}: {explanation(error)}")
        return None

    def blocks(self) -> Iterator[TextBlock]:
        """See ``block.Table``."""
        most, stride = (max(1, n // len(self.names)) for n in (rows_per_block(1), STRIDE))
        found, fault, ended = False, None, False
        while not ended and fault is None:
            rows, self._waiting = self._waiting, []
            until = self._feed.delivered + MOST_BYTES
            while fault is None and len(rows) < most and self._feed.delivered < until:
                before = len(rows)
                fault = self._read(rows, min(stride, most - before))
                if len(rows) == before:
                    ended = True
                    break
            block = self._block(rows)
            self._line += sum(map(lines_of, rows)) if self._uneven(rows) else len(rows)
            if block is not None:
                found = True
                yield block
        if fault is not None:
            raise fault
        if not found:
            raise DataError(f"{self.name}: there are no rows below the header")

    def _uneven(self, rows: Rows) -> bool:
        """Whether rows and lines differ in number: a cell in quotes may hold ends of lines."""
        return self._above + self._reader.line_num != self._line - 1 + len(rows)

    def _block(self, read: Rows) -> TextBlock | None:
        rows, numbers = read, self._numbers(read)
        if numbers is None:
            rows = self._examined(read)
            numbers = self._numbers(rows)
            assert numbers is not None
        return TextBlock(self, self._line, read, rows, numbers) if rows else None

    def _numbers(self, rows: Rows) -> Array | None:
        if not set(map(len, rows)) <= {len(self.names)}:
            return None
        return numbers_of(rows, self.positions, self.dtype)

    def _examined(self, read: Rows) -> Rows:
        """The rows that are not blank; raises at the first thing that is wrong with one."""
        rows = []
        for line, row in filled(read, self._line):
            if len(row) != len(self.names):
                wanted = counted(len(self.names), "cell")
                raise DataError(f"{self.name}:{line}: expected {wanted}, found {len(row)}")
            for column, position in enumerate(self.positions):
                expected = complaint(row[position], self.dtype)
                if expected is not None:
                    raise self.refusal(line, row, column, expected)
            rows.append(row)
        return rows

    def refusal(self, line: int, row: list[str], column: int, expected: str) -> DataError:
        place = f"{self.name}:{line}: column {self.wanted[column]!r}"
        found = shown_cell(row[self.positions[column]])
        return DataError(f"{place}: expected {expected}, got {found}")


class TextBlock:
    """Rows of a text (see ``block.Block``): as read, and without the blank ones."""

    def __init__(self, table: TextTable, line: int, read: Rows, rows: Rows, numbers: Array) -> None:
        self.numbers = numbers
        self._table, self._line, self._read, self._rows = table, line, read, rows

    def cells(self) -> Rows:
        return self._rows

    def refusal(self, row: int, column: int, expected: str) -> DataError:
        line, cells = next(itertools.islice(filled(self._read, self._line), row, None))
        return self._table.refusal(line, cells, column, expected)
