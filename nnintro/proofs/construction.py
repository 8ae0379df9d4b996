"""A network of steps for a formula: the fewest for an error, or the best of so many."""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb

from nnintro.errors import ConfigError
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
from nnintro.proofs.target import Cell, Target
from nnintro.proofs.values import largest_error, middles, room_for_rounding

FINE = 1e-7
"""Where the formula turns it is known up to this part of the error."""

BISECTIONS = 24
"""Of the error, for the best network of so many neurons: to a part in ten million."""


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
        """(place, height) of every neuron; the differences are exact (see ``values``)."""
        heights = [b - a for a, b in zip(self.values[:-1], self.values[1:], strict=True)]
        return [(p.stop, h) for p, h in zip(self.pieces[:-1], heights, strict=True)]


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
        raise ConfigError.at(
            "dataset.formula", f"has values too large for an error of {error:g} in float64"
        )
    pieces = longest_pieces(target, cells, 2 * (arb(error) - 2 * room))
    found = _with_values(pieces, error, pairs)
    if not found.is_minimal and len(first) < len(pieces) and largest_error(first, values) <= error:
        return Construction(first, values, error, pairs, error)
    return found


def _with_values(pieces: list[Piece], error: float, pairs: list[Pair]) -> Construction:
    values = middles(pieces)
    bound = largest_error(pieces, values) + room_for_rounding(pieces, values)
    return Construction(pieces, values, min(bound, error), pairs, error)


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
    most = cells[0].most
    for cell in cells:
        most = most.max(cell.most)
    return most


def _least(cells: list[Cell]) -> Ball:
    least = cells[0].least
    for cell in cells:
        least = least.min(cell.least)
    return least
