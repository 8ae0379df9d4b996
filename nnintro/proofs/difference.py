"""The difference of a network and a formula, at points and over boxes.

Where a formula jumps at a float64 number itself, the box beside it has the value from the other
side of the jump at that one point.  Between two neighbouring numbers, both left out, that point
does not count: there ``step(x - 0.5)`` is 1 from 0.5 on, and 0 up to it (see ``jumps``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb

from nnintro.formula.tree import Formula
from nnintro.proofs.balls import Ball, Jet, interval, jet_over, value_over
from nnintro.proofs.enclosure import Layers, Unit, nearer, outputs_over
from nnintro.proofs.jumps import open_between
from nnintro.proofs.target import Side, between, change_along

Point = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What is known of |N - f| on a box.

    Attributes:
        upper: no value is above; infinite where the formula may have none, or no finite one.
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
        if len(box) == 1 and math.nextafter(*box[0]) == box[0][1]:
            return self._over_neighbours(balls, *box[0])
        centre, jet = [arb(x) for x in point], jet_over(self.formula, balls)
        middle = value_over(self.formula, centre)
        outputs = list(outputs_over(self.network, balls, centre))
        # A step that is held keeps its state at the centre, too, where it may be in the other.
        at_centre = self.network.at(point) if self.network.has_steps else outputs[0].centre
        return Enclosure(
            upper=_largest(outputs, jet, middle, balls, centre) if middle.is_finite() else math.inf,
            centre=point,
            at_centre=below(abs(at_centre - middle)),
            changes=_changes(outputs, jet, box),
        )

    def _over_neighbours(self, balls: list[Ball], low: float, high: float) -> Enclosure:
        """Between two neighbouring numbers, and at them: it may jump there or in between."""
        jet = open_between(self.formula, arb(low), arb(high)).jet
        outputs = list(outputs_over(self.network, balls, balls, [arb(low), arb(high)]))
        inside = _largest(outputs, jet, jet.value, balls, balls)
        at_ends = abs(self.at((low,))), abs(self.at((high,)))
        upper = max(inside, *map(above, at_ends))
        return Enclosure(upper, (low,), below(at_ends[0]), (0.0,))


def _largest(outputs: Sequence[Unit], jet: Jet, middle: Ball, box: Sequence[Ball], centre: Sequence[Ball]) -> float:
    """A bound of |N - f| for all that the network may be on a box."""
    offsets = [x - c for x, c in zip(box, centre, strict=True)]
    largest = 0.0
    for output in outputs:
        slopes = _slopes(output, jet)
        value = nearer(output.value - jet.value, output.centre - middle, slopes, offsets)
        largest = max(largest, above(abs(value)))
    return largest


def _slopes(output: Unit, jet: Jet) -> list[Ball]:
    return [a - b for a, b in zip(output.slopes, jet.slopes, strict=True)]


def _changes(outputs: Sequence[Unit], jet: Jet, box: Sequence[Side]) -> tuple[float, ...]:
    jumps = len(outputs) > 1
    pairs = zip(_slopes(outputs[0], jet), box, strict=True)
    changes = (change_along(side, slope) for slope, side in pairs)
    return tuple(math.inf if jumps and change >= 0 else change for change in changes)


def above(ball: Ball) -> float:
    """A float64 number that is not below; infinite where there is none."""
    number = math.nextafter(float(ball.upper()), math.inf)
    return math.inf if math.isnan(number) else number


def below(ball: Ball) -> float:
    """A float64 number from 0 on that is not above a number that is not negative."""
    number = math.nextafter(float(ball.lower()), -math.inf)
    return number if number > 0 else 0.0
