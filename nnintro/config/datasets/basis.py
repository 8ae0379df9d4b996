"""``dataset.basis``: formulas of the inputs that the network takes in place of them."""

from __future__ import annotations

import keyword
from typing import Annotated

from pydantic import AfterValidator, Field

from nnintro.formula.tree import CONSTANTS, FUNCTIONS

MOST_CHARACTERS = 120_000
"""Of all formulas: each is computed at hundreds of points, which takes seconds for as many."""


def _few_characters(formulas: list[str]) -> list[str]:
    characters = sum(map(len, formulas))
    if characters > MOST_CHARACTERS:
        raise ValueError(f"expected at most {MOST_CHARACTERS:,} characters in all formulas, got {characters:,}")
    return formulas


Basis = Annotated[
    list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=10_000), AfterValidator(_few_characters)
]


def names_for_formulas(columns: list[str]) -> list[str]:
    """What formulas call the columns of a table: their names, or ``x3`` where that is not a word.

    The number is the column's position, counted from 1. A column named like a function or a constant
    is numbered too.
    """
    taken = {*FUNCTIONS, *CONSTANTS}
    plain = [name if _is_word(name) and name not in taken else "" for name in columns]
    known = set(plain)
    return [
        name or next(free for free in _numbered(place) if free not in known)
        for place, name in enumerate(plain, start=1)
    ]


def _is_word(name: str) -> bool:
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def _numbered(place: int) -> list[str]:
    """Names to fall back on; the second for a table whose own columns have the first."""
    return [f"x{place}", *(f"{'_' * k}x{place}" for k in range(1, 100))]
