"""Say of texts that are nearly numbers which keys of the config would read them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from nnintro.datasets.tables.spelling import Marks

_AROUND = re.compile(
    r"(?P<before>[^0-9]*?)(?P<sign>[+-]?)(?P<between>[^0-9.,+-]*?)"
    r"(?P<core>[.,]?[0-9](?:[0-9.,'’_ \u00a0\u2009\u202f]*[0-9])?[.,]?(?:[eE][+-]?[0-9]+)?)(?P<behind>[^0-9]*)"
)
"""A number, and what stands around it."""
_FORTRAN = re.compile(r"[+-]?[0-9]*\.[0-9]*[dD][+-]?[0-9]+")
_MARKS = [(".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"), (".", "_")]
"""Decimal and thousands marks that are in use; '1,5' has the second, '1.234,5' the third."""
MOST_BESIDE = 4
"""Different texts around the numbers of one column."""
MANY = 20
"""Different numbers with letters beside them, from which on they are hardly categories."""
_NO_VALUE = re.compile(r"[^\w\s]+|n\.?a\.?|n\.?d\.?|k\.?a\.?|none|missing|unknown|no ?data|nil", re.I)


def advice(values: Sequence[str]) -> str | None:
    """``add decimal: ','``: what makes numbers of all these texts; None where nothing does."""
    if all(map(_FORTRAN.fullmatch, values)):
        return "numbers are written with E, not with Fortran's D: replace it"
    parts = [_AROUND.fullmatch(value.strip()) for value in values]
    found = [part for part in parts if part is not None]
    if len(found) < len(values) or not _are_quantities(found):
        return None
    beside = sorted({part[name].strip() for part in found for name in ("before", "between", "behind")} - {""})
    stripped = f"strip: [{', '.join(map(repr, beside))}]" if beside else ""
    cores = [part["core"] for part in found]
    if all(Marks().numeral(core) is not None for core in cores):
        return f"add {stripped}" if stripped else None
    readings = list(_readings(cores))
    said = [" and ".join(filter(None, (_keys(*marks), stripped))) for marks in readings]
    if readings[:2] == _MARKS[:2]:  # 1,234 may be either
        whole, fraction = cores[0].replace(",", ""), cores[0].replace(",", ".")
        return f"add {said[0]} if {cores[0]} is {whole}, {said[1]} if it is {fraction}"
    return f"add {said[0]}" if said else None


def _are_quantities(parts: Sequence[re.Match[str]]) -> bool:
    """Whether what stands beside the numbers are signs and units.

    A number with a letter beside it may be a category (A1, 2nd, 3 doors); but not where they are many, or have
    fractions.
    """
    beside = {part[name].strip() for part in parts for name in ("before", "between", "behind")}
    letters = set("".join(beside)) - set(" ")
    if len(beside) > MOST_BESIDE + 1 or not all(map(_is_of_a_unit, letters)):
        return False
    cores = {part["core"] for part in parts}
    have_fractions = all("." in core or "," in core for core in cores)
    if any(letter.isalpha() for part in parts for letter in part["before"] + part["between"]):
        return have_fractions
    return have_fractions or len(cores) >= MANY or not any(map(str.isalpha, letters))


def _is_of_a_unit(letter: str) -> bool:
    return letter.isalpha() or unicodedata.category(letter) == "Sc" or letter in "%‰°²³./"


def _readings(cores: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The marks with which all are numbers."""
    for marks in _MARKS:
        if all(Marks(*marks).numeral(core) is not None for core in cores):
            yield marks


def _keys(decimal: str, thousands: str) -> str:
    said = [f"decimal: {decimal!r}" if decimal != "." else "", f"thousands: {thousands!r}" if thousands else ""]
    return " and ".join(filter(None, said))


def stands_for_nothing(values: Sequence[str]) -> str | None:
    """``add missing_values: ['-']`` where these texts among numbers are words for no value."""
    texts = sorted({value.strip() for value in values})
    if len(texts) <= MOST_BESIDE and all(map(_NO_VALUE.fullmatch, texts)):
        return f"add missing_values: [{', '.join(map(repr, texts))}] if that is no value"
    return None
