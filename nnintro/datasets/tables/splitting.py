"""Split the rows of a table into training and validation rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from nnintro.config.datasets.table import TableDataset
from nnintro.config.section import held_out
from nnintro.datasets.samples import Data, split
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns.coded import coded
from nnintro.datasets.tables.columns.column import FileColumn
from nnintro.datasets.tables.encoding import Window
from nnintro.datasets.tables.files import Table
from nnintro.datasets.tables.series import groups
from nnintro.datasets.tables.targets import Targets
from nnintro.datasets.tables.times import Times
from nnintro.errors import DataError
from nnintro.wording import counted

Parts = tuple[Array, Array]
"""Rows to learn from, rows for validation; positions in the file, int64."""
MOST_EXACT = 1000
"""Groups up to which the best choice among them is looked for."""


@dataclass(frozen=True)
class Division:
    """What the samples are made of, and which of them are learned from."""

    rows: Array
    """Positions in the file, those of training samples first."""
    seen: int
    """How many of the rows, from the first, training samples see."""
    training: int
    """How many of the samples, from the first, are learned from."""
    answers: Array
    """The samples' targets, as ``Targets.values`` has them."""
    window: Window | None = None
    windows: Array | None = None
    """(samples, window) which of ``rows`` each sample consists of; None where they follow each other."""
    notes: tuple[str, ...] = ()


def kind_of_split(dataset: TableDataset, targets: Targets) -> str:
    """What ``split: auto`` stands for; of rows that are all learned from, how some of them are chosen."""
    if dataset.split != "auto":
        return dataset.split
    if dataset.window is not None:
        return "time"
    return "stratified" if targets.classes else "random"


def random_sample(targets: Targets, rows: Array, most: int, generator: torch.Generator) -> Array:
    """At most ``most`` of the rows, or two for each class if more, in their order; two of each class that has two."""
    classes = len(targets.classes)
    most = max(most, 2 * classes)
    if len(rows) <= most:
        return rows
    shuffled = rows[torch.randperm(len(rows), generator=generator).numpy()]
    if classes:
        labels = targets.values[shuffled]
        first = np.concatenate([np.flatnonzero(labels == label)[:2] for label in range(classes)])
        shuffled = np.concatenate([shuffled[first], np.delete(shuffled, first)])
    return np.sort(shuffled[:most])


def divided(
    dataset: TableDataset,
    targets: Targets,
    times: Times | None,
    series: Array | None,
    rows: Array,
    generator: torch.Generator,
) -> Division:
    """Share the rows out; of each series without ever looking ahead.

    Args:
        series: (rows of the file,) the number of each row's series; None where all are one.
        rows: those that are used, series by series; in each, and for a split by time, in the order of time.

    Raises:
        DataError: they cannot be split as asked.
    """
    if dataset.window is not None:
        return _windows(dataset, targets, times, groups(rows, series))
    train, validation = _parts(dataset, targets, times, series, rows, generator)
    order = np.concatenate([train, validation])
    return Division(order, len(train), len(train), targets.values[order])


def _windows(dataset: TableDataset, targets: Targets, times: Times | None, series: list[Array]) -> Division:
    """Samples of windows.

    Sample s of a series sees rows s to s + window - 1 and answers with row
    s + window - 1 + horizon, and the earliest samples are learned from: what validation is asked
    for lies behind all that training has seen or was asked for.
    """
    assert dataset.window is not None
    before, ahead = dataset.window - 1, dataset.horizon
    long = [rows for rows in series if len(rows) > before + ahead]
    counts = [len(rows) - before - ahead for rows in long]
    needed = f"a window of {dataset.window:,} rows and a horizon of {ahead:,} need"
    if max(counts, default=0) < 2:
        most = max(map(len, series))
        got = f"got {most:,}" if len(series) == 1 else f"the longest of {len(series):,} series has {most:,}"
        raise DataError(f"{targets.table.name}: {needed} {before + ahead + 2:,} rows or more, {got}")
    own = dataset.validation_file is not None
    training = [count if own or count < 2 else count - held_out(count, dataset.held_out) for count in counts]
    window = Window(dataset.window, ahead, None if times is None else times.column, tuple(dataset.series_names))
    answers = [targets.values[rows[before + ahead :]] for rows in long]
    seen = [rows[: before + learned] for rows, learned in zip(long, training, strict=True)]
    later = [
        rows[before + learned : before + count] for rows, learned, count in zip(long, training, counts, strict=True)
    ]
    order = np.concatenate([*seen, *later])
    windows = None if len(long) == 1 else _positions(seen, later, training, dataset.window)
    both = [*(part[:n] for part, n in zip(answers, training, strict=True))]
    both += [part[n:] for part, n in zip(answers, training, strict=True)]
    short = len(series) - len(long)
    notes = (
        f"{targets.table.name}: {short:,} of {len(series):,} series are too short and left out: "
        f"{needed} {before + ahead + 1:,} rows or more",
    )
    return Division(
        order, sum(map(len, seen)), sum(training), np.concatenate(both), window, windows, notes if short else ()
    )


