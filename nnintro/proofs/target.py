"""A formula on its domain: cells of an interval, boxes of a rectangle, with its extrema in each.

Points are float64 numbers, and all that is said of an interval is said of the float64 numbers in
it: a network takes no others.  For a continuous formula that is no restriction; one that jumps
between two neighbouring numbers never has to be met in between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nnintro.errors import ConfigError
from nnintro.formula.tree import Formula
from nnintro.proofs.balls import Ball, Jet, interval, jet_over, value_over

MOST_CELLS = 2_000_000
MOST_BOXES = 20_000
Side = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """Neighbouring points ``low`` to ``high``, and the formula's values there.

    The values of the points in between lie within ``least`` and ``most``; ``monotone`` says that
    they run from the one at ``low`` to that at ``high`` without a turn.
    """

    low: float
    high: float
    monotone: bool
    least: Ball
    most: Ball


class Target:
    """Args: formula: of one input; low, high: its domain.

    Raises:
        ConfigError: the formula has no finite value somewhere on the domain.
    """

    def __init__(self, formula: Formula, low: float, high: float) -> None:
        self.formula, self.low, self.high = formula, low, high

    def at(self, point: float) -> Ball:
        """The value at one point, of a ball as small as the precision has it."""
        value = value_over(self.formula, [interval(point, point)])
        if not value.is_finite():
            raise unbounded(self.formula, [point])
        return value

    def cells(self, fine: float) -> list[Cell]:
        """All of the domain in cells that are monotone, or whose values differ by little.

        Args:
            fine: how much those of a cell that is not monotone may differ.
        """
        found: list[Cell] = []
        waiting = [(self.low, self.high)]
        while waiting:
            low, high = waiting.pop()
            cell = self.cell(low, high, fine)
            if cell is not None:
                found.append(cell)
                if len(found) > MOST_CELLS:
                    raise ConfigError.at("dataset.formula", f"turns or jumps more than {MOST_CELLS:,} times")
                continue
            middle = between(low, high)
            waiting += [(middle, high), (low, middle)]
        return found

    def cell(self, low: float, high: float, fine: float) -> Cell | None:
        """The cell of these points; None where it must be cut."""
        jet = jet_over(self.formula, [interval(low, high)])
        if low == high or math.nextafter(low, high) == high:
            # Nothing lies in between, but perhaps a pole.
            if not jet.value.is_finite():
                raise unbounded(self.formula, [min(low, high, key=lambda point: len(repr(point)))])
            return self._monotone(low, high)
        slope, value = jet.slopes[0], jet.value
        if slope >= 0 or slope <= 0:
            return self._monotone(low, high)
        if value.is_finite() and 2 * value.rad() <= fine:
            return Cell(low, high, False, value.lower(), value.upper())
        return None

    def rest(self, cell: Cell, low: float) -> Cell:
        """The cell without the points before ``low``."""
        if cell.monotone:
            return self._monotone(low, cell.high)
        return Cell(low, cell.high, False, cell.least, cell.most)

    def halves(self, cell: Cell) -> tuple[Cell, Cell]:
        """The cell in two, the second half first; their values may be known better."""
        middle = between(cell.low, cell.high)
        return self._half(cell, middle, cell.high), self._half(cell, cell.low, middle)

    def _half(self, cell: Cell, low: float, high: float) -> Cell:
        return self.cell(low, high, 0.0) or Cell(low, high, False, cell.least, cell.most)

    def _monotone(self, low: float, high: float) -> Cell:
        one, other = self.at(low), self.at(high)
        return Cell(low, high, True, one.min(other).lower(), one.max(other).upper())


@dataclass(frozen=True, slots=True)
class Box:
    """The float64 points with low < x <= high in each input (on the domain's own edge low <= x).

    ``least`` and ``most`` enclose the formula's values there.
    """

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
                f"takes more than {MOST_BOXES:,} boxes for an error of {float(width) / 2:g}; ask for a larger one",
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
    least_at, most_at = [], []
    for (low, high), slope in zip(box, jet.slopes, strict=True):
        first, last, whole = interval(low, low), interval(high, high), interval(low, high)
        least_at.append(first if slope >= 0 else last if slope <= 0 else whole)
        most_at.append(last if slope >= 0 else first if slope <= 0 else whole)
    least = value_over(formula, least_at).lower()
    most = value_over(formula, most_at).upper()
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


def between(low: float, high: float) -> float:
    """A float64 number between two that have one."""
    middle = low + (high - low) / 2
    return middle if low < middle < high else math.nextafter(low, high)


def change_along(side: Side, slope: Ball) -> float:
    """How much values may change along a side; infinite where they jump, below 0 for a point."""
    if not side[0] < side[1]:
        return -1.0
    change = float(abs(slope).upper()) * (side[1] - side[0])
    return math.inf if math.isnan(change) else change


def unbounded(formula: Formula, point: Sequence[float], key: str = "dataset.formula") -> ConfigError:
    """What is wrong with a formula, that of the key, that has no finite value at or near a point, (inputs,)."""
    where = ", ".join(f"{name} = {x!r}" for name, x in zip(formula.variables, point, strict=True))
    return ConfigError.at(key, f"has no finite value at {where}, or is unbounded near it; choose another domain")
