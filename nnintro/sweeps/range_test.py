"""Learning-rate range test: one training whose learning rate grows geometrically until the loss blows up."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from nnintro.engines.engine import Interrupted
from nnintro.errors import memory_for
from nnintro.models.forward import threads, threads_for
from nnintro.sweeps.short_training import ShortTraining, rising
from nnintro.training.setup import Parts

LOWEST, HIGHEST = 1e-6, 100.0
PER_DECADE = 10
"""Looks at the loss in each factor of ten of the learning rate."""
MOST_UPDATES = 800
BLOWN_UP = 4.0
"""The test ends where the smoothed loss is so many times that of the start."""
SMOOTHING = 0.5
"""Share of the smoothed loss that the next one keeps."""
VISIBLE_FALL = 0.02
"""Share of the whole fall of the loss from which on it counts as falling."""


@dataclass
class RangeTest:
    """The smoothed training loss (Smith, 2017) by the learning rate of the moment.

    The loss is measured on the training samples (a fixed sample of at most 2,048), not on the update's own batch: its
    noise would hide where the loss begins to fall.
    """

    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    start: float = math.nan
    """The loss before the first update."""
    seconds_per_update: float = 0.0

    @property
    def window(self) -> tuple[float, float]:
        """From the rate at which the loss begins to fall to the last rate of the test."""
        lowest = min(self.losses)
        threshold = self.start - VISIBLE_FALL * (self.start - lowest)
        falls = (rate for rate, loss in zip(self.rates, self.losses, strict=True) if loss < threshold)
        return next(falls, self.rates[0]), self.rates[-1]

    @property
    def suggestion(self) -> float:
        """The rate at which the loss falls fastest per factor of the rate, a first guess."""
        steps = [later - earlier for earlier, later in zip(self.losses, self.losses[1:], strict=False)]
        return self.rates[steps.index(min(steps)) + 1] if steps else self.rates[0]


LOOKS = round(PER_DECADE * math.log10(HIGHEST / LOWEST))


def range_test(training: ShortTraining, interrupted: Interrupted) -> RangeTest:
    """Train once with a growing learning rate.

    Raises:
        KeyboardInterrupt: ``interrupted`` said so.
        OutOfMemoryError: the machine does not have the memory.
    """
    per_look = max(min(training.setup.total_updates, MOST_UPDATES) // LOOKS, 1)
    parts = training.parts(rising(training.setup.descent, LOWEST, HIGHEST), LOOKS * per_look)
    with threads(threads_for(parts.network, parts.plan.batch_size)), memory_for(parts.need):
        return _climb(parts, per_look, interrupted)


def _climb(parts: Parts, per_look: int, interrupted: Interrupted) -> RangeTest:
    sample, rates, test, begun = parts.measured_sample(), parts.learning_rate, RangeTest(), time.perf_counter()
    test.start = smoothed = parts.evaluator.train_loss(sample)
    for look in range(LOOKS):
        first = look * per_look
        advance = parts.engine.advance(first, first + per_look, interrupted, measured=False)
        if interrupted():
            raise KeyboardInterrupt
        loss = parts.evaluator.train_loss(sample)
        smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * loss
        test.seconds_per_update = (time.perf_counter() - begun) / (first + per_look)
        if advance.diverged or not math.isfinite(loss) or smoothed > BLOWN_UP * max(test.start, 1e-12):
            break
        test.rates.append(rates(first + per_look - 1))
        test.losses.append(smoothed)
    return test
