"""Read the targets of the training file: quantities, or class indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.cells import Array, is_numeral
from nnintro.datasets.tables.columns import recognized
from nnintro.datasets.tables.columns.category import ClassTarget
from nnintro.datasets.tables.columns.coded import coded
from nnintro.datasets.tables.columns.column import Column, FileColumn, Target
from nnintro.datasets.tables.columns.number import Number, NumberTarget
from nnintro.datasets.tables.files import Table
from nnintro.errors import ConfigError, DataError
from nnintro.wording import MOST_NAMED, listed, quoted

MOST_CLASSES = 1000
FEW_NUMBERS, ROWS_OF_A_NUMBER = 10, 10
"""Whole numbers that may be classes, and how many rows there are for each of so many."""


@dataclass(frozen=True)
class Targets:
    """What is to be predicted, of every row of the file."""

    targets: tuple[Target, ...]
    values: Array
    """(rows, outputs) float64, NaN where missing; of classes (rows,) int64, -1 where missing."""
    table: Table
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        return self.targets[0].classes

    @property
    def absent(self) -> Array:
        """(rows,) truth values: no target is known."""
        if self.classes:
            return np.less(self.values, 0)
        return np.asarray(np.isnan(self.values).any(1))

    def require(self, rows: Array, *, in_series: bool) -> None:
        """Raise DataError where one of these rows lacks a target; in a series none can be left out."""
        absent = self.absent[rows]
        if not absent.any():
            return
        row = int(rows[absent].min())
        gaps = [True] if self.classes else np.isnan(self.values[row]).tolist()
        target = self.targets[gaps.index(True)]
        error = self.table.places.refusal(row, target.name, target.expected, None)
        hint = "a series with a window has a target in every row"
        raise DataError(f"{error}; {hint if in_series else 'missing: drop leaves such rows out'}")

    def with_classes_of(self, rows: Array, *, are_split: bool) -> Targets:
        """The targets with only the classes that these rows have.

        Args:
            are_split: whether some of the rows are for validation, so that a class needs two.

        Raises:
            DataError: there is one class only, or one with too few rows.
        """
        if not self.classes:
            return self
        name = self.targets[0].name
        counts = np.bincount(self.values[rows], minlength=len(self.classes))
        classes = tuple(compress(self.classes, counts > 0))
        named = f"{self.table.name}: target {quoted(name)}"
        if len(classes) < 2:
            raise DataError(f"{named} has the one class {listed(classes)}; expected two or more")
        if are_split and (single := list(compress(self.classes, counts == 1))):
            error = f"{named}: expected two rows or more of each class, got one of {listed(single)}"
            numbers = "; if they are quantities, not classes, add task: regression"
            raise DataError(error + (numbers if all(map(is_numeral, self.classes)) else ""))
        # The last entry is that of -1, no value.
        new = np.append(np.where(counts > 0, np.cumsum(counts > 0) - 1, -1), -1)
        return replace(self, targets=(ClassTarget(name, classes),), values=new[self.values])

    def require_learned(self, labels: Array) -> None:
        """Raise DataError where a class is not among the training part's labels."""
        counts = np.bincount(labels, minlength=len(self.classes))
        if not counts.all():
            name = quoted(self.classes[int(counts.argmin())])
            raise DataError(
                f"{self.table.name}: no row of class {name} is left to learn from; "
                f"expected some in the training part (split: stratified ensures it)"
            )


