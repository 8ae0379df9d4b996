"""certificate.json: a network of constant pieces, its proved error, and why fewer cannot do.

It holds all that ``check`` needs to prove it again by other means.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnintro.errors import CheckpointError
from nnintro.formula.tree import Formula
from nnintro.proofs.boxes import Box
from nnintro.proofs.construction import Construction
from nnintro.proofs.target import Side

FORMAT = "nnintro certificate 1"


def of_pieces(formula: Formula, domain: Side, found: Construction) -> dict[str, Any]:
    """The certificate of a network of one input."""
    pieces = [
        {"from": piece.start, "to": piece.stop, "value": value}
        for piece, value in zip(found.pieces, found.values, strict=True)
    ]
    few, within = len(found.pairs), found.out_of_reach
    return _sealed(
        {
            "format": FORMAT,
            "statement": _statement(found.bound),
            "formula": str(formula.root),
            "domain": [list(domain)],
            "bound": found.bound,
            "neurons": len(pieces) - 1,
            "pieces": pieces,
            "fewer": {
                "statement": (
                    f"No function of {few} or fewer constant pieces has an error of at most "
                    f"{within!r}: the values at the two points of each pair differ by more than "
                    "twice that, so that each pair has an end of a piece between them."
                ),
                "pieces": few,
                "error": within,
                "pairs": [list(pair) for pair in found.pairs],
            },
        }
    )


def of_boxes(
    formula: Formula, domain: Sequence[Side], boxes: Sequence[Box], values: Sequence[float],
    bound: float, neurons: int,
) -> dict[str, Any]:  # fmt: skip
    """The certificate of a network of two inputs."""
    pieces = [
        {"from": list(box.low), "to": list(box.high), "value": value}
        for box, value in zip(boxes, values, strict=True)
    ]
    return _sealed(
        {
            "format": FORMAT,
            "statement": _statement(bound),
            "formula": str(formula.root),
            "domain": [list(side) for side in domain],
            "bound": bound,
            "neurons": neurons,
            "pieces": pieces,
        }
    )


def _statement(bound: float) -> str:
    return (
        "For every float64 number x of the domain the network's output is the value of the piece "
        "that x is in (from < x <= to, on the domain's lower edge from <= x), and differs from the "
        f"formula, whose numbers are float64, by {bound!r} at most."
    )


def seal(certificate: Mapping[str, Any]) -> str:
    """SHA-256 of everything in a certificate but the seal itself."""
    content = {key: value for key, value in certificate.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _sealed(certificate: dict[str, Any]) -> dict[str, Any]:
    return {**certificate, "sha256": seal(certificate)}


KEYS = {"format", "statement", "formula", "domain", "bound", "neurons", "pieces", "sha256"}

FEWER = {"statement", "pieces", "error", "pairs"}

Sides = list[tuple[float, float]]


class CertificateError(CheckpointError):
    """The file is no certificate, or what it says is not true."""


@dataclass(frozen=True)
class Reading:
    """A certificate whose numbers have the form they should have."""

    tree: ast.expr
    formula: str
    domain: Sides
    bound: float
    neurons: int
    pieces: Sequence[Mapping[str, Any]]
    fewer: Mapping[str, Any] | None

    def sides_of(self, piece: Mapping[str, Any]) -> Sides:
        """The first and the last float64 number that a piece has in each input."""
        lows, highs = _listed(piece["from"]), _listed(piece["to"])
        return [
            (low if low == edge else math.nextafter(low, math.inf), high)
            for low, high, (edge, _) in zip(lows, highs, self.domain, strict=True)
        ]


def read(content: Any) -> Reading:
    """Raises CertificateError: it is none, was changed, or its pieces do not fill the domain."""
    _require(isinstance(content, dict), "is no certificate: expected a mapping")
    keys = set(content) - {"fewer"}
    _require(keys == KEYS, f"is no certificate: its keys are not {', '.join(sorted(KEYS))}")
    _require(content["format"] == FORMAT, f"format: expected {FORMAT!r}")
    try:
        sealed = seal(content)
    except ValueError:
        raise CertificateError("has numbers that are not finite") from None
    _require(content["sha256"] == sealed, "sha256: was changed after it was made")
    domain = _sides(content["domain"])
    _require(_is_number(content["bound"]) and content["bound"] >= 0, "bound: expected a number")
    _require(repr(content["bound"]) in str(content["statement"]), "statement: of another bound")
    reading = Reading(
        _parsed(content["formula"], len(domain)), content["formula"], domain, content["bound"],
        content["neurons"], content["pieces"], content.get("fewer"),
    )  # fmt: skip
    _require(isinstance(reading.pieces, list) and len(reading.pieces) > 0, "pieces: expected some")
    for number, piece in enumerate(reading.pieces):
        _require(_is_piece(piece, len(domain)), f"pieces.{number}: is no piece")
    _require(_fill(reading), "pieces: do not fill the domain, each part of it once")
    _require(reading.neurons == neurons_of(reading), "neurons: is not that of these pieces")
    _look_at_fewer(reading)
    return reading


def neurons_of(reading: Reading) -> int:
    """Steps, and for two inputs towers, of the network with these pieces."""
    if len(reading.domain) == 1:
        return len(reading.pieces) - 1
    places: set[tuple[int, float]] = set()
    for piece in reading.pieces:
        for index in range(2):
            places |= {(index, piece["from"][index]), (index, piece["to"][index])}
    return len(places) + len(reading.pieces)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CertificateError(otherwise)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_piece(piece: Any, inputs: int) -> bool:
    if not isinstance(piece, dict) or set(piece) != {"from", "to", "value"}:
        return False
    ends = [_listed(piece["from"]), _listed(piece["to"])]
    numbers = [*ends[0], *ends[1], piece["value"]]
    if len(ends[0]) != inputs or len(ends[1]) != inputs or not all(map(_is_number, numbers)):
        return False
    return all(low <= high for low, high in zip(*ends, strict=True))


def _sides(domain: Any) -> Sides:
    fine = isinstance(domain, list) and len(domain) in (1, 2)
    for side in domain if fine else []:
        fine &= isinstance(side, list) and len(side) == 2 and all(map(_is_number, side))
        fine = fine and side[0] < side[1]
    _require(fine, "domain: expected [low, high] for one or two inputs")
    return [(float(low), float(high)) for low, high in domain]


def _parsed(text: Any, inputs: int) -> ast.expr:
    from nnintro.formula import FormulaError, parse

    try:
        parse(text, inputs)  # that it is a formula; what it means is found out by other means
        tree: ast.expr = ast.parse(text, mode="eval").body
    except (FormulaError, AttributeError, TypeError) as error:
        raise CertificateError(f"formula: {error}") from None
    return tree


def _fill(reading: Reading) -> bool:
    """Whether every point of the domain is in one piece, and only in one."""
    if len(reading.domain) == 1:
        ends = [reading.domain[0][0]]
        for piece in reading.pieces:
            if piece["from"] != ends[-1]:
                return False
            ends.append(piece["to"])
        return ends[-1] == reading.domain[0][1]
    return _tile(reading)


def _tile(reading: Reading) -> bool:
    """Every box is entered into the grid of all edges, whose meshes must then all have one."""
    import numpy as np

    lows = np.array([piece["from"] for piece in reading.pieces], dtype=np.float64)
    highs = np.array([piece["to"] for piece in reading.pieces], dtype=np.float64)
    edges = [np.unique(np.concatenate([lows[:, k], highs[:, k]])) for k in range(2)]
    for edge, (low, high) in zip(edges, reading.domain, strict=True):
        if edge[0] != low or edge[-1] != high:
            return False
    count = np.zeros([len(edge) - 1 for edge in edges], dtype=np.int32)
    first = [np.searchsorted(edges[k], lows[:, k]) for k in range(2)]
    last = [np.searchsorted(edges[k], highs[:, k]) for k in range(2)]
    for a, b, c, d in zip(first[0], last[0], first[1], last[1], strict=True):
        count[a:b, c:d] += 1
    return bool((count == 1).all())


def _look_at_fewer(reading: Reading) -> None:
    fewer = reading.fewer
    if fewer is None:
        return
    _require(len(reading.domain) == 1, "fewer: is of one input only")
    _require(isinstance(fewer, dict) and set(fewer) == FEWER, "fewer: is not understood")
    pairs, error = fewer["pairs"], fewer["error"]
    _require(isinstance(pairs, list) and fewer["pieces"] == len(pairs), "fewer.pieces: not so many")
    fine = all(
        isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) for pair in pairs
    )
    _require(fine, "fewer.pairs: expected pairs of points")
    _require(_is_number(error) and error > 0, "fewer.error: expected a number above 0")
    words = str(fewer["statement"])
    _require(
        f" {len(pairs)} " in words and repr(error) in words, "fewer.statement: of other numbers"
    )
