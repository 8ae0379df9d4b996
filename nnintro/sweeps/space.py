"""Which keys take which values: the values of each trial of a grid or a random sweep, by its number alone."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnintro.config.sweep import DEFAULT_TRIALS, Range, Sweep


@dataclass(frozen=True)
class Choices:
    """Values that are listed."""

    values: tuple[Any, ...]

    def grid(self) -> tuple[Any, ...]:
        return self.values

    def at(self, share: float) -> Any:
        """The value at a share in [0, 1) of the way; all have the same room."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]


@dataclass(frozen=True)
class Interval:
    """The numbers from ``low`` to ``high``, both included."""

    low: float
    high: float
    log: bool
    points: int
    whole: bool
    """Whether the key takes whole numbers."""

    def grid(self) -> tuple[float, ...]:
        """``points`` values at equal distances (on the logarithm's scale), both ends among them; each once."""
        shares = (number / (self.points - 1) for number in range(self.points))
        return tuple(dict.fromkeys(self._number(self._between(self.low, self.high, share)) for share in shares))

    def at(self, share: float) -> float:
        """The number at a share in [0, 1) of the way; whole numbers have the same room each (on that scale)."""
        half = 0.5 if self.whole else 0.0
        return self._number(self._between(self.low - half, self.high + half, share))

    def _between(self, low: float, high: float, share: float) -> float:
        if share in (0.0, 1.0):  # the ends as they were written, whatever exp and log make of them
            return high if share else low
        if self.log:
            return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        return low + share * (high - low)

    def _number(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return round(inside) if self.whole else float(inside)


Axis = Choices | Interval


class Space:
    """All axes of a sweep, in the order written, and the values of its trials by number, from 0.

    Args:
        seed: of the random values: the config's.
        whole: the keys that take whole numbers (see ``config.sweep_values``).
    """

    def __init__(self, sweep: Sweep, seed: int, whole: frozenset[str]) -> None:
        self.axes: dict[str, Axis] = {key: _axis(values, key in whole) for key, values in sweep.over.items()}
        self.sampler, self._seed = sweep.chosen_sampler, seed
        self._grids = [axis.grid() for axis in self.axes.values()] if self.sampler == "grid" else []
        wanted = DEFAULT_TRIALS if sweep.trials is None else sweep.trials
        self.trials = math.prod(map(len, self._grids)) if self._grids else wanted
        """How many trials there are."""

    def values(self, number: int) -> Mapping[str, Any]:
        """Key -> value of a trial of a grid or a random sweep: a pure function of seed and number."""
        if self.sampler == "grid":
            return dict(zip(self.axes, self._combination(number), strict=True))
        # Python promises that random() gives the same numbers in every version, for a text too.
        draw = random.Random(f"sweep/{self._seed}/{number}")
        return {key: axis.at(draw.random()) for key, axis in self.axes.items()}

    def _combination(self, number: int) -> list[Any]:
        """The product's ``number``-th, the last key changing fastest."""
        chosen = []
        for grid in reversed(self._grids):
            number, index = divmod(number, len(grid))
            chosen.append(grid[index])
        return chosen[::-1]


def _axis(values: Range | list[Any], whole: bool) -> Axis:
    if isinstance(values, Range):
        return Interval(values.low, values.high, values.log, values.points, whole)
    return Choices(tuple(values))
