"""The targets of a table: quantities, or the numbers of classes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.categories import coded
from nnintro.datasets.tables.cells import EXPECTED, Array
from nnintro.datasets.tables.columns import ClassTarget, NumberTarget, Target
from nnintro.datasets.tables.encode import finite_numbers
from nnintro.datasets.tables.files.source import Table
from nnintro.datasets.tables.roles import Kind, empty_column, kind_of
from nnintro.errors import ConfigError, DataError
from nnintro.wording import listed, quoted

MOST_CLASSES = 1000


@dataclass(frozen=True)
class Targets:
    """What is to be predicted, of every row of the file."""

    targets: tuple[Target, ...]
    values: Array
    """(rows, outputs) float64, NaN where missing; of classes (rows,) int64, -1 where missing."""

    @property
    def classes(self) -> tuple[str, ...]:
        first = self.targets[0]
        return first.classes if isinstance(first, ClassTarget) else ()

    @property
    def absent(self) -> Array:
        """(rows,) truth values: no target is known."""
        if self.classes:
            return np.less(self.values, 0)
        return np.asarray(np.isnan(self.values).any(1))


def read_targets(dataset: TableDataset, table: Table) -> Targets:
    """The target columns.

    Raises:
        ConfigError: several targets, not all of them numeric.
        DataError: a cell is no number where a number is expected; there is nothing to predict.
    """
    kinds = [(name, kind_of(name, dataset, table)) for name in dataset.targets]
    if len(kinds) > 1:
        for name, kind in kinds:
            if kind.kind != "number":
                message = f"several targets have to be numbers, and {quoted(name)} is none"
                raise ConfigError.at("dataset.target", message)
    elif _is_class(dataset, kinds[0][1]):
        return _labels(kinds[0][0], table)
    parts = [_quantity(name, kind, table) for name, kind in kinds]
    targets = tuple(NumberTarget(name, kind.reading) for name, kind in kinds)
    return Targets(targets, np.stack(parts, axis=1))


def _is_class(dataset: TableDataset, kind: Kind) -> bool:
    if dataset.task_kind == "auto":
        return kind.kind == "category" or kind.reading == "truth"
    return dataset.task_kind == "classification"


def _quantity(name: str, kind: Kind, table: Table) -> Array:
    values = finite_numbers(table.column(name), name, kind.reading, table.places)
    known = values[~np.isnan(values)]
    if not len(known):
        raise empty_column(name, table)
    if known.min() == known.max():
        message = f"target {quoted(name)} is {known[0]:g} in every row: nothing is left to learn"
        raise DataError(f"{table.name}: {message}")
    return values


def _labels(name: str, table: Table) -> Targets:
    found = coded(table.column(name))
    if not found.values:
        raise empty_column(name, table)
    if len(found.values) > MOST_CLASSES:
        raise DataError(
            f"{table.name}: target {quoted(name)} has {len(found.values):,} different values; "
            f"expected at most {MOST_CLASSES:,} classes (or task: regression)"
        )
    return Targets((ClassTarget(name, tuple(found.values)),), found.codes.astype(np.int64))


def known(targets: Targets, rows: Array, table: Table, *, in_series: bool = False) -> None:
    """Check that these rows have their targets; in a series none can be left out.

    Raises:
        DataError: one has not.
    """
    absent = targets.absent[rows]
    if not absent.any():
        return
    row = int(rows[absent].min())
    for index, target in enumerate(targets.targets):
        if targets.classes or np.isnan(targets.values[row, index]):
            wanted = EXPECTED[target.reading] if isinstance(target, NumberTarget) else "a class"
            error = table.places.refusal(row, target.name, wanted, None)
            if in_series:
                raise DataError(f"{error}; a series with a window has a target in every row")
            raise DataError(f"{error}; missing: drop leaves such rows out")


def with_classes_of(targets: Targets, rows: Array, table: Table) -> Targets:
    """The targets with only the classes that these rows have.

    Raises:
        DataError: there is one class only, or one with a single row.
    """
    if not targets.classes:
        return targets
    name = targets.targets[0].name
    labels = targets.values[rows]
    counts = np.bincount(labels, minlength=len(targets.classes))
    classes = tuple(np.array(targets.classes, object)[counts > 0].tolist())
    if len(classes) < 2:
        raise DataError(
            f"{table.name}: target {quoted(name)} has the one class {listed(classes)}; "
            f"expected two or more"
        )
    single = [targets.classes[index] for index in np.flatnonzero(counts == 1)]
    if single:
        raise DataError(
            f"{table.name}: target {quoted(name)}: expected two rows or more of each class, "
            f"got one of {listed(single)}"
        )
    new = np.append(np.where(counts > 0, np.cumsum(counts > 0) - 1, -1), -1)
    target = ClassTarget(name, classes)
    return replace(targets, targets=(target,), values=new[targets.values])
