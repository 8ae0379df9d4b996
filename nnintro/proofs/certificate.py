"""certificate.json: a piecewise constant network, its proved error, and a proof that fewer pieces do not suffice.

Written and read here, and nowhere else. It holds all that ``check`` needs to prove it again by other means.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from nnintro.errors import CheckpointError
from nnintro.files import read_json, write_json
from nnintro.formula import FormulaError, parse
from nnintro.formula.tree import Formula
from nnintro.proofs.construction import Construction, Towers
from nnintro.proofs.target import Side
from nnintro.wording import cause

FILE = "certificate.json"
FORMAT = "nnintro certificate 1"
LARGEST = 1 << 26
"""Bytes of a certificate: a million pieces have fewer."""
Piece = Mapping[str, Any]
"""``from``, ``to`` (with two inputs a list each) and ``value``."""


class Fewer(TypedDict):
    """Why fewer pieces cannot do."""

    statement: str
    pieces: int
    error: float
    pairs: list[list[float]]


class Certificate(TypedDict):
    """What certificate.json says."""

    format: str
    statement: str
    formula: str
    domain: list[list[float]]
    bound: float
    neurons: int
    pieces: list[Piece]
    fewer: NotRequired[Fewer]
    sha256: str


def of_pieces(formula: Formula, domain: Side, found: Construction) -> Certificate:
    """The certificate of a network of one input."""
    pairs = zip(found.pieces, found.values, strict=True)
    pieces = [{"from": piece.start, "to": piece.stop, "value": value} for piece, value in pairs]
    few, within = len(found.pairs), found.out_of_reach
    fewer = {
        "statement": (
            f"No function of {few} or fewer constant pieces has an error of at most {within!r}: "
            "the values at the two points of each pair differ by more than twice that, so that "
            "each pair has an end of a piece between them."
        ),
        "pieces": few,
        "error": within,
        "pairs": [list(pair) for pair in found.pairs],
    }
    return _sealed({**_certificate(formula, [domain], found.bound, pieces), "fewer": fewer})


def of_boxes(formula: Formula, domain: Sequence[Side], found: Towers) -> Certificate:
    """The certificate of a network of two inputs."""
    pairs = zip(found.boxes, found.values, strict=True)
    pieces = [{"from": list(box.low), "to": list(box.high), "value": value} for box, value in pairs]
    return _sealed(_certificate(formula, domain, found.bound, pieces))


def _certificate(formula: Formula, domain: Sequence[Side], bound: float, pieces: Sequence[Piece]) -> dict[str, Any]:
    statement = (
        "For every float64 number x of the domain the network's output is the value of the piece "
        "that x is in (from < x <= to, on the domain's lower edge from <= x), and differs from the "
        f"formula, whose numbers are float64, by {bound!r} at most."
    )
    return {
        "format": FORMAT,
        "statement": statement,
        "formula": str(formula.root),
        "domain": [list(side) for side in domain],
        "bound": bound,
        "neurons": neurons_of(pieces, len(domain)),
        "pieces": pieces,
    }


def neurons_of(pieces: Sequence[Piece], inputs: int) -> int:
    """Steps, and for two inputs towers, of the network with these pieces."""
    if inputs == 1:
        return len(pieces) - 1
    ends = [end for piece in pieces for end in (piece["from"], piece["to"])]
    places = {(index, end[index]) for end in ends for index in range(inputs)}
    return len(places) + len(pieces)


def corners_of(piece: Piece) -> tuple[list[float], list[float]]:
    """The lower and the upper corner of a piece, (inputs,) each."""
    ends = (piece["from"], piece["to"])
    low, high = (end if isinstance(end, list) else [end] for end in ends)
    return low, high


def seal(certificate: Mapping[str, Any]) -> str:
    """SHA-256 of everything in a certificate but the seal itself."""
    content = {key: value for key, value in certificate.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _sealed(certificate: dict[str, Any]) -> Certificate:
    return cast(Certificate, {**certificate, "sha256": seal(certificate)})


def write(folder: Path, certificate: Certificate) -> None:
    """Leave ``certificate.json`` in a run's folder; raises OSError where that fails."""
    write_json(folder / FILE, certificate)


