"""What every section of the YAML shares: strict, closed, immutable; and a few common types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """Unknown keys, converted types, infinities and later changes are all refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=100_000_000)]


def _name_to_mapping(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


NameOrMapping = BeforeValidator(
    _name_to_mapping, json_schema_input_type=str | dict[str, Any]
)
"""Lets ``adam`` stand for ``{kind: adam}``."""


def listing(names: list[str] | tuple[str, ...]) -> str:
    """``a, b or c``."""
    *most, last = [str(name) for name in names]
    return f"{', '.join(most)} or {last}" if most else last


