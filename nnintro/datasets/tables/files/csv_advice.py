"""See from the first lines of a text file what its config may have to say of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from nnintro.config.datasets.text_keys import WHITESPACE, TextKeys, composed
from nnintro.datasets.tables.cells import is_numeral
from nnintro.datasets.tables.files.csv_layout import DELIMITERS, HEADERLESS, Layout, cells_of
from nnintro.datasets.tables.files.csv_lines import rows_alone
from nnintro.datasets.tables.files.text import TextFile, utf8
from nnintro.wording import quoted, shown

MOST_LINES = 200
"""Above a header, and looked at."""
COMMENTS = ("#", "//", "%", "!", "*", ";")
"""What lines of remarks begin with."""
FOOTERS = (
    "total",
    "subtotal",
    "grand total",
    "sum",
    "average",
    "mean",
    "gesamt",
    "summe",
    "mittel",
    "somme",
    "moyenne",
)
"""What last lines begin with that are computed from the others, in lower case."""


def advice(file: TextFile, keys: TextKeys, layout: Layout, name: str) -> str:
    """What to add where there is no column ``name``: another line or another delimiter has it; or nothing."""
    # A number is not a name, and a file without a header has none further down either.
    lines = [] if is_numeral(name) or keys.header is False else _first_lines(file, keys)
    for number, line in enumerate(lines, 1):
        if (delimiter := _delimiter_of(line, name)) is None:
            continue
        if number > layout.line:
            above = [text for text in lines[: number - 1] if text.strip()]
            marks = [mark for mark in COMMENTS if all(text.startswith(mark) for text in above)]
            remedy = f"comment: {marks[0]!r}" if marks else f"skip_rows: {number - 1}"
            return f"; line {number} has it, below {shown(above[0])}: add {remedy}"
        if number == layout.line and delimiter != layout.delimiter:
            verb = "set" if keys.delimiter else "add"
            return f"; line {number} has it with another delimiter: {verb} delimiter: {_in_quotes(delimiter)}"
    if f"'{name}'" in [cell.strip() for cell in layout.written]:
        return "; cells in single quotes are not CSV: replace ' by \" in the file"
    if keys.header is None and any(map(is_numeral, layout.written)):
        return f"; {HEADERLESS}"
    return ""


def fault_advice(keys: TextKeys, layout: Layout, line: int, row: list[str], *, is_last: bool) -> str:
    """What to add where a row has another number of cells than the header; or nothing."""
    start = row[0].strip()
    if keys.comment is None and (marks := [mark for mark in COMMENTS[:-1] if start.startswith(mark)]):
        return f"; if lines that begin with {quoted(marks[0])} are remarks, add comment: {marks[0]!r}"
    if layout.delimiter == " " and len(list(filter(None, row))) == len(list(filter(None, layout.written))):
        return f"; columns set apart by several blanks need delimiter: {WHITESPACE}"
    if is_last and keys.skip_footer == 0 and start and not is_numeral(start) and len(row) < len(layout.written):
        return "; if it is a footer, add skip_footer: 1"
    return "" if keys.skip_lines else f"; mend the line, or leave it out with skip_rows: [{line}]"


def _in_quotes(mark: str) -> str:
    return f"'{mark}'" if mark.isprintable() else json.dumps(mark)


def _first_lines(file: TextFile, keys: TextKeys) -> list[str]:
    text = next(rows_alone(utf8(file), keys), b"")
    return [line.decode(errors="replace") for line in text.splitlines()[:MOST_LINES]]


def _delimiter_of(line: str, name: str) -> str | None:
    """The delimiter that makes ``name`` one of several cells of the line, as the config would write it."""
    for delimiter, cells in _split(line):
        if len(cells) > 1 and name in [composed(cell.strip()) for cell in cells]:
            return delimiter
    return None


def _split(line: str) -> Iterator[tuple[str, list[str]]]:
    others = sorted(mark for mark in set(line) if mark.isascii() and not mark.isalnum() and mark not in " \"'.+-_")
    for delimiter in dict.fromkeys([*DELIMITERS, *others]):
        yield delimiter, cells_of(line, delimiter)
    yield WHITESPACE, line.split()