# --- reading -------------------------------------------------------------------------------------


class CertificateError(CheckpointError):
    """The file is not a certificate, or what it says is not true."""


@contextlib.contextmanager
def about(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    try:
        yield
    except CertificateError as error:
        raise CertificateError(f"{path}: {error}") from None


def read(path: Path) -> Certificate:
    """Read a certificate; nothing that it says is proved by that (see ``check``).

    Raises:
        CertificateError: the file cannot be read, is not a certificate, or was changed.
    """
    with about(path):
        try:
            content = read_json(path, LARGEST)
        except OSError as error:
            raise CertificateError(f"cannot be read: {cause(error)}") from error
        except ValueError as error:
            raise CertificateError(f"is not JSON: {error}") from error
        _require_seal(content)
        _require_numbers(content)
        if "fewer" in content:
            _require_fewer(content["fewer"], len(content["domain"]))
        return cast(Certificate, content)


def _require_seal(content: Any) -> None:
    _require(isinstance(content, dict), "is not a certificate: expected a mapping")
    keys = {*Certificate.__annotations__} - {"fewer"}
    _require(set(content) - {"fewer"} == keys, f"is not a certificate: its keys are not {', '.join(sorted(keys))}")
    _require(content["format"] == FORMAT, f"format: expected {FORMAT!r}")
    try:
        sealed = seal(content)
    except ValueError:
        raise CertificateError("has numbers that are not finite") from None
    except RecursionError:
        raise CertificateError("is nested too deep") from None
    _require(content["sha256"] == sealed, "sha256: was changed after it was made")


def _require_numbers(content: dict[str, Any]) -> None:
    domain, bound, pieces = content["domain"], content["bound"], content["pieces"]
    _require(_is_domain(domain), "domain: expected [low, high] for one or two inputs")
    _require(_is_number(bound) and bound >= 0, "bound: expected a number")
    _require(repr(bound) in str(content["statement"]), "statement: of another bound")
    try:
        parse(content["formula"], len(domain))  # what it means is for ``check`` to see
    except (FormulaError, AttributeError, TypeError) as error:
        raise CertificateError(f"formula: {error}") from None
    _require(isinstance(pieces, list) and len(pieces) > 0, "pieces: expected some")
    for number, piece in enumerate(pieces):
        _require(_is_piece(piece, len(domain)), f"pieces.{number}: is not a piece")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CertificateError(otherwise)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max  # of whole numbers too, which may be beyond floats


def _is_piece(piece: Any, inputs: int) -> bool:
    if not isinstance(piece, dict) or set(piece) != {"from", "to", "value"}:
        return False
    lows, highs = corners_of(piece)
    if not len(lows) == len(highs) == inputs:
        return False
    return all(map(_is_number, [*lows, *highs, piece["value"]])) and all(
        low <= high for low, high in zip(lows, highs, strict=True)
    )


def _is_domain(domain: Any) -> bool:
    return isinstance(domain, list) and len(domain) in (1, 2) and all(_is_pair(s) and s[0] < s[1] for s in domain)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _require_fewer(fewer: Any, inputs: int) -> None:
    _require(inputs == 1, "fewer: is of one input only")
    _require(isinstance(fewer, dict) and set(fewer) == {*Fewer.__annotations__}, "fewer: is not understood")
    pairs, error, words = fewer["pairs"], fewer["error"], str(fewer["statement"])
    _require(isinstance(pairs, list) and fewer["pieces"] == len(pairs), "fewer.pieces: not so many")
    _require(all(map(_is_pair, pairs)), "fewer.pairs: expected pairs of points")
    _require(_is_number(error) and error > 0, "fewer.error: expected a number above 0")
    _require(f" {len(pairs)} " in words and repr(error) in words, "fewer.statement: of other numbers")
