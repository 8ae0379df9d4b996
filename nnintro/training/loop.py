"""The training loop: blocks of updates, with measurements between them.

It knows modules, numbers and functions; where they came from and where they are written down is
no concern of its own.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from torch import nn

from nnintro.descent.variants import Plan
from nnintro.engines.engine import Advance, Engine, Interrupted
from nnintro.runs.state import Outcome
from nnintro.runs.summary import OVER
from nnintro.training.stopping import Patience, reached

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


class Keeper(Protocol):
    """Whoever saves a training, so that it can be taken up again."""

    def next_stop(self, step: int) -> int | None:
        """The update after ``step`` at which it wants to be asked; None for no such update."""
        ...

    def offer(self, outcome: Outcome) -> None:
        """A moment at which training could be taken up again."""
        ...

    def save(self, outcome: Outcome) -> None:
        """Training ends here."""
        ...


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
    watched: Callable[[], dict[str, float]]
    """Measures what the stopping rules ask for, on a sample where there is much validation data."""
    confirmed: Callable[[], dict[str, float]]
    """The same on all of it."""
    learning_rate: Callable[[int], float]
    observer: Observer
    keeper: Keeper
    interrupted: Interrupted
    stop_when: Mapping[str, float] = field(default_factory=dict)
    patience: Patience | None = None
    interrupted_anywhere: Interrupted | None = None
    """Whether any of the processes that share the updates is; asked by all of them at the same update.  None: there is
    this one alone."""

    def run(self, outcome: Outcome | None = None) -> Outcome:
        """Train; the model is left at its last (early stopping: best) parameters.

        Args:
            outcome: where to go on from, the parameters being those of that moment; without it
                training begins, with a look at the network as it is.
        """
        if outcome is None:
            outcome = Outcome()
            self._decide(outcome)
            self._look(outcome, {"descent/learning_rate": self.learning_rate(0)})
        else:
            outcome.status, outcome.reason = "running", ""
        for moment in self.moments:
            if outcome.status == "running" and moment > outcome.step:
                self._train_to(outcome, moment)
        if outcome.status == "running":
            outcome.status = "completed"
        if outcome.status in OVER:
            self._say_where_it_went_back_to(outcome)
            self.keeper.save(outcome)
            if self.patience is not None:
                self.patience.restore(self.model)
        return outcome

    def _say_where_it_went_back_to(self, outcome: Outcome) -> None:
        best = outcome.step if self.patience is None else self.patience.best_step
        if best != outcome.step:
            outcome.reason = "; ".join(filter(None, [outcome.reason, f"back to update {best}"]))

    def _train_to(self, outcome: Outcome, moment: int) -> None:
        """Updates up to ``moment``, a look there, and a save where it ends before its time.

        What is saved then is from before that last look: when training is taken up again there
        is none at this place.
        """
        extra = self._advance(outcome, moment)
        if outcome.status == "stopped":
            self._look(outcome, extra)
        elif outcome.step == moment and outcome.status in ("running", "interrupted"):
            was, outcome.status = outcome.status, "running"
            self._look(outcome, extra)
            if outcome.step < self.total and outcome.status == "running":
                outcome.status = was
                self.keeper.save(outcome) if was == "interrupted" else self.keeper.offer(outcome)
        elif outcome.status != "running":
            self.keeper.save(outcome)
            self._look(outcome, extra)

    def _advance(self, outcome: Outcome, moment: int) -> dict[str, float]:
        """Updates up to ``moment``; returns what is known of the last of them."""
        start, before, extra = outcome.step, outcome.seconds, {}
        while outcome.step < moment and outcome.status == "running":
            begun = time.perf_counter()
            stop = min(moment, self.keeper.next_stop(outcome.step) or moment, self._next_decision(outcome.step))
            measured = stop == moment or self._may_end(stop)
            advance = self.engine.advance(outcome.step, stop, self._pause_after(begun), measured=measured)
            outcome.seconds += time.perf_counter() - begun
            outcome.step = advance.step
            extra = _measured(advance)
            if advance.diverged:
                outcome.status, outcome.reason = "diverged", f"after {advance.step} updates"
            elif self._is_stopped(outcome):
                pass  # it is saved after the look at its end
            elif (self.interrupted_anywhere or self.interrupted)():
                outcome.status = "interrupted"
            elif outcome.step < moment:
                self.keeper.offer(outcome)
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
        """Measure and show: the network as it is, at the end of training as it is left."""
        is_over = outcome.status == "stopped" or (outcome.status == "running" and outcome.step == self.total)
        goes_back = is_over and self.patience is not None
        with self.patience.best_in(self.model) if self.patience and goes_back else contextlib.nullcontext():
            point = Point(
                outcome.step,
                self.plan.epochs_after(outcome.step),
                self.plan.samples_after(outcome.step),
                outcome.seconds,
                {**self.measure(), **extra},
            )
            self.observer.observe(point, last=is_over or outcome.status != "running")

    # --- stopping early: at each epoch's end, wherever looks are -----------------------------------

    @property
    def _decides(self) -> bool:
        return bool(self.stop_when) or self.patience is not None

    def _next_decision(self, step: int) -> int:
        """The end of the epoch that the update after ``step`` belongs to; the last without a stopping rule."""
        size = self.plan.updates_per_epoch
        return min((step // size + 1) * size, self.total) if self._decides else self.total

    def _may_end(self, step: int) -> bool:
        """Whether training may be over after this update, so that its gradient is shown."""
        return bool(self.stop_when) or (
            self.patience is not None and self.patience.may_run_out(self.plan.epochs_after(step))
        )

    def _is_stopped(self, outcome: Outcome) -> bool:
        if outcome.step % self.plan.updates_per_epoch == 0 or outcome.step == self.total:
            self._decide(outcome)
        return outcome.status == "stopped"

    def _decide(self, outcome: Outcome) -> None:
        """Measure what the stopping rules ask for, and stop where they say so."""
        if not self._decides:
            return
        scalars, epoch = self.watched(), self.plan.epochs_after(outcome.step)
        runs_out = self.patience is not None and self.patience.watch(scalars, outcome.step, epoch, self.model)
        if reached(self.stop_when, scalars) and reached(self.stop_when, self.confirmed()):
            outcome.status, outcome.reason = "stopped", "every metric of stop_when reached"
        elif self.patience is not None and runs_out:
            outcome.status = "stopped"
            outcome.reason = f"{self.patience.metric} has not improved since epoch {self.patience.best_epoch:g}"


def _measured(advance: Advance) -> dict[str, float]:
    """What the engine measured of its last update; nothing where it came back early."""
    if math.isnan(advance.gradient_norm):
        return {}
    return {"descent/gradient_norm": advance.gradient_norm, "descent/update_ratio": advance.update_ratio}
