"""A certificate proved again, by other means than those that made it.

Nothing is shared with the construction but the arithmetic of balls itself: the formula is read by
Python's own parser, slopes come from power series, and every piece is cut into halves until its
error is proved, or proved wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nnintro.proofs.balls import Ball, interval, precision
from nnintro.proofs.certificate import CertificateError, Reading, read
from nnintro.proofs.series import UndecidedError, enclosure, slope_of

MOST_HALVINGS = 200_000
"""Of one piece; what is proved at all is proved in a few dozen."""


def check_certificate(path: Path) -> Reading:
    """Read and prove a certificate; what it says is true if this returns.

    Raises:
        CertificateError: the file is none, or something in it is not true.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CertificateError(f"{path}: is no JSON: {error}") from error
    try:
        reading = read(content)
        with precision():
            for number, piece in enumerate(reading.pieces):
                _prove(reading, number, piece)
            _prove_pairs(reading)
    except CertificateError as error:
        raise CertificateError(f"{path}: {error}") from None
    return reading


def _prove(reading: Reading, number: int, piece: Mapping[str, Any]) -> None:
    """That the formula is within the bound of the piece's value, at each of its points."""
    value, waiting = piece["value"], [reading.sides_of(piece)]
    for _ in range(MOST_HALVINGS):
        if not waiting:
            return
        box = waiting.pop()
        if any(low > high for low, high in box):
            continue
        if not _is_within(reading, box, value):
            point = [low for low, _ in box]
            if _is_point(box):
                where = ", ".join(map(repr, point))
                raise CertificateError(f"pieces.{number}: the error at {where} is larger")
            waiting += _halves(box)
    raise CertificateError(f"pieces.{number}: could not be proved")


def _is_within(reading: Reading, box: list[tuple[float, float]], value: float) -> bool:
    balls = [interval(low, high) for low, high in box]
    ends: list[list[Ball]] = [[], []]
    for index, (low, high) in enumerate(box):
        slope = slope_of(reading.tree, balls, index) if low < high else None
        if slope is not None and slope >= 0:
            pair = (low, high)
        elif slope is not None and slope <= 0:
            pair = (high, low)
        else:
            for end in ends:
                end.append(balls[index])
            continue
        for end, point in zip(ends, pair, strict=True):
            end.append(interval(point, point))
    try:
        return all(abs(enclosure(reading.tree, end) - value) <= reading.bound for end in ends)
    except UndecidedError:
        return False


def _is_point(box: list[tuple[float, float]]) -> bool:
    return all(low == high for low, high in box)


def _halves(box: list[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    """The points of a box in two boxes, across its longest side."""
    index = max(range(len(box)), key=lambda k: box[k][1] - box[k][0])
    low, high = box[index]
    middle = low + (high - low) / 2
    if not low <= middle < high:
        middle = low
    yield [*box[:index], (low, middle), *box[index + 1 :]]
    yield [*box[:index], (math.nextafter(middle, math.inf), high), *box[index + 1 :]]


def _prove_pairs(reading: Reading) -> None:
    """That so many constant pieces cannot come as near as is said."""
    if reading.fewer is None:
        return
    last, error = reading.domain[0][0], interval(reading.fewer["error"], reading.fewer["error"])
    for number, (a, b) in enumerate(reading.fewer["pairs"]):
        place = f"fewer.pairs.{number}"
        if not last <= a < b <= reading.domain[0][1]:
            raise CertificateError(f"{place}: is not to the right of the one before")
        try:
            values = [enclosure(reading.tree, [interval(point, point)]) for point in (a, b)]
            differ = abs(values[0] - values[1]) > 2 * error
        except UndecidedError:
            differ = False
        if not differ:
            raise CertificateError(f"{place}: the values differ by no more than twice the error")
        last = b
