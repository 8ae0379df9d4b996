"""Boxes for a formula of two inputs, halved until the values in each differ by 2E at most.

The network of such a division has a tower over every box (Nielsen, Neural Networks and Deep
Learning, chapter 4): two steps in each input make it, and a neuron that fires where both bumps do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nnintro.errors import ConfigError
from nnintro.formula.tree import Formula
from nnintro.proofs.balls import Ball, Jet, interval, jet_over, value_over
from nnintro.proofs.target import Side, between, change_along, unbounded

MOST_BOXES = 20_000


@dataclass(frozen=True, slots=True)
class Box:
    """The float64 points with low < x <= high in each input (on the domain's own edge low <= x)."""

    low: tuple[float, float]
    high: tuple[float, float]
    least: Ball
    most: Ball


def divide(formula: Formula, domain: list[Side], width: Ball) -> list[Box]:
    """Boxes that tile the domain, in each of which the values differ by ``width`` at most.

    Raises:
        ConfigError: the formula has no finite value somewhere, or there would be too many boxes.
    """
    boxes: list[Box] = []
    waiting: list[tuple[Side, Side]] = [(domain[0], domain[1])]
    while waiting:
        sides = waiting.pop()
        closed = [_closed(side, whole) for side, whole in zip(sides, domain, strict=True)]
        jet = jet_over(formula, [interval(*side) for side in closed])
        least, most = values_over(formula, closed, jet)
        if least.is_finite() and most.is_finite() and most - least <= width:
            (a, b), (c, d) = sides
            boxes.append(Box((a, c), (b, d), least, most))
        elif all(low == high for low, high in closed):
            raise unbounded(formula, [low for low, _ in closed])
        else:
            waiting += _halves(sides, closed, jet)
        if len(boxes) + len(waiting) > MOST_BOXES:
            raise ConfigError.at(
                "dataset.formula",
                f"takes more than {MOST_BOXES:,} boxes for an error of {float(width) / 2:g}; "
                "ask for a larger one",
            )
    return boxes


def _closed(side: Side, whole: Side) -> Side:
    """The first and last float64 number of a side."""
    low, high = side
    return (low if low == whole[0] else math.nextafter(low, math.inf), high)


def values_over(formula: Formula, box: list[Side], jet: Jet) -> tuple[Ball, Ball]:
    """The least and the most that the formula can be on a box of closed sides.

    An input in which the formula is monotone there counts with its ends only.  The other way is
    the mean value form f(c) + f'(X) (X - c); the better of both is taken.
    """
    ends_of_least, ends_of_most = [], []
    for (low, high), slope in zip(box, jet.slopes, strict=True):
        if slope >= 0:
            ends_of_least.append(interval(low, low))
            ends_of_most.append(interval(high, high))
        elif slope <= 0:
            ends_of_least.append(interval(high, high))
            ends_of_most.append(interval(low, low))
        else:
            ends_of_least.append(interval(low, high))
            ends_of_most.append(interval(low, high))
    least = value_over(formula, ends_of_least).lower()
    most = value_over(formula, ends_of_most).upper()
    if all(slope.is_finite() for slope in jet.slopes):
        middle = [interval(low, low) / 2 + interval(high, high) / 2 for low, high in box]
        mean = value_over(formula, [m.mid() for m in middle])
        for (low, high), m, slope in zip(box, middle, jet.slopes, strict=True):
            mean += slope * (interval(low, high) - m.mid())
        if mean.is_finite():
            least, most = least.max(mean.lower()), most.min(mean.upper())
    return least, most


def _halves(sides: tuple[Side, Side], closed: list[Side], jet: Jet) -> list[tuple[Side, Side]]:
    """The box in two, across the input that its values change most with."""
    along = [change_along(side, slope) for side, slope in zip(closed, jet.slopes, strict=True)]
    first = along[0] >= along[1]
    low, high = closed[0 if first else 1]
    cut = between(low, high) if math.nextafter(low, high) < high else low
    (a, b), (c, d) = sides
    if first:
        return [((cut, b), (c, d)), ((a, cut), (c, d))]
    return [((a, b), (cut, d)), ((a, b), (c, cut))]
