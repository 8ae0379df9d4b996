"""Numbers out of cells of text: strict about what counts as one, and fast where all are."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnintro.models.standardized import Array
from nnintro.predict.block import fits, wanted_of
from nnintro.wording import shown


def is_numeral(cell: str) -> bool:
    """Whether a cell is meant as a number: 1.5, -2e3, also nan, and 1_000 (which is refused)."""
    with contextlib.suppress(ValueError):
        float(cell)
        return True
    return False


def numbers_of(
    rows: Sequence[Sequence[str]], positions: Sequence[int], dtype: np.dtype[Any]
) -> Array | None:
    """(rows, positions) numbers in float64, or None if any cell is not fit to be one."""
    numbers = np.empty((len(rows), len(positions)))
    for column, position in enumerate(positions):
        cells = [row[position] for row in rows]
        written = "".join(cells)
        # Python's float() also takes 1_000 and the digits of other scripts.
        if "_" in written or not written.isascii():
            return None
        try:
            numbers[:, column] = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return None
    return numbers if fits(numbers, dtype).all() else None


def complaint(cell: str, dtype: np.dtype[Any]) -> str | None:
    """What was expected in place of this cell; None if it is a number that ``dtype`` can hold."""
    if not cell.isascii() or "_" in cell or not is_numeral(cell):
        return "a number"
    value = float(cell)
    if fits(np.array(value), dtype).all():
        return None
    # 1e999 is written as a finite number, and is one too large for any float.
    written_finite = math.isinf(value) and any(character.isdigit() for character in cell)
    return wanted_of(0.0 if written_finite else value, dtype)


def shown_cell(cell: str) -> str:
    return shown(cell) if cell.strip() else "an empty cell"