def _positions(seen: list[Array], later: list[Array], training: list[int], window: int) -> Array:
    """(samples, window) places in the rows of all ``seen`` and then all ``later``, training samples first."""
    sizes = np.array([len(part) for part in (*seen, *later)])
    starts = np.cumsum(sizes) - sizes
    places = [np.arange(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    first, last = [], []
    for index, learned in enumerate(training):
        own = np.concatenate([places[index], places[len(seen) + index]])
        views = np.lib.stride_tricks.sliding_window_view(own, window)
        first.append(views[:learned])
        last.append(views[learned:])
    return np.concatenate([*first, *last])


def _parts(
    dataset: TableDataset,
    targets: Targets,
    times: Times | None,
    series: Array | None,
    rows: Array,
    generator: torch.Generator,
) -> Parts:
    """The two parts of the rows, each in the rows' order."""
    if dataset.validation_file is not None:
        return rows, rows[:0]
    kind, table = kind_of_split(dataset, targets), targets.table
    count = held_out(len(rows), dataset.held_out)
    if kind == "time":
        return latest(groups(rows, series), times, dataset.held_out, table)
    if kind == "group":
        assert dataset.split_by is not None
        codes = coded(FileColumn(dataset.split_by, dataset, table).written).codes[rows]
        if (codes < 0).any():
            error = table.places.refusal(int(rows[codes < 0].min()), dataset.split_by, "the name of a group", None)
            raise DataError(f"{error}; missing: drop leaves such rows out")
        return by_group(rows, codes, count, generator, table)
    classes = len(targets.classes) if kind == "stratified" else None
    labels = torch.from_numpy(targets.values[rows] if classes else np.zeros(len(rows), np.int64))
    both = split(Data(torch.from_numpy(rows), labels), count, generator, classes)
    return both[0].inputs.numpy(), both[1].inputs.numpy()


def latest(series: list[Array], times: Times | None, validation: float, table: Table) -> Parts:
    """The latest rows of each series; of a series with one time only all rows are learned from.

    Raises:
        DataError: no series has two times.
    """
    parts, known = [], None if times is None else times.values
    for rows in series:
        first_and_last = rows[[0, -1]] if known is None else known[rows[[0, -1]]]
        if len(series) > 1 and first_and_last[0] == first_and_last[1]:
            parts.append((rows, rows[:0]))
        else:
            count = held_out(len(rows), validation)
            parts.append(by_time(rows, None if known is None else known[rows], count, table))
    train, kept = (np.concatenate(part) for part in zip(*parts, strict=True))
    if not len(kept):
        raise DataError(f"{table.name}: none of the {counted(len(series), 'series')} has rows of two times")
    return train, kept


def by_time(rows: Array, times: Array | None, count: int, table: Table) -> Parts:
    """The latest ``count`` rows; rows of one time stay together, as near to that as can be.

    Raises:
        DataError: all rows have the same time.
    """
    cut = len(rows) - count
    if times is not None:
        starts = np.flatnonzero(np.diff(times)) + 1  # where a later time begins
        if not len(starts):
            raise DataError(f"{table.name}: all rows have the same time, so none is later than the others")
        cut = int(starts[np.abs(starts - cut).argmin()])
    return rows[:cut], rows[cut:]


def by_group(rows: Array, groups: Array, count: int, generator: torch.Generator, table: Table) -> Parts:
    """Whole groups, drawn at random, so that validation has as near to ``count`` rows as can be.

    Raises:
        DataError: there is one group only.
    """
    names, members = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise DataError(f"{table.name}: expected two groups or more to split by, got one")
    order = torch.randperm(len(names), generator=generator).numpy()
    sizes = np.bincount(members)[order]
    chosen = _best(sizes, count) if len(names) <= MOST_EXACT else _first_that_fit(sizes, count)
    kept = np.isin(members, order[chosen])
    return rows[~kept], rows[kept]


def _best(sizes: Array, count: int) -> list[int]:
    """Positions whose sizes add up to as near to ``count`` as can be; not all of them, not none.

    The subset-sum problem by dynamic programming, in groups x rows steps.
    """
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
    """Greedily whatever still fits: among many groups hardly anything is left over."""
    chosen, left = [], count
    for item, size in enumerate(sizes.tolist()):
        if size <= left:
            chosen.append(item)
            left -= size
    return chosen or [int(sizes.argmin())]
