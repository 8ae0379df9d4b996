"""A certificate proved again, by other means than those that made it.

Nothing is shared with the construction but the arithmetic of balls itself: the formula is read by
Python's own parser, slopes come from power series, and every piece is cut into halves until its
error is proved, or proved wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nnintro.proofs.balls import Ball, interval, precision
from nnintro.proofs.certificate import (
    Certificate,
    CertificateError,
    Piece,
    Sides,
    about,
    neurons_of,
    read,
)
from nnintro.proofs.series import UndecidedError, enclosure, slope_of

MOST_HALVINGS = 200_000
"""Of one piece; what is proved at all is proved in a few dozen."""


def check_certificate(path: Path) -> Certificate:
    """Read and prove a certificate; what it says is true if this returns.

    Raises:
        CertificateError: the file is not a certificate, or something in it is not true.
    """
    certificate = read(path)
    with about(path), precision():
        if not _fills(certificate):
            raise CertificateError("pieces: do not fill the domain, each part of it once")
        if certificate.neurons != neurons_of(certificate.pieces, len(certificate.domain)):
            raise CertificateError("neurons: is not that of these pieces")
        for number, piece in enumerate(certificate.pieces):
            _prove(certificate, number, piece)
        _prove_pairs(certificate)
    return certificate


def _fills(certificate: Certificate) -> bool:
    """Whether every point of the domain is in one piece, and only in one."""
    if len(certificate.domain) == 1:
        ends = [certificate.domain[0][0]]
        for piece in certificate.pieces:
            if piece["from"] != ends[-1]:
                return False
            ends.append(piece["to"])
        return ends[-1] == certificate.domain[0][1]
    return _tile(certificate)


def _tile(certificate: Certificate) -> bool:
    """Every box is entered into the grid of all edges, whose meshes must then all have one."""
    lows = np.array([piece["from"] for piece in certificate.pieces], dtype=np.float64)
    highs = np.array([piece["to"] for piece in certificate.pieces], dtype=np.float64)
    edges = [np.unique(np.concatenate([lows[:, k], highs[:, k]])) for k in range(2)]
    for edge, (low, high) in zip(edges, certificate.domain, strict=True):
        if edge[0] != low or edge[-1] != high:
            return False
    count = np.zeros([len(edge) - 1 for edge in edges], dtype=np.int32)
    first = [np.searchsorted(edges[k], lows[:, k]) for k in range(2)]
    last = [np.searchsorted(edges[k], highs[:, k]) for k in range(2)]
    for a, b, c, d in zip(first[0], last[0], first[1], last[1], strict=True):
        count[a:b, c:d] += 1
    return bool((count == 1).all())


def _prove(certificate: Certificate, number: int, piece: Piece) -> None:
    """That the formula is within the bound of the piece's value, at each of its points."""
    value, waiting = piece["value"], [certificate.sides_of(piece)]
    for _ in range(MOST_HALVINGS):
        if not waiting:
            return
        box = waiting.pop()
        if any(low > high for low, high in box):
            continue
        if not _is_within(certificate, box, value):
            point = [low for low, _ in box]
            if _is_point(box):
                where = ", ".join(map(repr, point))
                raise CertificateError(f"pieces.{number}: the error at {where} is larger")
            waiting += _halves(box)
    raise CertificateError(f"pieces.{number}: could not be proved")


def _is_within(certificate: Certificate, box: Sides, value: float) -> bool:
    balls = [interval(low, high) for low, high in box]
    ends: list[list[Ball]] = [[], []]
    for index, (low, high) in enumerate(box):
        slope = slope_of(certificate.tree, balls, index) if low < high else None
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
        return all(
            abs(enclosure(certificate.tree, end) - value) <= certificate.bound for end in ends
        )
    except UndecidedError:
        return False


def _is_point(box: Sides) -> bool:
    return all(low == high for low, high in box)


def _halves(box: Sides) -> Iterator[Sides]:
    """The points of a box in two boxes, across its longest side."""
    index = max(range(len(box)), key=lambda k: box[k][1] - box[k][0])
    low, high = box[index]
    middle = low + (high - low) / 2
    if not low <= middle < high:
        middle = low
    yield [*box[:index], (low, middle), *box[index + 1 :]]
    yield [*box[:index], (math.nextafter(middle, math.inf), high), *box[index + 1 :]]


def _prove_pairs(certificate: Certificate) -> None:
    """That so many constant pieces cannot come as near as is said."""
    if certificate.fewer is None:
        return
    last, error = (
        certificate.domain[0][0],
        interval(certificate.fewer["error"], certificate.fewer["error"]),
    )
    for number, (a, b) in enumerate(certificate.fewer["pairs"]):
        place = f"fewer.pairs.{number}"
        if not last <= a < b <= certificate.domain[0][1]:
            raise CertificateError(f"{place}: is not to the right of the one before")
        try:
            values = [enclosure(certificate.tree, [interval(point, point)]) for point in (a, b)]
            differ = abs(values[0] - values[1]) > 2 * error
        except UndecidedError:
            differ = False
        if not differ:
            raise CertificateError(f"{place}: the values differ by no more than twice the error")
        last = b
