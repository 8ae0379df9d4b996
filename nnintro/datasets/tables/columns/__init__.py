"""Turn columns into network inputs and targets, with one class per kind of column."""

from __future__ import annotations

from nnintro.datasets.tables.columns.category import Category, ClassTarget
from nnintro.datasets.tables.columns.column import Column, FileColumn, Target
from nnintro.datasets.tables.columns.number import Number, NumberTarget
from nnintro.datasets.tables.columns.words import Words

COLUMNS: dict[str, type[Column]] = {"words": Words, "number": Number, "category": Category}
"""kind -> its class, in the order in which they are asked to recognize a column."""
TARGETS: dict[str, type[Target]] = {"number": NumberTarget, "class": ClassTarget}
"""kind -> its class."""


def recognized(source: FileColumn) -> Column:
    """The column as its kind has it, before anything is learned from the training rows.

    Raises:
        DataError: it cannot be used.
    """
    return next(filter(None, (kind.recognize(source) for kind in COLUMNS.values())))
