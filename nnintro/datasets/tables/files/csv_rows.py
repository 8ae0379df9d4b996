"""Split a text file into pieces of whole rows, with the line number of each row."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nnintro.config.datasets.text_keys import TextKeys
from nnintro.datasets.tables.files.csv_lines import LONGEST_ROW, LeftOutLines, rows_alone
from nnintro.datasets.tables.files.text import CHUNK, NotTextError, TextFile, utf8
from nnintro.errors import DataError

# Rows are bounded here, in bytes: the csv module's bound would refuse texts of 131,072 characters.
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW + CHUNK))

_BLANK_LINE = re.compile(r'(?:[\s,;|]|"")*')
"""A line without any cell, whatever the delimiter."""


@dataclass(frozen=True)
class Piece:
    """Consecutive whole rows of a file; a row may take several lines."""

    name: str
    """The file's, for messages."""
    text: bytes
    """UTF-8."""
    line: int
    """On which the first row begins."""
    delimiter: str

    @property
    def has_quotes(self) -> bool:
        return b'"' in self.text

    def rows(self) -> Iterator[tuple[int, int, list[str]]]:
        """Each row's first line, the line behind its last one, and its cells."""
        reader = csv.reader(_lines(self.text), delimiter=self.delimiter)
        first = self.line
        for row in reader:
            yield first, self.line + reader.line_num, row
            first = self.line + reader.line_num

    def filled(self, columns: int) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not blank, each with the line that it begins on.

        A line of blanks is blank too, unless it can be the cell of an only column.
        """
        for line, _, row in self.rows():
            if row and (columns == 1 or len(row) > 1 or not row[0].isspace()):
                yield line, row

    def fault(self, columns: int) -> tuple[int, list[str]] | None:
        """The first row with another number of cells, and the line that it begins on; None if there is none."""
        return next(((line, row) for line, row in self.filled(columns) if len(row) != columns), None)

    def behind(self, line: int) -> Piece:
        """The same rows from this line on."""
        return replace(self, text=self.text[_size(self.text, line - self.line) :], line=line)


def larger(pieces: Iterable[Piece], size: int) -> Iterator[Piece]:
    """The same rows in fewer pieces: all but the last have this many bytes, or more."""
    parts: list[Piece] = []
    for piece in pieces:
        parts.append(piece)
        if sum(len(part.text) for part in parts) >= size:
            yield replace(parts[0], text=b"".join(part.text for part in parts))
            parts = []
    if parts:
        yield replace(parts[0], text=b"".join(part.text for part in parts))


class PieceFile(io.RawIOBase):
    """The pieces as a file of UTF-8, of which every ``read`` gives one, whatever its length."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002
        piece = next(self._pieces, None)
        return b"" if piece is None else piece.text


def place_of(row: int, pieces: Iterable[Piece], name: str, columns: int) -> str:
    """``prices.csv:17``: where one of the rows that are not blank (from 0) begins."""
    lines = (line for piece in pieces for line, _ in piece.filled(columns))
    line = next(itertools.islice(lines, row, None), None)
    # Should the csv module see other rows than pyarrow did, the number of the row still says where.
    return f"{name}: row {row + 1:,}" if line is None else f"{name}:{line}"


def _lines(text: bytes) -> Iterator[str]:
    """With their newlines, as the csv module takes them."""
    return io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="")


def _size(text: bytes, lines: int) -> int:
    """Bytes of the first ``lines`` lines."""
    return sum(len(line.encode()) for line in itertools.islice(_lines(text), lines))


