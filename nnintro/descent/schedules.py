"""Learning rate schedules: the rate as a pure function of the update's number.

Every schedule is a factor between 0 and 1 on the learning rate, of the updates k = 0, 1, ... out of
``total``; there is nothing to save, and any stretch can be asked for at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from nnintro.config.descent import ConstantSchedule, CosineSchedule, Descent, ExponentialSchedule, StepSchedule

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]
WINDOW = 256
"""Rates that are computed together where they are asked for one by one."""


def constant(_: ConstantSchedule, updates: Steps, __: int) -> Floats:
    return np.ones(len(updates))


def step(schedule: StepSchedule, updates: Steps, _: int) -> Floats:
    """factor ** floor(k / every)."""
    return _powers(schedule.factor, updates // schedule.every)


def exponential(schedule: ExponentialSchedule, updates: Steps, total: int) -> Floats:
    """final ** (k / (total - 1)): from 1 down to ``final`` at the last update."""
    return _powers(schedule.final, updates / max(total - 1, 1))


def cosine(schedule: CosineSchedule, updates: Steps, total: int) -> Floats:
    """Linear from 1/W to 1 over W warm-up updates, then half a cosine from 1 down to ``final``.

    Loshchilov and Hutter (2017), without restarts.
    """
    warmup = schedule.warmup_steps
    progress = np.minimum((updates - warmup) / max(total - 1 - warmup, 1), 1.0)
    fall = schedule.final + (1 - schedule.final) * 0.5 * (1 + np.cos(np.pi * progress))
    return np.where(updates < warmup, (updates + 1) / max(warmup, 1), fall)


def _powers(base: float, exponents: npt.NDArray[Any]) -> Floats:
    # Not np.power: on processors with AVX-512 its last bit is not that of the C library's pow, and
    # one config would have other learning rates there.
    return np.array([base**exponent for exponent in exponents.tolist()])


SCHEDULES: dict[str, Callable[[Any, Steps, int], Floats]] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "cosine": cosine,
}
"""kind -> (section, numbers of updates (n,), total) -> factors on the learning rate, (n,)."""


class LearningRate:
    """The learning rates of a run of ``total`` updates: of one update, or of many at once."""

    def __init__(self, descent: Descent, total: int) -> None:
        self.descent, self.total = descent, total
        self._start, self._window = 0, np.empty(0)

    def between(self, start: int, stop: int) -> Floats:
        """(stop - start,) the rates of the updates from ``start`` on; not to be written into."""
        # A call of numpy takes some microseconds whether for one update or for hundreds.
        if not self._start <= start <= stop <= self._start + len(self._window):
            numbers = np.arange(start, max(stop, min(start + WINDOW, self.total)))
            factors = SCHEDULES[self.descent.schedule.kind](self.descent.schedule, numbers, self.total)
            self._start, self._window = start, self.descent.learning_rate * factors
        return self._window[start - self._start : stop - self._start]

    def __call__(self, update: int) -> float:
        return float(self.between(update, update + 1)[0])
