"""The difference of a network and a formula, at points and over boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb

from nnintro.approximation.layers import Layers, nearer
from nnintro.approximation.target import between
from nnintro.formula.balls import Ball, interval, jet_over, value_over
from nnintro.formula.tree import Formula

Side = tuple[float, float]
Point = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What is known of |N - f| on a box.

    Attributes:
        upper: no value is above; infinite where the formula's enclosure is.
        centre, at_centre: a point, and a number that |N - f| is not below there.
        changes: per input, about how much N - f changes along it; infinite where it may jump.
    """

    upper: float
    centre: Point
    at_centre: float
    changes: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """N - f, of a network N and a formula f."""

    network: Layers
    formula: Formula

    def at(self, point: Sequence[float]) -> Ball:
        """Its value at a point; not finite where the formula's is not."""
        return self.network.at(point) - value_over(self.formula, [arb(x) for x in point])

    def over(self, box: Sequence[Side]) -> Enclosure:
        """Its absolute value on a box of closed sides."""
        balls = [interval(*side) for side in box]
        point = tuple(between(*side) if side[0] < side[1] else side[0] for side in box)
        centre = [arb(x) for x in point]
        offsets = [x - c for x, c in zip(balls, centre, strict=True)]
        jet, middle = jet_over(self.formula, balls), value_over(self.formula, centre)
        upper, cases = 0.0, 0
        slopes = list(jet.slopes)
        for output in self.network.over(balls, centre):
            cases += 1
            slopes = [a - b for a, b in zip(output.slopes, jet.slopes, strict=True)]
            value = nearer(output.value - jet.value, output.centre - middle, slopes, offsets)
            upper = max(upper, above(abs(value)))
        # A step that is held keeps its state at the centre, too, where it may be in the other.
        at_centre = self.network.at(point) if self.network.has_steps else output.centre
        lower = below(abs(at_centre - middle))
        changes = [_change(slope, cases, side) for slope, side in zip(slopes, box, strict=True)]
        return Enclosure(upper, point, lower, tuple(changes))


def above(ball: Ball) -> float:
    """A float64 number that is not below; infinite where there is none."""
    number = math.nextafter(float(ball.upper()), math.inf)
    return math.inf if math.isnan(number) else number


def below(ball: Ball) -> float:
    """A float64 number from 0 on that is not above a number that is not negative."""
    number = math.nextafter(float(ball.lower()), -math.inf)
    return number if number > 0 else 0.0


def _change(slope: Ball, cases: int, side: Side) -> float:
    if side[0] == side[1]:
        return -1.0
    if cases > 1 or not slope.is_finite():
        return math.inf
    return float(abs(slope).upper()) * (side[1] - side[0])
