"""Keys of dataset kind ``table`` that say how its cells are spelled, and what they may be."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from nnintro.config.datasets.text_keys import ColumnName


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
