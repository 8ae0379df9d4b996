"""Read the beginning of a text file: its delimiter, and the columns' names if it has a header."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nnintro.config.datasets.text_keys import WHITESPACE, TextKeys, composed
from nnintro.datasets.tables.cells import is_numeral
from nnintro.datasets.tables.files.csv_lines import LeftOutLines
from nnintro.datasets.tables.files.csv_rows import Piece, Text
from nnintro.datasets.tables.files.places import check_names
from nnintro.datasets.tables.files.text import TextFile
from nnintro.errors import DataError
from nnintro.wording import counted

DELIMITERS = ",;\t|"
MOST_FIRST = 20
"""Rows that are compared with the header."""
_SEPARATOR = re.compile(r'"?sep=([,;\t| ])"?\s*', re.I)
"""A line above the header that names the delimiter to Excel."""
_NUMBERS_ALONE = re.compile(r"(?:\W*\d)+\W*")
"""Digits and no letter, such as 1.234,50 and 2024-01-31: no name."""
_QUOTED_AND_BLANKS = re.compile(r'\s*"[^",;|]*"(?: +"[^",;|]*")+\s*')
"""Names as R's write.table sets them apart."""

HEADERLESS = "if this line is a row, add header: false (and names: [...] for the columns)"
"""What to add where a header looks like data."""


@dataclass(frozen=True)
class Layout:
    """What the beginning of a text file says of its columns."""

    delimiter: str
    written: list[str]
    """The columns' names as they stand in the header; of a file without one the wanted names."""
    line: int
    """On which the header begins, or the first row where there is none."""
    skipped_lines: int
    """Lines up to the header's last one; where there is none, the blank lines above."""
    skipped_bytes: int
    has_header: bool
    left_out: LeftOutLines = field(default_factory=list)
    """Filled while the pieces are read."""

    @property
    def names(self) -> list[str]:
        """Of the columns, without blanks around them; ``column 3`` where the header has none."""
        return [composed(name.strip()) or f"column {place}" for place, name in enumerate(self.written, 1)]

    @property
    def unnamed(self) -> list[str]:
        """The names of columns to which the header gives none."""
        return [name for name, written in zip(self.names, self.written, strict=True) if not written.strip()]


def read_layout(
    file: TextFile, keys: TextKeys, wanted: Sequence[str], *, positional: bool
) -> tuple[Layout, Iterator[Piece]]:
    """Read the header; the pieces of rows below it are read as they are asked for.

    Args:
        keys: what a config says of the layout.
        wanted: names of columns that are needed; they help to see the delimiter.
        positional: whether the file may have no header, but just the wanted columns in their order.

    Raises:
        DataError: the file cannot be read, is not text, or has no usable header.
    """
    text = Text(file, keys)
    line, delimiter = text.first_line(), keys.delimiter
    if said := _SEPARATOR.fullmatch(line):
        text.skip(line)
        delimiter, line = delimiter or said[1], text.first_line()
    if delimiter == WHITESPACE:
        delimiter = "\t"  # which ``rows_alone`` puts there
    elif delimiter is None and _QUOTED_AND_BLANKS.fullmatch(line):
        raise DataError(f"{file.name}:{text.line}: columns set apart by blanks or tabs need delimiter: {WHITESPACE}")
    delimiter = delimiter or _delimiter(file, line, wanted, positional=positional)
    pieces = text.pieces(delimiter)
    for piece in pieces:
        for first, behind, row in piece.rows():
            if any(cell.strip() for cell in row):
                place = f"{file.name}:{first}"
                headless = _has_no_header(row, keys, place, positional=positional)
                rest = piece.behind(first if headless else behind)
                skipped = text.given - len(rest.text)
                if positional:
                    names = _by_position(row, wanted, place) if headless else row
                else:
                    names = _named(row, keys, place, headless=headless)
                    if not headless and not keys.names and _names_rows(row, rest):
                        names = ["", *row]
                layout = Layout(delimiter, names, first, rest.line - 1, skipped, not headless, text.left_out)
                _check_names(layout.names, place, says=headless or keys.header is not None)
                return layout, itertools.chain([rest] if rest.text else [], pieces)
    raise text.empty()


def _names_rows(header: list[str], rest: Piece) -> bool:
    """Whether rows have one cell more than the header: R's write.table gives no name to that of the rows.

    Where all of them end in an empty cell, a delimiter stands behind the last one.
    """
    rows = [row for _, row in itertools.islice(rest.filled(len(header)), MOST_FIRST)]
    return {len(row) for row in rows} == {len(header) + 1} and any(row[-1].strip() for row in rows)


def _has_no_header(row: list[str], keys: TextKeys, place: str, *, positional: bool) -> bool:
    """Whether the first line is a row already."""
    if positional:
        return _is_data(row)
    is_of_names = [composed(cell.strip()) for cell in row] == list(keys.names)
    if keys.header is not None:
        if is_of_names and not keys.header:
            message = "expected a row, got the columns' names; these files have no header, so leave the line out"
            raise DataError(f"{place}: {message}")
        return not keys.header
    if keys.names and not is_of_names:
        if any(is_numeral(cell) or _NUMBERS_ALONE.fullmatch(cell) for cell in row):
            return True
        message = "may be a header or a row; dataset.names needs header: true or header: false beside it"
        raise DataError(f"{place}: {message}")
    if not keys.names and all(not name.strip() or is_numeral(name) for name in row):
        remedy = f"{HEADERLESS}; if these are names, header: true"
        raise DataError(f"{place}: expected a header with the columns' names, got numbers; {remedy}")
    return False


def _named(row: list[str], keys: TextKeys, place: str, *, headless: bool) -> list[str]:
    """The columns' names: those of the section, of the header, or by their places."""
    if not keys.names:
        return [f"column {number}" for number in range(1, len(row) + 1)] if headless else row
    for names in (list(keys.names), [name for name in keys.names if name not in keys.optional]):
        if len(row) == len(names):
            return names
    raise DataError(f"{place}: expected {counted(len(keys.names), 'cell')}, one for each name, found {len(row):,}")


def _check_names(names: Sequence[str], place: str, *, says: bool) -> None:
    try:
        check_names(names, place)
    except DataError as error:
        if says or not any(map(is_numeral, names)):
            raise
        raise DataError(f"{error}; {HEADERLESS}") from error


def _by_position(row: list[str], wanted: Sequence[str], place: str) -> list[str]:
    if len(row) != len(wanted):
        columns = f"{counted(len(wanted), 'column')} ({', '.join(wanted)})"
        raise DataError(f"{place}: expected {columns}, found {len(row)}")
    return list(wanted)


def _delimiter(file: TextFile, line: str, wanted: Sequence[str], *, positional: bool) -> str:
    """The first that gives all wanted columns; where none does, the one with most cells."""
    if file.path.lower().endswith((".tsv", ".tsv.gz")):
        return "\t"
    for delimiter in DELIMITERS:
        cells = cells_of(line, delimiter)
        named = bool(wanted) and {composed(cell.strip()) for cell in cells}.issuperset(wanted)
        if named or (positional and len(cells) == len(wanted) and _is_data(cells)):
            return delimiter
    return max(DELIMITERS, key=lambda delimiter: len(cells_of(line, delimiter)))


def cells_of(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []  # reported with its place when the row is read in earnest


def _is_data(row: list[str]) -> bool:
    """Whether a first row holds numbers, and no names: cells that float() takes, or empty ones.

    float() takes more than is a number here, such as 1_000; that is refused as a number later.
    """
    filled = [cell for cell in row if cell.strip()]
    return bool(filled) and all(map(_is_float, filled))


def _is_float(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
