"""Lines of a CSV: what separates its cells, which line a row stands on, what is wrong with it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

from nnintro.predict.numerals import is_numeral

DELIMITERS = ",;\t"


_END_OF_LINE = re.compile(r"\r\n|\r|\n")


def filled(read: list[list[str]], line: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line that it begins on."""
    for row in read:
        if not is_blank(row):
            yield line, row
        line += lines_of(row)


def delimiter_of(line: str, wanted: Sequence[str]) -> str:
    """The delimiter that makes sense of a first line; where none does, the most frequent one."""
    for delimiter in DELIMITERS:
        cells = _cells(line, delimiter)
        names = {cell.strip() for cell in cells}
        if names.issuperset(wanted) or (len(cells) == len(wanted) and all(map(is_numeral, cells))):
            return delimiter
    return max(DELIMITERS, key=line.count)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []  # told with its place when the line is read in earnest


def is_blank(row: list[str]) -> bool:
    """Of an empty line, or one of blanks."""
    return not row or (len(row) == 1 and row[0].isspace())


def lines_of(row: list[str]) -> int:
    """How many lines of the file a row takes: cells in quotes may hold ends of lines."""
    return 1 + sum(len(_END_OF_LINE.findall(cell)) for cell in row)
