"""Check a certificate by a method independent of the one that made it.

Nothing is shared with the construction but the arithmetic of balls itself: the formula is read by
Python's own parser, slopes come from power series, and every piece is cut into halves until its
error is proved, or proved wrong.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nnintro.proofs.balls import Ball, interval, precision
from nnintro.proofs.certificate import Certificate, CertificateError, Fewer, Piece, about, corners_of, neurons_of, read
from nnintro.proofs.series import UndecidedError, enclosure, slope_of

MOST_HALVINGS = 200_000
"""Of one piece; what is proved at all is proved in a few dozen."""
Sides = list[tuple[float, float]]


def check_certificate(path: Path) -> Certificate:
    """Read and prove a certificate; what it says is true if this returns.

    Raises:
        CertificateError: the file is not a certificate, or something in it is not true.
    """
    certificate = read(path)
    pieces, bound = certificate["pieces"], certificate["bound"]
    domain = [(float(low), float(high)) for low, high in certificate["domain"]]
    with about(path), precision():
        tree = _tree(certificate["formula"])
        if not _fill(domain, pieces):
            raise CertificateError("pieces: do not fill the domain, each part of it once")
        if certificate["neurons"] != neurons_of(pieces, len(domain)):
            raise CertificateError("neurons: is not that of these pieces")
        for number, piece in enumerate(pieces):
            sides = _sides_of(piece, domain)
            _prove(tree, sides, piece["value"], bound, f"pieces.{number}")
        if "fewer" in certificate:
            _prove_pairs(tree, domain[0], certificate["fewer"])
    return certificate


def _tree(formula: str) -> ast.expr:
    try:
        return ast.parse(formula, mode="eval").body
    except SyntaxError as error:  # a formula to us, which takes line ends and blanks before it
        raise CertificateError(f"formula: {error}") from None


def _fill(domain: Sides, pieces: Sequence[Piece]) -> bool:
    """Whether every point of the domain is in one piece, and only in one."""
    if len(domain) == 2:
        return _tile(domain, pieces)
    (low, high), starts = domain[0], [piece["from"] for piece in pieces]
    return [*starts, high] == [low, *(piece["to"] for piece in pieces)]


def _tile(domain: Sides, pieces: Sequence[Piece]) -> bool:
    """Every box is entered into the grid of all edges, whose meshes must then all have one."""
    lows = np.array([piece["from"] for piece in pieces], dtype=np.float64)
    highs = np.array([piece["to"] for piece in pieces], dtype=np.float64)
    edges = [np.unique(np.concatenate([lows[:, k], highs[:, k]])) for k in range(2)]
    for edge, (low, high) in zip(edges, domain, strict=True):
        if edge[0] != low or edge[-1] != high:
            return False
    count = np.zeros([len(edge) - 1 for edge in edges], dtype=np.int32)
    first = [np.searchsorted(edges[k], lows[:, k]) for k in range(2)]
    last = [np.searchsorted(edges[k], highs[:, k]) for k in range(2)]
    for a, b, c, d in zip(first[0], last[0], first[1], last[1], strict=True):
        count[a:b, c:d] += 1
    return bool((count == 1).all())


def _sides_of(piece: Piece, domain: Sides) -> Sides:
    """The first and the last float64 number that a piece has in each input."""
    return [
        (low if low == edge else math.nextafter(low, math.inf), high)
        for low, high, (edge, _) in zip(*corners_of(piece), domain, strict=True)
    ]


def _prove(tree: ast.expr, sides: Sides, value: float, bound: float, where: str) -> None:
    """That the formula is within the bound of a piece's value, at each of its points."""
    waiting = [sides]
    for _ in range(MOST_HALVINGS):
        if not waiting:
            return
        box = waiting.pop()
        if any(low > high for low, high in box):
            continue
        if not _is_within(tree, box, value, bound):
            if all(low == high for low, high in box):
                point = ", ".join(repr(low) for low, _ in box)
                raise CertificateError(f"{where}: the error at {point} is larger")
            waiting += _halves(box)
    raise CertificateError(f"{where}: could not be proved")


def _is_within(tree: ast.expr, box: Sides, value: float, bound: float) -> bool:
    balls = [interval(low, high) for low, high in box]
    ends: list[list[Ball]] = [[], []]
    for index, (low, high) in enumerate(box):
        slope = slope_of(tree, balls, index) if low < high else None
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
        return all(abs(enclosure(tree, end) - value) <= bound for end in ends)
    except UndecidedError:
        return False


def _halves(box: Sides) -> Iterator[Sides]:
    """The points of a box in two boxes, across its longest side."""
    index = max(range(len(box)), key=lambda k: box[k][1] - box[k][0])
    low, high = box[index]
    middle = low + (high - low) / 2
    if not low <= middle < high:
        middle = low
    yield [*box[:index], (low, middle), *box[index + 1 :]]
    yield [*box[:index], (math.nextafter(middle, math.inf), high), *box[index + 1 :]]


def _prove_pairs(tree: ast.expr, side: tuple[float, float], fewer: Fewer) -> None:
    """That so many constant pieces cannot come as near as is said."""
    last, error = side[0], interval(fewer["error"], fewer["error"])
    for number, (a, b) in enumerate(fewer["pairs"]):
        place = f"fewer.pairs.{number}"
        if not last <= a < b <= side[1]:
            raise CertificateError(f"{place}: is not to the right of the one before")
        try:
            values = [enclosure(tree, [interval(point, point)]) for point in (a, b)]
            differ = abs(values[0] - values[1]) > 2 * error
        except UndecidedError:
            differ = False
        if not differ:
            raise CertificateError(f"{place}: the values differ by no more than twice the error")
        last = b
