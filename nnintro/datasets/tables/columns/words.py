"""Columns of text: each becomes counts of hashed words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field

from nnintro.datasets.tables.cells import MISSING, Array
from nnintro.datasets.tables.columns.column import Column, FileColumn
from nnintro.datasets.tables.files.places import Places

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 4096
"""Texts that are counted at a time: their counts are sparse first, then a dense array of (rows,
width)."""


@dataclass(frozen=True)
class Words(Column):
    """A hashed bag of words: how often each word occurs, scaled to a vector of length 1.

    scikit-learn's HashingVectorizer: words of two or more letters, in lower case; word w counts at
    input hash(w) mod ``width``, always upwards (alternate_sign=False), so that input k is a count.
    """

    name: str
    width: Annotated[int, Field(ge=1, le=1 << 20)]
    kind: Literal["words"] = "words"

    @classmethod
    def recognize(cls, source: FileColumn) -> Self | None:
        """A column that the section lists under ``text``."""
        listed = source.name in source.dataset.text
        return cls(source.name, source.dataset.text_features) if listed else None

    @property
    def features(self) -> list[str]:
        return [f"{self.name}#{index}" for index in range(self.width)]

    @property
    def size(self) -> int:
        return self.width

    @property
    def expected(self) -> str:
        return "text"

    def read(self, cells: pa.ChunkedArray, places: Places) -> Array:  # noqa: ARG002
        """(rows,) texts; None where there is none."""
        import pyarrow as pa

        texts = cells.cast(pa.large_string()).to_pylist()
        return np.array([None if text is None or text.strip() in MISSING else text for text in texts], object)

    def absent(self, values: Array) -> Array:
        return np.array([text is None for text in values], bool)

    def write_into(self, inputs: Array, values: Array) -> None:
        """No words where there is no text."""
        from sklearn.feature_extraction.text import HashingVectorizer

        count = HashingVectorizer(n_features=self.width, alternate_sign=False, norm="l2", dtype=np.float32)
        for first in range(0, len(values), ROWS):
            rows = slice(first, first + ROWS)
            inputs[rows] = count.transform([text or "" for text in values[rows]]).toarray()
