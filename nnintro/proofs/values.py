"""The values of constant pieces, as a network adds them up: exactly, in whatever order it does.

A network of steps gives the sum of its offset and the heights of all steps to the left.  If all of
these are multiples of one power of two, and their absolute sum has no more than 53 binary digits of
it, then every partial sum is a float64 number, and a library's order of adding changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nnintro.proofs.balls import Ball
from nnintro.proofs.boxes import Box
from nnintro.proofs.pieces import Piece

ROUNDING = 1e-13
"""What evaluating a formula in float64 may change, relative to its largest value, about: a bound
that leaves so much room also holds for errors that somebody samples in float64."""


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
    errors = [
        (piece.most - value).max(value - piece.least)
        for piece, value in zip(pieces, values, strict=True)
    ]
    worst = errors[0]
    for error in errors[1:]:
        worst = worst.max(error)
    return upwards(worst)


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
