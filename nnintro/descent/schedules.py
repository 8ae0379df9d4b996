"""How far an update goes: the learning rate as a pure function of the update.

Every schedule is a factor between 0 and 1 on the learning rate, of the update k = 0, 1, ... out of
``total``; there is nothing to save, and any point can be asked for at any time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from nnintro.config.descent import (
    ConstantSchedule,
    CosineSchedule,
    Descent,
    ExponentialSchedule,
    StepSchedule,
)

Floats = npt.NDArray[Any]


def constant(_: ConstantSchedule, __: int, ___: int) -> float:
    return 1.0


def step(schedule: StepSchedule, update: int, _: int) -> float:
    """factor ** floor(k / every)."""
    return float(schedule.factor ** (update // schedule.every))


def exponential(schedule: ExponentialSchedule, update: int, total: int) -> float:
    """final ** (k / (total - 1)): from 1 down to ``final`` at the last update."""
    return float(schedule.final ** (update / max(total - 1, 1)))


def cosine(schedule: CosineSchedule, update: int, total: int) -> float:
    """Linear from 1/W to 1 over W warm-up updates, then half a cosine from 1 down to ``final``.

    Loshchilov and Hutter (2017), without restarts.
    """
    warmup = schedule.warmup_steps
    if update < warmup:
        return (update + 1) / warmup
    progress = (update - warmup) / max(total - 1 - warmup, 1)
    half = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return schedule.final + (1 - schedule.final) * half


SCHEDULES: dict[str, Callable[[Any, int, int], float]] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "cosine": cosine,
}


def learning_rate(descent: Descent, total: int) -> Callable[[int], float]:
    """update -> learning rate, for a run of ``total`` updates."""
    factor, schedule, rate = (
        SCHEDULES[descent.schedule.kind],
        descent.schedule,
        descent.learning_rate,
    )
    return lambda update: rate * factor(schedule, update, total)


def learning_rates(descent: Descent, total: int) -> Callable[[int, int], Floats]:
    """(start, stop) -> the learning rates of those updates, (stop - start,), all at once."""
    schedule, rate = descent.schedule, descent.learning_rate
    factors = FACTORS[schedule.kind]
    return lambda start, stop: rate * factors(schedule, np.arange(start, stop), total)


def _steps(schedule: StepSchedule, updates: Floats, _: int) -> Floats:
    return np.asarray(schedule.factor ** (updates // schedule.every), dtype=np.float64)


def _exponentials(schedule: ExponentialSchedule, updates: Floats, total: int) -> Floats:
    return np.asarray(schedule.final ** (updates / max(total - 1, 1)), dtype=np.float64)


def _cosines(schedule: CosineSchedule, updates: Floats, total: int) -> Floats:
    warmup = schedule.warmup_steps
    progress = np.minimum((updates - warmup) / max(total - 1 - warmup, 1), 1.0)
    fall = schedule.final + (1 - schedule.final) * 0.5 * (1 + np.cos(np.pi * progress))
    return np.where(updates < warmup, (updates + 1) / max(warmup, 1), fall)


FACTORS: dict[str, Callable[[Any, Floats, int], Floats]] = {
    "constant": lambda _, updates, __: np.ones(len(updates)),
    "step": _steps,
    "exponential": _exponentials,
    "cosine": _cosines,
}
"""The same schedules over many updates."""