class Text:
    """A text file as pieces; a fault is raised when reading gets there.

    Raises (all methods):
        DataError: it cannot be read, is not text of its encoding, or is not a table: with the line.
    """

    def __init__(self, file: TextFile, keys: TextKeys) -> None:
        self._name = file.name
        self.left_out: LeftOutLines = []
        self._chunks = rows_alone(utf8(file), keys, self.left_out)
        self._buffer = b""  # read, and not yet given out
        self._line = 1  # that the buffer begins on
        self._ended = False
        self.given = 0
        """Bytes of UTF-8 that were given out or skipped."""

    def first_line(self) -> str:
        """The first line that is not blank; those above it are skipped."""
        while True:
            blank = 0
            for line in _lines(self._buffer[: self._end_of_lines()]):
                if not _BLANK_LINE.fullmatch(line):
                    self._take(blank)
                    return line
                blank += len(line.encode())
            self._take(blank)
            if not self._read_on():
                raise self.empty()

    @property
    def line(self) -> int:
        """The number of the next line."""
        return self._line

    def skip(self, line: str) -> None:
        """Leave out the first line, which is this one."""
        self._take(len(line.encode()))

    def empty(self) -> DataError:
        return DataError(f"{self._name}: the file is empty")

    def pieces(self, delimiter: str) -> Iterator[Piece]:
        """All rows from here on, about a chunk at a time."""
        while True:
            line, end = self._line, self._end_of_rows(delimiter)
            if end:
                yield Piece(self._name, self._take(end), line, delimiter)
            elif not self._read_on():
                return

    def _read_on(self) -> bool:
        """Append a chunk to the buffer; False once there is nothing more."""
        if self._ended:
            return False
        if len(self._buffer) > LONGEST_ROW:
            message = f"a row of more than {LONGEST_ROW:,} bytes; is a quote not closed?"
            raise DataError(f"{self._name}:{self._line}: {message}")
        try:
            chunk = next(self._chunks, None)
        except NotTextError as error:
            line = self._line + _newlines(self._buffer + error.good)
            raise DataError(f"{self._name}:{line}: {error}") from error
        self._ended = chunk is None
        self._buffer += chunk or b""
        return True

    def _take(self, end: int) -> bytes:
        taken, self._buffer = self._buffer[:end], self._buffer[end:]
        self._line += _newlines(taken)
        self.given += end
        return taken

    def _end_of_lines(self) -> int:
        """How much of the buffer are whole lines."""
        if self._ended:
            return len(self._buffer)
        # A \r at the very end may be the first half of \r\n.
        last = self._buffer.rfind(b"\n"), self._buffer.rfind(b"\r", 0, len(self._buffer) - 1)
        return max(last) + 1

    def _end_of_rows(self, delimiter: str) -> int:
        """How much of the buffer are whole rows: a cell in quotes may hold newlines.

        Every quote is looked at, because pyarrow reads what stands behind a closing one as part of
        the cell: ``"1"5`` would be 15.
        """
        end = self._end_of_lines()
        rows = self._buffer[:end]
        if b'"' not in rows or _well_quoted(delimiter).fullmatch(rows):
            return end
        reader = csv.reader(_lines(rows), delimiter=delimiter, strict=True)
        whole = 0  # lines
        try:
            for _ in reader:
                whole = reader.line_num
        except csv.Error as error:
            if self._ended or "unexpected end of data" not in str(error):
                line = self._line + whole
                raise DataError(f"{self._name}:{line}: {explanation(error)}") from error
            end = _size(rows, whole)
        return end


@functools.cache
def _well_quoted(delimiter: str) -> re.Pattern[bytes]:
    """Text in which every quote opens or closes a whole cell; several times as fast as csv."""
    marks = re.escape(delimiter) + "\r\n"
    opening, closed = f'"(?<![^{marks}]")', '[^"]*+(?:""[^"]*+)*+"'
    return re.compile(f'[^"]*+(?:{opening}{closed}(?:[{marks}][^"]*+|\\Z))*+'.encode())


def explanation(error: csv.Error) -> str:
    """What the csv module says, in words that name the mistake."""
    text = str(error)
    if "unexpected end of data" in text:
        return "a quote is opened here and never closed"
    if "expected after" in text:
        return "text behind a closing quote; a quote within quotes is written twice"
    return f"not readable as CSV: {text}"


def _newlines(text: bytes) -> int:
    r"""How many lines end in it: with \n, \r or \r\n."""
    if b"\r" not in text:
        return text.count(b"\n")
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")
