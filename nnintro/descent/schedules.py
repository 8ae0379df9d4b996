"""How far an update goes: the learning rate as a pure function of the update.

Every schedule is a factor between 0 and 1 on the learning rate, of the update k = 0, 1, ... out of
``total``; there is nothing to save, and any point can be asked for at any time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nnintro.config.descent import (
    ConstantSchedule,
    CosineSchedule,
    Descent,
    ExponentialSchedule,
    StepSchedule,
)


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
