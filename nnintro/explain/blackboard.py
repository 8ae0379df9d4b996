"""Numbers as aligned text: matrices in brackets, tables, both cut to what fits into 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from nnintro.explain.equations import Array
from nnintro.wording import counted

WIDTH = 80
INDENT = "  "
DIGITS = 5
MOST = 6
"""Rows of a matrix, or numbers of a row, that are shown of many: the first ones, and how many there are more."""
Lines = list[str]


def number(value: float, digits: int = DIGITS) -> str:
    """That many significant digits."""
    text = f"{value:.{digits}g}"
    return "0" if text == "-0" else text


def aligned(values: Sequence[str]) -> Lines:
    """The same texts in equal width, their decimal points below each other."""
    heads = [len(text.partition(".")[0]) for text in values]
    tails = [len(text) - head for text, head in zip(values, heads, strict=True)]
    left, right = max(heads), max(tails)
    return [
        " " * (left - head) + text + " " * (right - tail) for text, head, tail in zip(values, heads, tails, strict=True)
    ]


def fitting(count: int, most: int = MOST) -> int:
    """How many of ``count`` rows, columns or lines are shown: none is left out to save a line or two."""
    return count if count <= most + 2 else most


def matrix(name: str, values: Array, rows: int | None = None) -> Lines:
    """``name = [ ... ]``, a line a row; a vector is one row.

    Args:
        name: stands in front of the first row.
        rows: how many are shown, and how many there are more; as many as are ``fitting`` by default.
    """
    matrix = np.atleast_2d(values)
    height, width = matrix.shape
    shown = matrix[: fitting(height) if rows is None else rows]
    columns, front = fitting(width), f"{INDENT}{name} = "
    lines = _rows(front, shown, columns)
    while len(lines[0]) > WIDTH and columns > 1:
        columns -= 1
        lines = _rows(front, shown, columns)
    rest = height - len(shown)
    return [*lines, f"{' ' * len(front)}... {counted(rest, 'more row')}"] if rest else lines


def _rows(front: str, values: Array, shown: int) -> Lines:
    columns = [aligned([number(value) for value in column]) for column in values.T[:shown]]
    left_out = values.shape[1] - shown
    more = f"  ... {left_out:,} more" if left_out else ""
    rows = [f"[ {'  '.join(row)}{more} ]" for row in zip(*columns, strict=True)]
    return [(" " * len(front) if index else front) + row for index, row in enumerate(rows)]


def beside(left: Lines, right: Lines) -> Lines:
    """Two blocks beside each other where both fit, else below each other."""
    start = max(map(len, left)) + 4
    if start + max(len(line.strip()) for line in right) > WIDTH:
        return [*left, *right]
    margin = len(right[0]) - len(right[0].lstrip())
    height = max(len(left), len(right))
    pairs = zip(*([*block, *[""] * (height - len(block))] for block in (left, right)), strict=True)
    return [f"{one:<{start}}{other[margin:]}".rstrip() for one, other in pairs]


def table(header: Sequence[str], names: Sequence[str], columns: Sequence[Array]) -> Lines:
    """Columns of numbers below their headers, behind one of names; with fewer digits where they would be too wide."""
    for digits in range(DIGITS, 2, -1):
        cells = [aligned([number(value, digits) for value in column]) for column in columns]
        lines = _table(header, names, cells)
        if len(lines[0]) <= WIDTH:
            return lines
    # Numbers of very different size need the most room with their points below each other.
    return _table(header, names, [[number(value, 3) for value in column] for column in columns])


def _table(header: Sequence[str], names: Sequence[str], cells: Sequence[Lines]) -> Lines:
    headed = [_headed(head, column) for head, column in zip(header, [list(names), *cells], strict=True)]
    return [INDENT * 2 + "  ".join(line) for line in zip(*headed, strict=True)]


def _headed(header: str, cells: Lines) -> Lines:
    width = max(map(len, (header, *cells)))
    return [line.ljust(width) for line in (header, *cells)]


def paragraph(text: str, indent: str = "") -> Lines:
    """Text broken at spaces."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def formula(left: str, right: str) -> Lines:
    """``left = right``; what does not fit goes on below the right side."""
    front = f"{INDENT}{left} = "
    return textwrap.wrap(
        right, WIDTH, initial_indent=front, subsequent_indent=" " * len(front), break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip


def equation(left: str, right: str, values: Array, rows: int | None = None) -> Lines:
    """``left = right``, and below the right side its numbers (see ``matrix``)."""
    return [*formula(left, right), *matrix(" " * len(left), values, rows)]
