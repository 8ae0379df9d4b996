"""One trial of a sweep: its values, its trainings, and the mean of what they reached."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nnintro.config.load import Config, with_values
from nnintro.config.sweep import Sweep
from nnintro.config.task import grows
from nnintro.errors import NnintroError
from nnintro.training.loop import Point
from nnintro.training.repeated import KnownData, Trained, train_again

LAG = 8
"""What is decided of trial k (its suggestion, whether it is stopped) depends on trials up to k - LAG alone: so it does
not depend on which of the last few were faster, and up to LAG workers need not wait for each other."""
LEAST_EARLIER = 5
"""Of fewer trials a median says too little."""
MOST_LOOKS = 20
"""At which a trial may be stopped."""
WATCHED_SECONDS = 1.0
"""A training of less is over before it would pay to stop it."""
Status = Literal["completed", "diverged", "stopped", "failed"]


@dataclass(frozen=True)
class Trial:
    """Values to train with."""

    number: int
    """From 0."""
    values: Mapping[str, Any]
    """Key -> value, as ``--set`` has them."""


@dataclass(frozen=True)
class Result:
    """What became of a trial."""

    number: int
    values: Mapping[str, Any]
    status: Status
    """``stopped`` is a trial that was worse than others; a training that ended by its own rule is ``completed``."""
    objective: float | None
    """The mean over the seeds; None where a training diverged or failed, or the metric has no value."""
    metrics: Mapping[str, float]
    """Tag -> the mean over the seeds."""
    seed: int
    """The first seed."""
    seconds: float
    reason: str = ""
    """Why it failed or was stopped."""
    looks: Sequence[float] = field(default=())
    """The objective at each look, where trials can be stopped."""


class Trainer:
    """Trains trials of a sweep; each training has the bits of ``nnintro train`` with ``--set`` of its values.

    Args:
        config: a config with its sweep section; trials are made of it.
        earlier: results of trials, by which later ones are stopped (see ``is_worse_than_median``); those up to
            ``number - LAG`` are in it when trial ``number`` begins.
        known: the data, built once for all trials.
    """

    def __init__(
        self, config: Config, sweep: Sweep, earlier: Mapping[int, Result], known: KnownData | None = None
    ) -> None:
        self.config, self.sweep, self.known = config, sweep, known or KnownData()
        self._earlier, self._maximize = earlier, grows(sweep.tag)

    def run(self, trial: Trial, interrupted: threading.Event) -> Result | None:
        """Train all seeds of a trial; None where ``interrupted`` was set before their end.

        What goes wrong with a trial is its result: the sweep goes on.
        """
        begun, seed = time.perf_counter(), self.first_seed(trial)
        measured: list[Mapping[str, float]] = []
        looks: list[float] = []
        status: Status = "completed"
        reason = ""
        try:
            for values in self.trainings(trial):
                trained = self._train(trial, values, interrupted, None if measured else looks)
                if trained.status == "interrupted":
                    return None
                if trained.status in ("diverged", "given up"):
                    status = "diverged" if trained.status == "diverged" else "stopped"
                    reason = trained.reason or f"worse than earlier trials after {trained.steps} updates"
                    break
                measured.append(trained.metrics)
        except KeyboardInterrupt:  # the wait for the kernel was given up
            return None
        except NnintroError as error:
            status, reason = "failed", str(error)
        metrics = _mean(measured) if status == "completed" else {}
        objective, seconds = metrics.get(self.sweep.tag), time.perf_counter() - begun
        return Result(trial.number, trial.values, status, finite(objective), metrics, seed, seconds, reason, looks)

    def _train(
        self, trial: Trial, values: Mapping[str, Any], interrupted: threading.Event, looks: list[float] | None
    ) -> Trained:
        """One training; its looks are kept in ``looks``, by which it may be stopped."""

        def watch(point: Point) -> bool:
            assert looks is not None
            looks.append(point.scalars.get(self.sweep.tag, math.nan))
            return not is_worse_than_median(looks, self._earlier, trial.number, maximize=self._maximize)

        config = with_values(self.config, values)
        watched = watch if self.sweep.stop_bad_trials and looks is not None else None
        return train_again(
            config, self.known, interrupted.is_set, watched, most_looks=MOST_LOOKS, watch_from=WATCHED_SECONDS
        )

    def first_seed(self, trial: Trial) -> int:
        """The seed of a trial's first training."""
        return int(trial.values.get("seed", self.config.experiment.seed))

    def trainings(self, trial: Trial) -> list[Mapping[str, Any]]:
        """The values of each training of a trial: with its seed, where there are several."""
        if self.sweep.seeds == 1:
            return [trial.values]
        first = self.first_seed(trial)
        return [{**trial.values, "seed": first + index} for index in range(self.sweep.seeds)]


def is_worse_than_median(
    looks: Sequence[float], earlier: Mapping[int, Result], number: int, *, maximize: bool = False
) -> bool:
    """Whether a trial is at its latest look worse than the median of the trials up to ``number - LAG`` at the same one.

    Of trials that came to their end, from ``LEAST_EARLIER`` of them on.
    """
    at, latest = len(looks) - 1, looks[-1]
    results = (earlier.get(other) for other in range(number - LAG + 1))
    others = [r.looks[at] for r in results if r is not None and r.status == "completed" and len(r.looks) > at]
    others = [value for value in others if not math.isnan(value)]
    if len(others) < LEAST_EARLIER:
        return False
    median = statistics.median(others)
    return math.isnan(latest) or (latest < median if maximize else latest > median)


def finite(value: float | None) -> float | None:
    """A number, or None for what is not finite."""
    return value if value is not None and math.isfinite(value) else None


def _mean(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Tag -> mean, of the tags that all have; the sum is exact, so that one seed's mean is its value."""
    tags = [tag for tag in measured[0] if all(tag in one for one in measured)]
    return {tag: mean([one[tag] for one in measured]) for tag in tags}


def mean(values: Sequence[float]) -> float:
    """The mean of numbers; what is not finite among them makes it so too."""
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else sum(values) / len(values)
