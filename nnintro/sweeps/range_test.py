"""Learning-rate range test: one training whose learning rate grows geometrically until the loss blows up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
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
TIMED = 2
"""The stretch of updates whose time is taken: the first waits for memory and caches."""
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


def range_test(
    training: ShortTraining, interrupted: Interrupted, require_time: Callable[[float], None] = lambda _: None
) -> RangeTest:
    """Train once with a growing learning rate.

    Args:
        require_time: called with the seconds that an update takes, once that is known; it may raise.

    Raises:
        KeyboardInterrupt: ``interrupted`` said so.
        OutOfMemoryError: the machine does not have the memory.
    """
    per_look = max(min(training.setup.total_updates, MOST_UPDATES) // LOOKS, 1)
    parts = training.parts(rising(training.setup.descent, LOWEST, HIGHEST), LOOKS * per_look)
    with threads(threads_for(parts.network, parts.plan.batch_size)), memory_for(parts.need):
        return _climb(parts, per_look, interrupted, require_time)


def _climb(parts: Parts, per_look: int, interrupted: Interrupted, require_time: Callable[[float], None]) -> RangeTest:
    sample, rates, test = parts.measured_sample(), parts.learning_rate, RangeTest()
    test.start = smoothed = parts.evaluator.train_loss(sample)
    end = BLOWN_UP * test.start if test.start > 0 else math.inf  # a perceptron that is all zeros has no loss
    for look in range(LOOKS):
        begun = time.perf_counter()
        advance = parts.engine.advance(look * per_look, (look + 1) * per_look, interrupted, measured=False)
        if interrupted():
            raise KeyboardInterrupt
        if look == TIMED:
            require_time((time.perf_counter() - begun) / per_look)
        loss = parts.evaluator.train_loss(sample)
        smoothed = SMOOTHING * smoothed + (1 - SMOOTHING) * loss
        if advance.diverged or not math.isfinite(loss) or smoothed > end:
            break
        test.rates.append(rates((look + 1) * per_look - 1))
        test.losses.append(smoothed)
    return test
