"""Read the beginning of a text file: its delimiter, and the columns' names if it has a header."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnintro.datasets.tables.cells import is_numeral
from nnintro.datasets.tables.files.csv_rows import Piece, Text
from nnintro.datasets.tables.files.places import check_names
from nnintro.datasets.tables.files.text import TextFile
from nnintro.errors import DataError
from nnintro.wording import counted

DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r'"?sep=([,;\t| ])"?\s*', re.I)
"""A line above the header that names the delimiter to Excel."""


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

    @property
    def names(self) -> list[str]:
        """Of the columns, without blanks around them; ``column 3`` where the header has none."""
        return [name.strip() or f"column {place}" for place, name in enumerate(self.written, 1)]

    @property
    def unnamed(self) -> list[str]:
        """The names of columns to which the header gives none."""
        return [name for name, written in zip(self.names, self.written, strict=True) if not written.strip()]


def read_layout(
    file: TextFile, delimiter: str | None, wanted: Sequence[str], *, positional: bool
) -> tuple[Layout, Iterator[Piece]]:
    """Read the header; the pieces of rows below it are read as they are asked for.

    Args:
        delimiter: None to see it from the first line.
        wanted: names of columns that are needed; they help to see the delimiter.
        positional: whether the file may have no header, but just the wanted columns in their order.

    Raises:
        DataError: the file cannot be read, is not text, or has no usable header.
    """
    text = Text(file)
    line = text.first_line()
    if said := _SEPARATOR.fullmatch(line):
        text.skip(line)
        delimiter, line = delimiter or said[1], text.first_line()
    delimiter = delimiter or _delimiter(file, line, wanted, positional=positional)
    pieces = text.pieces(delimiter)
    for piece in pieces:
        for first, behind, row in piece.rows():
            if any(cell.strip() for cell in row):
                place = f"{file.name}:{first}"
                headless = positional and _is_data(row)
                rest = piece.behind(first if headless else behind)
                skipped = text.given - len(rest.text)
                names = _by_position(row, wanted, place) if headless else row
                layout = Layout(delimiter, names, first, rest.line - 1, skipped)
                if not positional and all(not name.strip() or is_numeral(name) for name in row):
                    raise DataError(f"{place}: expected a header with the columns' names, got numbers")
                check_names(layout.names, place)
                return layout, itertools.chain([rest] if rest.text else [], pieces)
    raise text.empty()


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
        cells = _cells(line, delimiter)
        named = bool(wanted) and {cell.strip() for cell in cells}.issuperset(wanted)
        if named or (positional and len(cells) == len(wanted) and _is_data(cells)):
            return delimiter
    return max(DELIMITERS, key=lambda delimiter: len(_cells(line, delimiter)))


def _cells(line: str, delimiter: str) -> list[str]:
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