def read_targets(dataset: TableDataset, table: Table) -> Targets:
    """The target columns.

    Raises:
        ConfigError: several targets, not all of them numeric.
        DataError: a cell is not a number where one is expected; there is nothing to predict.
    """
    sources = [FileColumn(name, dataset, table) for name in dataset.targets]
    columns = [recognized(source) for source in sources]
    if len(columns) == 1 and _is_class(dataset, columns[0]):
        return _labels(sources[0])
    if len(columns) == 1 and dataset.two_numbers_are_classes and (two := _two_whole(columns[0], sources[0])):
        said = f"{table.name}: target {quoted(columns[0].name)} has the two whole numbers {two}"
        note = f"{said}, which are taken as classes; dataset.task: regression takes them as numbers"
        return replace(_labels(sources[0]), notes=(note,))
    for column in columns if len(columns) > 1 else []:
        if not column.quantities:
            message = f"several targets have to be numbers, and {quoted(column.name)} is not"
            raise ConfigError.at("dataset.target", message)
    targets = tuple(NumberTarget(column.name, column.reading) for column in columns)
    parts = [_quantity(target, source) for target, source in zip(targets, sources, strict=True)]
    values = np.stack(parts, axis=1)
    return Targets(targets, values, table, _few_numbers(dataset, targets, values, table))


def _few_numbers(
    dataset: TableDataset, targets: tuple[NumberTarget, ...], values: Array, table: Table
) -> tuple[str, ...]:
    """A note on a target of few whole numbers, which may be classes as well: MNIST's digits."""
    if dataset.task_kind != "auto" or not dataset.two_numbers_are_classes or len(targets) > 1:
        return ()
    known = values[~np.isnan(values)]
    if targets[0].reading != "number" or len(known) < FEW_NUMBERS * ROWS_OF_A_NUMBER:
        return ()
    different = np.unique(known)
    if not 2 < len(different) <= FEW_NUMBERS or (different != np.round(different)).any() or dataset.window is not None:
        return ()
    least, most = different[0], different[-1]
    said = f"target {quoted(targets[0].name)} has {len(different)} whole numbers from {least:g} to {most:g}"
    return (f"{table.name}: {said}, which are taken as numbers; if they are classes, add task: classification",)


def _is_class(dataset: TableDataset, column: Column) -> bool:
    if dataset.task_kind == "auto":
        return not column.quantities or column.reading == "truth"
    return dataset.task_kind == "classification"


def _quantity(target: NumberTarget, source: FileColumn) -> Array:
    table = source.table
    values = Number(target.name, target.reading).read_file(source)
    known = values[~np.isnan(values)]
    if not len(known):
        raise source.useless("has no value in any row")
    if known.min() == known.max():
        reason = f"{source.constant(float(known[0]))}: nothing is left to learn"
        raise DataError(f"{table.name}: target {quoted(target.name)} {reason}")
    return values


def _two_whole(column: Column, source: FileColumn) -> str:
    """``0 and 1``, where a column has two whole numbers and no others; else nothing."""
    values = column.read_file(source)
    known = values[~np.isnan(values)]
    if column.reading != "number" or not len(known) or not float(known[0]).is_integer():
        return ""
    different = np.unique(known).tolist()
    whole = len(different) == 2 and all(map(float.is_integer, different))
    return f"{different[0]:g} and {different[1]:g}" if whole else ""


def _labels(source: FileColumn) -> Targets:
    column, table = coded(source.written).merged(), source.table
    if not column.values:
        raise source.useless("has no value in any row")
    if len(column.values) > MOST_CLASSES:
        raise DataError(
            f"{table.name}: target {quoted(source.name)} has {len(column.values):,} different "
            f"values; expected at most {MOST_CLASSES:,} classes (or task: regression)"
        )
    target = ClassTarget(source.name, tuple(column.values))
    return Targets((target,), column.codes.astype(np.int64), table, _notes_on_spelling(source, column.values))


def _notes_on_spelling(source: FileColumn, classes: Sequence[str]) -> tuple[str, ...]:
    """That some classes may be one class in several spellings; mostly nothing."""
    spellings: dict[str, list[str]] = {}
    for name in classes:
        spellings.setdefault(" ".join(name.casefold().split()), []).append(name)
    alike = [listed(names) for names in spellings.values() if len(names) > 1]
    if not alike:
        return ()
    said = f"{source.table.name}: target {quoted(source.name)} has classes that differ only in capitals or blanks"
    return (f"{said}, and are learned as classes of their own: {' '.join(alike[:MOST_NAMED])}",)
