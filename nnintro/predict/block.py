"""Rows that go through together, wherever they came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from nnintro.errors import DataError
from nnintro.models.standardized import Array

CELLS = 1 << 15
"""Cells in a block: what is in memory does not depend on the length of a file.

Larger blocks are slower: the text of this many is still near the processor."""


class Block(Protocol):
    """Some consecutive rows of a table."""

    numbers: Array
    """(rows, wanted) numbers that are finite in the run's precision."""

    def cells(self) -> list[list[str]]:
        """The text of every column, in the order of the file."""

    def refusal(self, row: int, column: int, expected: str) -> DataError:
        """What to raise of a number (counted within ``numbers``), with its place in the file."""


class Table(Protocol):
    """A file of rows, opened and its columns known."""

    place: str
    """Where its column names stand, for messages."""
    names: Sequence[str]
    """Of all columns, in the order of the file."""
    positions: Sequence[int]
    """Which of them are wanted, in the order that was asked for."""

    def blocks(self) -> Iterator[Block]:
        """Its rows, once, from the first to the last.

        Raises:
            DataError: a row cannot be used, or there is none; the blocks before it were good.
        """


def rows_per_block(columns: int) -> int:
    return max(1, CELLS // max(columns, 1))


def fits(numbers: Array, dtype: np.dtype[Any]) -> Array:
    """(rows, columns) truth values: finite, and still finite as ``dtype``."""
    with np.errstate(over="ignore", invalid="ignore"):
        finite: Array = np.isfinite(numbers.astype(dtype))
    return finite


def wanted_of(value: float, dtype: np.dtype[Any]) -> str:
    """What is expected in place of a number that does not fit."""
    if not np.isfinite(value):
        return "a finite number"
    return f"a number that {dtype.name} can hold (at most {np.finfo(dtype).max:.1e})"


def texts(column: Array) -> list[str]:
    """Each number as the shortest text that reads back as the same number of its type."""
    found: list[str] = column.astype(np.str_).tolist()
    return found
