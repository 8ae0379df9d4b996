"""Keys of dataset kind ``table`` that say how its cells are spelled, and what they may be."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from nnintro.config.datasets.text_keys import ColumnName

DAYS = "mdjbBaA"
"""Directives of strptime for the day and the month."""
DIRECTIVES = f"{DAYS}YyHIpMSfz"


def one_or_mapping(value: Any) -> str:
    """The tag of a union of a thing and a mapping of columns to such things."""
    return "mapping" if isinstance(value, dict) else "one"


def list_or_mapping(value: Any) -> str:
    """The tag of a union of a list and a mapping of columns to such lists."""
    return "mapping" if isinstance(value, dict) else "list"


def _thousands(mark: str) -> str:
    if mark not in ",. '_\u00a0\u2009\u202f\u2019":
        raise ValueError(f"expected one of , . ' _ or a blank, got {mark!r}")
    return mark


def _stripped(text: str) -> str:
    bare = text.strip()
    if bare in ("(", ")"):
        raise ValueError("parentheses stand for a minus sign in accounts; write -5 in place of (5)")
    if not bare or any(letter.isdigit() or letter in "+-\u2212" for letter in bare) or bare in ".,'_":
        raise ValueError(f"expected what stands beside a number, such as '$' or kg, got {text!r}")
    return bare


def _date_format(form: str) -> str:
    directives = re.findall(r"%(.?)", form.replace("%%", ""), re.DOTALL)
    unknown = [f"%{letter}" for letter in directives if not letter or letter not in DIRECTIVES]
    if unknown:
        raise ValueError(f"{unknown[0]} is not a part of a date; expected a format such as %d.%m.%Y, got {form!r}")
    if len(set(directives)) < len(directives) or (not set(directives) & {*"HI"} and not set(directives) & {*"Yy"}):
        raise ValueError(f"expected a format with a year or an hour, each part once, such as %d.%m.%Y, got {form!r}")
    if set(directives) & {*DAYS} and not set(directives) & {*"Yy"}:
        raise ValueError(f"expected a year (%Y or %y) beside day and month, got {form!r}")
    return form


Decimal = Literal[".", ","]
Thousands = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_thousands)]
Beside = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_stripped)]
Strip = Annotated[list[Beside], Field(max_length=100)]
NoValue = Annotated[str, Field(max_length=100)] | int | float
NoValues = Annotated[list[NoValue], Field(max_length=1000)]
DecimalOrMapping = Annotated[
    Annotated[Decimal, Tag("one")] | Annotated[dict[ColumnName, Decimal], Tag("mapping")], Discriminator(one_or_mapping)
]
ThousandsOrMapping = Annotated[
    Annotated[Thousands, Tag("one")] | Annotated[dict[ColumnName, Thousands], Tag("mapping")],
    Discriminator(one_or_mapping),
]

NoValuesOrMapping = Annotated[
    Annotated[NoValues, Tag("list")] | Annotated[dict[ColumnName, NoValues], Tag("mapping")],
    Discriminator(list_or_mapping),
]
DateFormat = Annotated[str, Field(min_length=2, max_length=100), AfterValidator(_date_format)]
