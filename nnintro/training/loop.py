"""The one training loop: stretches of updates, and between them a look at where we are.

It knows modules, numbers and functions; where they came from and where they are written down is
no concern of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from torch import nn

from nnintro.descent.variants import Plan
from nnintro.engines.engine import Engine, Interrupted
from nnintro.training.stopping import Patience, reached

Status = Literal["completed", "stopped", "diverged", "interrupted"]
LONGEST_STRETCH_SECONDS = 0.5
"""A progress bar moves and a signal is noticed at least this often (engines may answer sooner)."""


@dataclass(frozen=True)
class Point:
    """One look: where training stands and what was measured there."""

    step: int
    epoch: float
    samples: int
    seconds: float
    """Time spent in updates so far."""
    scalars: Mapping[str, float]


class Observer(Protocol):
    """Whoever writes down or shows what happens."""

    def observe(self, point: Point, *, last: bool) -> None: ...

    def progress(self, step: int, seconds: float) -> None: ...


@dataclass
class Outcome:
    """How training ended."""

    status: Status = "completed"
    step: int = 0
    seconds: float = 0.0
    """Spent in updates."""
    reason: str = ""


@dataclass
class Loop:
    """Everything one training needs."""

    model: nn.Module
    engine: Engine
    plan: Plan
    total: int
    moments: list[int]
    """Updates after which to look, ascending; the last is ``total``."""
    measure: Callable[[], dict[str, float]]
    learning_rate: Callable[[int], float]
    observer: Observer
    interrupted: Interrupted
    stop_when: Mapping[str, float] = field(default_factory=dict)
    patience: Patience | None = None

    def run(self) -> Outcome:
        """Train from update 0; the model is left at its last (early stopping: best) parameters."""
        outcome = Outcome()
        self._look(outcome, {"descent/learning_rate": self.learning_rate(0)})
        for moment in self.moments:
            if outcome.status != "completed":
                break
            extra = self._advance(outcome, moment)
            if outcome.step == moment or outcome.status in ("diverged", "interrupted"):
                self._look(outcome, extra)
        if self.patience is not None and outcome.status in ("completed", "stopped"):
            self.patience.restore(self.model)
        return outcome

    def _advance(self, outcome: Outcome, moment: int) -> dict[str, float]:
        """Updates up to ``moment``; returns what is known of the last of them."""
        start, before = outcome.step, outcome.seconds
        extra: dict[str, float] = {}
        while outcome.step < moment and outcome.status == "completed":
            begun = time.perf_counter()
            advance = self.engine.advance(outcome.step, moment, self._pause_after(begun))
            outcome.seconds += time.perf_counter() - begun
            outcome.step = advance.step
            if advance.gradient_norm == advance.gradient_norm:
                extra["descent/gradient_norm"] = advance.gradient_norm
                extra["descent/update_ratio"] = advance.update_ratio
            if advance.diverged:
                outcome.status, outcome.reason = "diverged", f"after {advance.step} updates"
            elif self.interrupted():
                outcome.status = "interrupted"
            self.observer.progress(outcome.step, outcome.seconds)
        if outcome.step > start:
            rate = (outcome.step - start) / max(outcome.seconds - before, 1e-9)
            extra["speed/steps_per_second"] = rate
        return {"descent/learning_rate": self.learning_rate(max(outcome.step - 1, 0)), **extra}

    def _pause_after(self, begun: float) -> Interrupted:
        """Asks the engine back for a signal, and so that the progress bar moves."""
        deadline = begun + LONGEST_STRETCH_SECONDS
        return lambda: self.interrupted() or time.perf_counter() > deadline

    def _look(self, outcome: Outcome, extra: Mapping[str, float]) -> None:
        """Measure, show, and decide whether to go on."""
        scalars = {**self.measure(), **extra}
        epoch = self.plan.epochs_after(outcome.step)
        samples = self.plan.samples_after(outcome.step)
        if outcome.status == "completed":
            self._decide(outcome, scalars, epoch)
        last = outcome.status != "completed" or outcome.step == self.total
        point = Point(outcome.step, epoch, samples, outcome.seconds, scalars)
        self.observer.observe(point, last=last)

    def _decide(self, outcome: Outcome, scalars: Mapping[str, float], epoch: float) -> None:
        if reached(self.stop_when, scalars):
            outcome.status = "stopped"
            outcome.reason = "every metric of stop_when reached"
        elif self.patience is not None and self.patience.watch(
            scalars, outcome.step, epoch, self.model
        ):
            outcome.status = "stopped"
            outcome.reason = (
                f"{self.patience.metric} has not improved since epoch "
                f"{self.patience.best_epoch:g}; back to update {self.patience.best_step}"
            )
