"""Text to a hashed bag of words (see ``columns.Words``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnintro.datasets.tables.cells import MISSING, Array

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 4096
"""Texts that are counted at a time: what is dense is in the precision of the run."""


def sentences(column: pa.ChunkedArray) -> list[str | None]:
    """The cells as text, None where there is none."""
    import pyarrow as pa

    cells = column.cast(pa.large_string()).to_pylist()
    return [None if cell is None or cell.strip() in MISSING else cell for cell in cells]


def hashed(texts: Sequence[str | None], width: int) -> Array:
    """(rows, width) in float32; no words where there is no text."""
    counts = np.zeros((len(texts), width), np.float32)
    for rows, block in blocks(texts, width):
        counts[rows] = block
    return counts


def blocks(texts: Sequence[str | None], width: int) -> Iterator[tuple[slice, Array]]:
    """Rows, and their (rows, width) counts in float32."""
    from sklearn.feature_extraction.text import HashingVectorizer

    count = HashingVectorizer(n_features=width, alternate_sign=False, norm="l2", dtype=np.float32)
    for first in range(0, len(texts), ROWS):
        rows = slice(first, min(first + ROWS, len(texts)))
        yield rows, count.transform([text or "" for text in texts[rows]]).toarray()
