"""Construct a network of steps or towers: the fewest for a given error, or the smallest error for a given number.

A network of steps gives the sum of its offset and the heights of all steps to the left.  If all of
these are multiples of one power of two, and their absolute sum has no more than 53 binary digits of
it, then every partial sum is a float64 number, and a library's order of adding changes nothing.

With two inputs the network has a tower over every box of a division of the domain (Nielsen, Neural Networks and Deep
Learning, chapter 4): two steps in each input make it, and a neuron that fires where both bumps do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from flint import arb

from nnintro.errors import ConfigError
from nnintro.formula.tree import Formula
from nnintro.proofs.balls import Ball
from nnintro.proofs.pieces import (
    MOST_PIECES,
    Pair,
    Piece,
    TooManyPiecesError,
    longest_pieces,
    separating_pairs,
    too_many,
)
from nnintro.proofs.target import Box, Cell, Side, Target, divide

FINE = 1e-7
"""Where the formula turns it is known up to this part of the error."""
BISECTIONS = 24
"""Of the error, for the best network of so many neurons: to a part in ten million."""
ROUNDING = 1e-13
"""What evaluating a formula in float64 may change, relative to its largest value, about: a bound
that leaves so much room also holds for errors that somebody samples in float64."""


@dataclass(frozen=True)
class Construction:
    """A piecewise constant function, with what is proved of it.

    The places of its steps are the ends of all pieces but the last, and a step's height is the
    difference of its neighbours' values; the offset is the first piece's value.
    """

    pieces: list[Piece]
    values: list[float]
    bound: float
    """No value of the formula is further away than this."""
    pairs: list[Pair]
    """Each of two points whose values differ by more than twice ``out_of_reach``."""
    out_of_reach: float
    """No fewer than ``len(pairs) + 1`` pieces come as near as this."""

    @property
    def is_minimal(self) -> bool:
        """Whether it is proved that fewer pieces cannot do."""
        return len(self.pairs) + 1 == len(self.pieces)

    @property
    def steps(self) -> list[tuple[float, float]]:
        """(place, height) of every neuron; the differences are exact (see ``middles``)."""
        heights = [b - a for a, b in zip(self.values[:-1], self.values[1:], strict=True)]
        return [(p.stop, h) for p, h in zip(self.pieces[:-1], heights, strict=True)]


@dataclass(frozen=True)
class Towers:
    """A function that is constant on each box of a domain, and a bound of its error."""

    boxes: list[Box]
    values: list[float]
    bound: float


def construct_towers(formula: Formula, domain: list[Side], error: float) -> Towers:
    """Towers that are nowhere further than ``error`` from a formula of two inputs.

    Raises:
        ConfigError: the formula has no finite value somewhere, or it would take too many boxes.
    """
    # A little less than the error, which leaves room to round the middle of a box's values.
    boxes = divide(formula, domain, 2 * arb(error) * (1 - 1e-9))
    values = [float((box.least + box.most).mid()) / 2 for box in boxes]
    size = max(abs(value) for value in values) + error
    bound = min(largest_error(boxes, values) + ROUNDING * size, error)
    return Towers(boxes, values, bound)


def construct_for_error(target: Target, error: float) -> Construction:
    """The network with the fewest pieces that is nowhere further than ``error`` from the formula.

    Raises:
        ConfigError: the formula has no finite value somewhere, or it would take too many pieces.
    """
    cells = target.cells(FINE * error)
    if _most(cells) - _least(cells) > 2 * arb(error) * MOST_PIECES:
        raise too_many(2 * arb(error))
    pairs = separating_pairs(target, cells, 2 * arb(error))
    first = longest_pieces(target, cells, 2 * arb(error))
    values = middles(first)
    room = room_for_rounding(first, values)
    if largest_error(first, values) <= error and room == 0:
        return Construction(first, values, error, pairs, error)
    if room >= error / 4:
        raise ConfigError.at("dataset.formula", f"has values too large for an error of {error:g} in float64")
    pieces = longest_pieces(target, cells, 2 * (arb(error) - 2 * room))
    shifted = middles(pieces)
    bound = largest_error(pieces, shifted) + room_for_rounding(pieces, shifted)
    found = Construction(pieces, shifted, min(bound, error), pairs, error)
    if not found.is_minimal and len(first) < len(pieces) and largest_error(first, values) <= error:
        return Construction(first, values, error, pairs, error)
    return found


def construct_with_neurons(target: Target, neurons: int) -> Construction:
    """The network of at most so many neurons (one piece more) whose largest error is least.

    By bisection of the error; the proof is that a slightly smaller one takes more pieces.

    Raises:
        ConfigError: the formula has no finite value somewhere.
    """
    rough = target.cells(float("inf"))
    least, most = _least(rough), _most(rough)
    high = float((most - least).upper()) / 2 * (1 + 1e-9)
    tiny = 1e-11 * float(abs(least).max(abs(most)).upper())
    if high <= tiny:  # a constant
        return construct_for_error(target, max(tiny, 1e-300))
    cells = target.cells(FINE * high / (neurons + 1))
    low = 0.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if _takes_more(target, cells, middle, neurons + 1):
            low = middle
        else:
            high = middle
    found = construct_for_error(target, high * (1 + 1e-9))
    for allowance in (1e-6, 1e-4, 1e-2):  # the extrema are known to a part of the error
        out_of_reach = low * (1 - allowance)
        pairs = separating_pairs(target, cells, 2 * arb(out_of_reach))[: neurons + 1]
        if len(pairs) > neurons:
            break
    return Construction(found.pieces, found.values, found.bound, pairs, out_of_reach)


def _takes_more(target: Target, cells: list[Cell], error: float, pieces: int) -> bool:
    try:
        longest_pieces(target, cells, 2 * arb(error), most=pieces)
    except TooManyPiecesError:
        return True
    return False


def _most(cells: list[Cell]) -> Ball:
    return reduce(arb.max, (cell.most for cell in cells))


def _least(cells: list[Cell]) -> Ball:
    return reduce(arb.min, (cell.least for cell in cells))


def middles(pieces: list[Piece]) -> list[float]:
    """The middle of each piece's values, rounded to multiples of one power of two."""
    rough = [float((piece.least + piece.most).mid()) / 2 for piece in pieces]
    quantum = quantum_of(rough)
    return [round(value / quantum) * quantum for value in rough] if quantum > 0 else rough


def quantum_of(values: list[float]) -> float:
    """The power of two whose multiples the values are to be; 0 where all of them are 0."""
    jumps = (abs(b - a) for a, b in zip(values[:-1], values[1:], strict=True))
    total = abs(values[0]) + math.fsum(jumps)
    if total == 0:
        return 0.0
    # Twice as much as needed: rounding each value moves the sum a little.
    return math.ldexp(1.0, max(math.frexp(total)[1] + 1 - 53, -1074))


def largest_error(pieces: Sequence[Piece | Box], values: Sequence[float]) -> float:
    """A float64 number that no value of the formula is further from its piece's than."""
    errors = ((piece.most - value).max(value - piece.least) for piece, value in zip(pieces, values, strict=True))
    return upwards(reduce(arb.max, errors))


def room_for_rounding(pieces: list[Piece], values: list[float]) -> float:
    """How much an error may grow by rounding, of the values and of the formula in float64."""
    size = max(float(abs(end).upper()) for piece in pieces for end in (piece.least, piece.most))
    return quantum_of(values) + ROUNDING * size


def upwards(ball: Ball) -> float:
    """The least float64 number that is surely not below."""
    number = float(ball.upper())
    while not ball <= number:
        number = math.nextafter(number, math.inf)
    return number
