"""Train many networks in memory, one after the other or in threads: data is built once, nothing is recorded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from nnintro.config.experiment import Experiment
from nnintro.config.load import Config
from nnintro.datasets import Data, Splits
from nnintro.engines.choose import estimated_seconds
from nnintro.engines.engine import Interrupted
from nnintro.errors import memory_for
from nnintro.models.forward import own_modes, threads, threads_for, threads_here
from nnintro.runs.state import Outcome
from nnintro.training.looks import even_moments
from nnintro.training.loop import Point
from nnintro.training.setup import assemble, build_data

MOST_BYTES = 1 << 28
"""Of the data of several seeds or datasets that is kept; the latest is kept whatever its size."""
MOST_KEPT = 100
"""The same as a number: of a sweep over many seeds each is used once."""
Watch = Callable[[Point], bool]
"""Sees each look, with its metrics; says whether training is to go on."""


class KnownData:
    """The data of configs that differ in other keys, built once; may be asked from several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Splits[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, experiment: Experiment) -> Splits[Any]:
        """The data of a config (see ``setup.build_data`` for what it raises)."""
        key = repr((experiment.dataset, experiment.loss, experiment.seed, experiment.precision))
        # One thread at a time: two that need the same data would both build it, in twice the memory.
        with self._lock:
            if key not in self._known:
                self._known[key] = build_data(experiment)
                self._forget(self._known[key])
            self._known.move_to_end(key)
            return self._known[key]

    def _forget(self, latest: Splits[Any]) -> None:
        while len(self._known) > 1 and (
            len(self._known) > MOST_KEPT or sum(map(_bytes, self._known.values())) > MOST_BYTES
        ):
            oldest = next(iter(self._known))
            if self._known[oldest] is latest:
                return
            del self._known[oldest]


def _bytes(splits: Splits[Any]) -> int:
    """The memory of tables of numbers; images count as too many to be kept twice."""
    parts = splits.train, splits.validation
    if not all(isinstance(part, Data) for part in parts):
        return MOST_BYTES
    return sum(t.numel() * t.element_size() for part in parts for t in (part.inputs, part.targets))


@dataclass(frozen=True)
class Trained:
    """What came of one training.

    ``metrics`` are those of ``summary.json``: empty where training was interrupted or diverged.
    """

    status: str
    """completed, stopped (by a stopping rule), given up (by ``watch``), diverged, or interrupted."""
    reason: str
    steps: int
    metrics: Mapping[str, float]
    model: nn.Module
    """The network in evaluation mode, on the CPU; takes raw inputs."""


def train_again(
    config: Config,
    known: KnownData,
    interrupted: Interrupted = lambda: False,
    watch: Watch | None = None,
    *,
    most_looks: int | None = None,
    watch_from: float = 0.0,
) -> Trained:
    """Train as a config says, with the bits of ``train``; divergence is a result here, and not an error.

    Args:
        config: as ``load_config`` gives it.
        known: keeps the data between trainings.
        interrupted: asked now and then (from this thread) whether to end.
        watch: sees every look; without it none is made, which saves a small network most of its time.
        most_looks: how many looks ``watch`` sees at most, evenly spread; by default as many as ``train`` makes.
        watch_from: seconds that training takes at least (estimated from its sizes), or nothing is watched.

    Raises:
        ConfigError: it asks for something that does not go with the data or the machine.
        DataError: the data cannot be read or used.
        OutOfMemoryError: the machine does not have the memory.
    """
    threads_here()  # before torch's first operation in this thread settles the number by itself
    with own_modes(), config.locating():
        splits = known.of(config.experiment)
        parts = assemble(config.setup(splits.found), splits, interrupted=interrupted)
    with own_modes(), threads(threads_for(parts.network, parts.plan.batch_size)):
        with memory_for(parts.need):
            if watch is not None and watch_from > 0 and estimated_seconds(parts, parts.engine.name) < watch_from:
                watch = None
            if watch is None:
                parts.moments = parts.moments[-1:]
            elif most_looks is not None:
                parts.moments = even_moments(parts.setup.total_updates, most_looks)
            observer, sample = _Observer(watch), parts.measured_sample()
            measure = dict if watch is None else lambda: parts.evaluator.measure(sample)
            loop = parts.loop(measure, observer, observer, lambda: observer.gave_up or interrupted())
            outcome = loop.run()
        status = "given up" if observer.gave_up and outcome.status == "interrupted" else outcome.status
        metrics = {} if status in ("diverged", "interrupted") else parts.evaluator.measure(parts.train)
        model = parts.model.cpu().eval()
        return Trained(status, outcome.reason, outcome.step, metrics, model)


class _Observer:
    """Hands looks to ``watch``; a ``loop.Observer`` and a ``loop.Keeper`` that keeps nothing."""

    def __init__(self, watch: Watch | None) -> None:
        self._watch, self.gave_up = watch, False

    def observe(self, point: Point, *, last: bool) -> None:
        if self._watch is not None and not last and not self._watch(point):
            self.gave_up = True

    def progress(self, step: int, seconds: float) -> None:
        """Nobody watches."""

    def next_stop(self, step: int) -> None:
        """No update is special."""

    def offer(self, outcome: Outcome) -> None:
        """Nothing is kept."""

    save = offer
