"""The fewest constant pieces that approximate a formula of one input, with a proof that fewer do not suffice.

From left to right each piece is made as long as its values allow, which no other division beats.
The values of a piece may differ by 2E at most; two points whose values differ by more lie in
different pieces of whatever approximation, so that pairs of them side by side are a proof.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from nnintro.errors import ConfigError, Problem
from nnintro.proofs.balls import Ball
from nnintro.proofs.target import Cell, Target, between

MOST_PIECES = 100_000
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Piece:
    """The float64 numbers of (start, stop], for the first piece also ``start``, and their values' range."""

    start: float
    stop: float
    least: Ball
    most: Ball


class TooManyPiecesError(ConfigError):
    """An error that takes more pieces than allowed."""


def longest_pieces(target: Target, cells: list[Cell], width: Ball, most: int | None = None) -> list[Piece]:
    """Pieces whose values differ by ``width`` at most, each as long as can be proved.

    Raises:
        TooManyPiecesError: there would be more than ``most``, or than ``MOST_PIECES``.
    """
    most = MOST_PIECES if most is None else most
    waiting, pieces, start = cells[::-1], list[Piece](), target.low
    while waiting:
        piece = _longest(target, waiting, start, width)
        pieces.append(piece)
        start = piece.stop
        while waiting and waiting[-1].high <= start:
            waiting.pop()
        if waiting and waiting[-1].low <= start:
            waiting.append(target.rest(waiting.pop(), math.nextafter(start, math.inf)))
        if len(pieces) > most:
            raise too_many(width)
    return pieces


def _longest(target: Target, waiting: list[Cell], start: float, width: Ball) -> Piece:
    """The longest piece from the first of the waiting cells on; they are taken off, or cut."""
    least = most = target.at(waiting[-1].low)
    least, most, stop = least.lower(), most.upper(), waiting[-1].low
    while waiting:
        cell = waiting.pop()
        low, high = least.min(cell.least), most.max(cell.most)
        if high - low <= width:
            least, most, stop = low, high, cell.high
        elif not cell.monotone:
            waiting += target.halves(cell)
        else:
            waiting.append(cell)

            def fits(point: float, low: Ball = least, high: Ball = most) -> bool:
                value = target.at(point)
                return bool(high.max(value.upper()) - low.min(value.lower()) <= width)

            if fits(cell.low):
                stop, _ = border(fits, cell.low, cell.high)
                value = target.at(stop)
                first = target.at(cell.low)
                least = least.min(value.lower()).min(first.lower())
                most = most.max(value.upper()).max(first.upper())
            break
    return Piece(start, stop, least, most)


def separating_pairs(target: Target, cells: list[Cell], width: Ball) -> list[Pair]:
    """Pairs of points, none within another's reach, whose values differ by more than ``width``."""
    pairs: list[Pair] = []
    lowest = highest = target.low
    least = most = target.at(target.low)
    for cell in cells:
        point = cell.high
        while True:

            def is_near(point: float, least: Ball = least, most: Ball = most) -> bool:
                value = target.at(point)
                return not (value - least > width or most - value > width)

            if is_near(point):
                break
            begin = max(lowest, highest, cell.low)
            _, end = border(is_near, begin, point)
            value = target.at(end)
            pairs.append((lowest if value - least > width else highest, end))
            lowest = highest = end
            least = most = value
            if len(pairs) > MOST_PIECES:
                raise too_many(width)
        value = target.at(point)
        if value < least:
            lowest, least = point, value
        if value > most:
            highest, most = point, value
    return pairs


def border(holds: Callable[[float], bool], low: float, high: float) -> tuple[float, float]:
    """Bisect to neighbouring float64 numbers, of which the first ``holds`` (as ``low`` does) and the second does not.

    Where ``low`` and ``high`` are neighbours already neither is looked at.
    """
    while math.nextafter(low, high) < high:
        middle = between(low, high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low, high


def too_many(width: Ball) -> TooManyPiecesError:
    message = f"takes more than {MOST_PIECES:,} pieces for an error of {float(width) / 2:g}; ask for a larger one"
    return TooManyPiecesError([Problem(message, path="dataset.formula")])
