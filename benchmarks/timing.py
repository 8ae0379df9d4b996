"""Paired rounds: everybody once a round, in a rotating order, so that all share the weather."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from benchmarks.assignment import Assignment, loss
from benchmarks.peers import PEERS
from benchmarks.results import Results, Timed, WorkResult

Say = Callable[[str], None]
T = TypeVar("T")


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The items in a circle, begun at number ``by``."""
    by %= max(len(items), 1)
    return [*items[by:], *items[:by]]


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile; linear between neighbours."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float(low), float(middle), float(high)


def median_ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """The median of the rounds' ratios, not the ratio of medians."""
    return quartiles([one / other for one, other in zip(ones, others, strict=True)])[1]


class Entry:
    """A contestant that is ready: warmed up, its loss taken, its turns measured out."""

    def __init__(self, peer: str, assignment: Assignment, turn_seconds: float) -> None:
        work, row = assignment.work, PEERS[peer]
        row.load()
        begun = time.perf_counter()
        self.contestant = row.build(assignment)
        self.contestant.train(work.checked_epochs)
        first = time.perf_counter() - begun
        reached = loss(assignment, self.contestant.parameters())
        usual = self.contestant.train(work.checked_epochs)
        self.epochs = max(1, round(turn_seconds * work.checked_epochs / usual))
        self.updates = self.epochs * work.updates_per_epoch
        ready = max(first - usual, 0.0)
        self.timed = Timed(peer, row.label, row.ours, ready_seconds=ready, loss=reached)

    def turn(self) -> None:
        gc.collect()  # what the others left behind is not this one's to clean up
        self.timed.rates.append(self.updates / self.contestant.train(self.epochs))


def measure(
    assignment: Assignment, peers: Sequence[str], rounds: int, turn_seconds: float, say: Say, results: Results
) -> WorkResult:
    """Prepare everybody, then time ``rounds`` rounds; who cannot take part is left out by name.

    Args:
        turn_seconds: about how long a turn takes; never less than an epoch.
    """
    work = assignment.work
    entries = []
    for peer in peers:
        say(f"{work.title}: preparing {PEERS[peer].label}")
        try:
            entries.append(Entry(peer, assignment, turn_seconds))
        except Exception as error:
            # One that breaks is told of, and does not take the others' numbers with it.
            reason = f"{work.name}: {type(error).__name__}: {error}".splitlines()[0]
            results.left_out[PEERS[peer].label] = reason
    for number in range(rounds):
        say(f"{work.title}: round {number + 1} of {rounds}")
        for entry in rotated(entries, number):
            entry.turn()
    return WorkResult(
        work=work.name,
        title=work.title,
        optimizer=assignment.optimizer,
        checked_updates=work.checked_epochs * work.updates_per_epoch,
        start_loss=loss(assignment, assignment.layers),
        contestants=[entry.timed for entry in entries],
    )
