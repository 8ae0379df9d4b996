"""Category columns: one-hot inputs, or classes to predict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field

from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns.coded import ABSENT, UNSEEN, coded, one_of
from nnintro.datasets.tables.columns.column import Column, FileColumn, Policy, Target
from nnintro.datasets.tables.files.places import Places
from nnintro.errors import DataError
from nnintro.wording import quoted

if TYPE_CHECKING:
    import pyarrow as pa

MISSING_CATEGORY = "(missing)"
MOST_CATEGORIES = 200
"""Distinct texts that are taken for categories without being asked to, in a table of few rows."""
SHARE_OF_CATEGORIES = 0.1
"""In a table of many rows: distinct texts to a row."""
SHARE_OF_OWN_VALUES = 0.7
"""Distinct texts to a row from which on nearly every row has a value of its own, in a table of any size."""
FEWEST_ROWS = 20
"""In fewer rows nothing is said of what repeats."""


class ManyTextsError(DataError):
    """A column of texts, most of them different, for which the config has to say what it is."""

    def __init__(self, column: str, message: str) -> None:
        self.column, self.message = column, message
        super().__init__(f"{message}; name it in exclude, in text, or (to take each as one) in categorical")


@dataclass(frozen=True)
class Category(Column):
    """One input for each value: 1 where the row has it, else 0 (one-hot)."""

    name: str
    values: Annotated[tuple[str, ...], Field(fail_fast=True)]
    missing: bool = False
    """Whether a missing value is a category of its own, behind the others."""
    kind: Literal["category"] = "category"

    @classmethod
    def recognize(cls, source: FileColumn) -> Self:
        """Whatever no other kind takes.

        Raises:
            DataError: there are too many categories.
        """
        column, table = source.coded, source.table
        count, rows = len(column.values), len(column.codes)
        known = int((column.codes >= 0).sum())
        few = count <= MOST_CATEGORIES or count <= SHARE_OF_CATEGORIES * rows
        own = known >= FEWEST_ROWS and count > SHARE_OF_OWN_VALUES * known
        if (
            (few and not own)
            or (source.name in source.dataset.targets and few)
            or source.name in source.dataset.categorical
        ):
            return cls(source.name, tuple(column.values))
        named = f"{table.name}: column {quoted(source.name)}:"
        texts = f"{count:,} different texts in {rows:,} rows"
        if source.name in source.dataset.targets:
            raise DataError(f"{named} expected classes, got {texts}")
        raise ManyTextsError(source.name, f"{named} {texts} are not categories")

    @property
    def features(self) -> list[str]:
        values = [*self.values, *([MISSING_CATEGORY] if self.missing else [])]
        return [f"{self.name}={value}" for value in values]

    @property
    def expected(self) -> str:
        return "a category"

    @property
    def accepted(self) -> str:
        return one_of(self.values, "categories")

    def read(self, cells: pa.ChunkedArray, places: Places) -> Array:  # noqa: ARG002
        """(rows,) positions in ``values``, ABSENT or UNSEEN."""
        return coded(cells).positions(self.values)

    def read_file(self, source: FileColumn) -> Array:
        return source.coded.positions(self.values)

    def absent(self, values: Array) -> Array:
        return np.equal(values, ABSENT)

    def refused(self, values: Array, policy: Policy) -> Array:
        """What is UNSEEN or ABSENT, as far as the policy does not allow it."""
        bad = self.absent(values) & (not policy.fills)
        return bad if policy.unseen == "zeros" else bad | self.unseen(values)

    def unseen(self, values: Array) -> Array:
        return np.equal(values, UNSEEN)

    def learn_features(self, source: FileColumn, training: Array) -> Self:
        codes, fills = source.coded.codes, source.policy.fills
        if len(self.values) + (fills and bool((codes < 0).any())) < 2:
            raise source.useless(f"is {quoted(self.values[0])} in every row")
        seen = codes[training]
        missing = fills and bool((seen < 0).any())
        known = np.bincount(seen[seen >= 0], minlength=len(self.values)) > 0
        if missing and not known.any():
            raise source.useless("has no value in the training part")
        return replace(self, values=tuple(compress(self.values, known)), missing=missing)

    def write_into(self, inputs: Array, values: Array) -> None:
        places = self._places(values)
        rows = np.flatnonzero(places >= 0)
        inputs[rows, places[rows]] = 1

    def bounds(self, inputs: Array, values: Array) -> tuple[Array, Array]:
        """Counted, which is ten times as fast as looking at all the zeros."""
        places = self._places(values)
        counts = np.bincount(places[places >= 0], minlength=inputs.shape[1])
        return counts == len(values), counts > 0

    def _places(self, values: Array) -> Array:
        """(rows,) which input is 1, negative for none."""
        return np.where(values == ABSENT, len(self.values), values) if self.missing else values


@dataclass(frozen=True)
class ClassTarget(Target):
    """A class to predict; ``classes`` in the order of their numbers."""

    name: str
    classes: Annotated[tuple[str, ...], Field(min_length=2, fail_fast=True)]
    kind: Literal["class"] = "class"

    @property
    def expected(self) -> str:
        return "a class"

    def encode(self, cells: pa.ChunkedArray, places: Places) -> Array:
        """(rows,) class numbers, int64; of a class with a full stop behind it too, as UCI's adult.test has them."""
        column = coded(cells)
        labels = column.positions(self.classes)
        if (labels == UNSEEN).any():
            labels = column.without_full_stops(self.classes).positions(self.classes)
        if (labels < 0).any():
            row = int((labels < 0).argmax())
            expected = one_of(self.classes, "classes")
            raise places.refusal(row, self.name, expected, column.text(row))
        return labels.astype(np.int64)
