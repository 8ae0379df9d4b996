"""A slow second reading of a text file: which line a row stands on, and what is wrong with one.

Fast readers do not count lines.  This one does, and is asked only once something is wrong.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from nnintro.datasets.tables.layout import Layout
from nnintro.errors import DataError


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
