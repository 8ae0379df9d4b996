"""One trial of a sweep: its values, its trainings, and the mean of what they reached."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nnintro.config.experiment import as_values
from nnintro.config.load import Config, with_values
from nnintro.config.sweep import Sweep
from nnintro.errors import DivergedError, NnintroError
from nnintro.training.fit import fit

LAG = 8
"""What is decided of trial k (its suggestion, whether it is stopped) depends on trials up to k - LAG alone: so it does
not depend on which of the last few were faster, and up to LAG workers need not wait for each other."""
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
    """

    def __init__(self, config: Config, sweep: Sweep) -> None:
        self.config, self.sweep = config, sweep

    def run(self, trial: Trial, interrupted: threading.Event) -> Result | None:
        """Train all seeds of a trial; None where ``interrupted`` was set before their end.

        What goes wrong with a trial is its result: the sweep goes on.
        """
        begun = time.perf_counter()
        seed = self.first_seed(trial)
        measured: list[Mapping[str, float]] = []

        def result(status: Status, metrics: Mapping[str, float], reason: str = "") -> Result:
            objective = _finite(metrics.get(self.sweep.tag)) if status == "completed" else None
            seconds = time.perf_counter() - begun
            return Result(trial.number, trial.values, status, objective, metrics, seed, seconds, reason)

        try:
            for values in self.trainings(trial):
                fitted = fit(as_values(with_values(self.config, values).experiment), stop=interrupted)
                if fitted.status == "interrupted":
                    return None
                measured.append(fitted.metrics)
        except DivergedError as error:
            return result("diverged", {}, str(error))
        except NnintroError as error:
            return result("failed", {}, str(error))
        return result("completed", _mean(measured))

    def first_seed(self, trial: Trial) -> int:
        return int(trial.values.get("seed", self.config.experiment.seed))

    def trainings(self, trial: Trial) -> list[Mapping[str, Any]]:
        """The values of each training of a trial: with its seed, where there are several."""
        if self.sweep.seeds == 1:
            return [trial.values]
        first = self.first_seed(trial)
        return [{**trial.values, "seed": first + index} for index in range(self.sweep.seeds)]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _mean(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Tag -> mean, of the tags that all have; correctly rounded, so that one seed's mean is its value."""
    tags = [tag for tag in measured[0] if all(tag in one for one in measured)]
    return {tag: math.fsum(one[tag] for one in measured) / len(measured) for tag in tags}
