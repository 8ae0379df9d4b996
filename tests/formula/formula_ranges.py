"""How far two correct evaluations may differ: rounding errors followed through a formula.

A test's algebra, and no proof: an operation is tried at the ends of its arguments' ranges, and
the result widened by a few units in the last place, the accuracy of a good sine or power. Where
a range grows wide (cancellation, a sine of something huge, a jump) or an end is no number, the
answer is None: rounding alone decides there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from nnintro.formula.floats import FLOATS
from nnintro.formula.tree import Algebra

ROUNDING = 8 * 2.0**-53
SMALLEST = 8 * 5e-324
WIDEST = 1e-9
EXACT = {"negative", "abs", "min", "max", "sign", "step", "floor"}


@dataclass(frozen=True)
class Range:
    """The floats' own value, and how far below and above it another's may lie."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Range:
        return cls(value, value, value)

    @property
    def tried(self) -> list[float]:
        """The ends, the value itself, and zero of either sign where it lies between."""
        if self.low == self.high or math.isnan(self.value):
            return [self.value]
        zeros = [0.0, -0.0] if self.low <= 0 <= self.high else []
        return [self.low, self.value, self.high, *zeros]

    def holds(self, value: float) -> bool:
        if math.isnan(self.value):
            return math.isnan(value)
        slack = 1e-12 * abs(self.value) if math.isfinite(self.value) else 0.0
        return self.low - slack <= value <= self.high + slack


def _followed(name: str) -> Callable[..., Range | None]:
    function = FLOATS.operations[name]

    def follow(*arguments: Range | None) -> Range | None:
        known = [argument for argument in arguments if argument is not None]
        if len(known) < len(arguments):
            return None
        corners = itertools.product(*(argument.tried for argument in known))
        value = function(*(argument.value for argument in known))
        return _around(value, [function(*corner) for corner in corners], exact=name in EXACT)

    return follow


def _around(value: float, others: list[float], exact: bool) -> Range | None:
    if not math.isfinite(value):
        same = all(other == value or (math.isnan(other) and math.isnan(value)) for other in others)
        return Range.exact(value) if same else None
    if not all(map(math.isfinite, others)):
        return None
    rounding = 0.0 if exact else ROUNDING * abs(value) + SMALLEST
    low, high = min(others) - rounding, max(others) + rounding
    wide = high - low > WIDEST * max(1.0, abs(value))
    return None if wide else Range(value, low, high)


RANGES: Algebra[Range | None] = Algebra(
    number=Range.exact, operations={name: _followed(name) for name in FLOATS.operations}
)
