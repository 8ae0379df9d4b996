"""Which rows of a table are learned from, and which are kept for validation."""

from __future__ import annotations

import numpy as np
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.config.section import held_out
from nnintro.datasets.samples import Data, split
from nnintro.datasets.tables.categories import coded
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.files.source import Table
from nnintro.datasets.tables.targets import Targets
from nnintro.errors import DataError
from nnintro.wording import quoted

Parts = tuple[Array, Array]
"""Rows to learn from, rows for validation; positions in the file, int64."""
MOST_EXACT = 1000
"""Groups up to which the best choice among them is looked for."""


def kind_of_split(dataset: TableDataset, targets: Targets) -> str:
    """What ``split: auto`` stands for."""
    if dataset.split != "auto":
        return dataset.split
    if dataset.window is not None:
        return "time"
    return "stratified" if targets.classes else "random"


def wanted(dataset: TableDataset, n: int) -> int:
    """Samples for validation: at least one, never all."""
    return held_out(n, dataset.validation)


def random_sample(targets: Targets, rows: Array, most: int, generator: torch.Generator) -> Array:
    """At most so many of the rows, in their order; of each class two where it has two.

    Twice the number of classes where that is more.
    """
    classes = len(targets.classes)
    most = max(most, 2 * classes)
    if len(rows) <= most:
        return rows
    shuffled = rows[torch.randperm(len(rows), generator=generator).numpy()]
    if classes:
        labels = targets.values[shuffled]
        firsts = [np.flatnonzero(labels == label)[:2] for label in range(classes)]
        first = np.concatenate(firsts)
        rest = np.delete(np.arange(len(shuffled)), first)
        shuffled = shuffled[np.concatenate([first, rest])]
    return np.sort(shuffled[:most])


def shared_out(
    dataset: TableDataset,
    table: Table,
    targets: Targets,
    rows: Array,
    times: Array | None,
    generator: torch.Generator,
) -> Parts:
    """The two parts of the rows, each in the rows' order.

    Args:
        rows: for a split by time in the order of time.
        times: of every row of the file, where there is a column of them.

    Raises:
        DataError: they cannot be split as asked.
    """
    kind, count = kind_of_split(dataset, targets), wanted(dataset, len(rows))
    if kind == "time":
        return by_time(rows, None if times is None else times[rows], count, table)
    if kind == "group":
        assert dataset.split_by is not None
        return by_group(rows, _groups(dataset.split_by, rows, table), count, generator, table)
    classes = len(targets.classes) if kind == "stratified" else None
    labels = torch.from_numpy(targets.values[rows] if classes else np.zeros(len(rows), np.int64))
    both = split(Data(torch.from_numpy(rows), labels), count, generator, classes)
    return both[0].inputs.numpy(), both[1].inputs.numpy()


def by_time(rows: Array, times: Array | None, count: int, table: Table) -> Parts:
    """The latest ``count`` rows; rows of one time stay together, as near to that as can be.

    Raises:
        DataError: all rows are of one time.
    """
    cut = len(rows) - count
    if times is not None:
        starts = np.flatnonzero(np.diff(times)) + 1  # where a later time begins
        if not len(starts):
            raise DataError(f"{table.name}: all rows are of one time, so no later part is there")
        cut = int(starts[np.abs(starts - cut).argmin()])
    return rows[:cut], rows[cut:]


def _groups(name: str, rows: Array, table: Table) -> Array:
    """The groups of these rows."""
    codes = coded(table.column(name)).codes[rows]
    if (codes < 0).any():
        row = int(rows[codes < 0].min())
        error = table.places.refusal(row, name, "the name of a group", None)
        raise DataError(f"{error}; missing: drop leaves such rows out")
    return codes


def by_group(
    rows: Array, groups: Array, count: int, generator: torch.Generator, table: Table
) -> Parts:
    """Whole groups, drawn at random, so that validation has as near to ``count`` rows as can be.

    Raises:
        DataError: there is one group only.
    """
    found, members = np.unique(groups, return_inverse=True)
    if len(found) < 2:
        raise DataError(f"{table.name}: expected two groups or more to split by, got one")
    order = torch.randperm(len(found), generator=generator).numpy()
    sizes = np.bincount(members)[order]
    chosen = _best(sizes, count) if len(found) <= MOST_EXACT else _first_that_fit(sizes, count)
    held_out = np.isin(members, order[chosen])
    return rows[~held_out], rows[held_out]


def _best(sizes: Array, count: int) -> list[int]:
    """Positions whose sizes add up to as near to ``count`` as can be; not all of them, not none."""
    total = int(sizes.sum())
    last = np.full(total + 1, -1)  # the item that first reached a sum
    reached = np.zeros(total + 1, bool)
    reached[0] = True
    for item, size in enumerate(sizes.tolist()):
        new = np.zeros_like(reached)
        new[size:] = reached[: total + 1 - size]
        new &= ~reached
        last[new] = item
        reached |= new
    sums = np.flatnonzero(reached)[1:-1]
    left = int(sums[np.abs(sums - count).argmin()])
    chosen = []
    while left:
        chosen.append(int(last[left]))
        left -= int(sizes[chosen[-1]])
    return chosen


def _first_that_fit(sizes: Array, count: int) -> list[int]:
    """One after the other whatever still fits: among many groups hardly anything is left over."""
    chosen, left = [], count
    for item, size in enumerate(sizes.tolist()):
        if size <= left:
            chosen.append(item)
            left -= size
    return chosen or [int(sizes.argmin())]


def lacking(targets: Targets, labels: Array, table: Table) -> None:
    """Check that every class is learned from.

    Raises:
        DataError: one is not.
    """
    counts = np.bincount(labels, minlength=len(targets.classes))
    if (counts == 0).any():
        name = quoted(targets.classes[int((counts == 0).argmax())])
        raise DataError(
            f"{table.name}: no row of class {name} is left to learn from; "
            f"expected some in the training part (split: stratified sees to it)"
        )
