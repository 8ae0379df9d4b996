"""certificate.json: a network of constant pieces, its proved error, and why fewer cannot do.

It holds all that ``check`` needs to prove it again by other means.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from nnintro.approximation.boxes import Box
from nnintro.approximation.construction import Construction
from nnintro.approximation.target import Side
from nnintro.formula.tree import Formula

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
