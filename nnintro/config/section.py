"""What every section of the YAML shares: strict, closed, immutable; and a few common types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import core_schema

from nnintro.wording import shown


class Section(BaseModel):
    """Unknown keys, converted types, infinities and later changes are all refused."""

    # Built on first use, all in one go from the root: a fifth of the time of building each alone.
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        defer_build=True,
    )


Fraction = Annotated[float, Field(ge=0, lt=1)]

Positive = Annotated[float, Field(gt=0)]

NotNegative = Annotated[float, Field(ge=0)]

Count = Annotated[int, Field(ge=1, le=100_000_000)]


@dataclass(frozen=True)
class NameOrMapping:
    """Lets ``adam`` stand for ``{kind: adam}``, in the YAML and in its JSON Schema."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_name_to_mapping, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        mapping = handler(schema)
        return {"anyOf": [{"enum": list(mapping["discriminator"]["mapping"])}, mapping]}


def _name_to_mapping(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def exactly(count: int, wanted: str) -> BeforeValidator:
    """A list of ``count``, asked for in words of its own: ``[low, high]``."""
    return BeforeValidator(_counter(count, wanted))


def _counter(count: int, wanted: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not isinstance(value, list) or len(value) != count:
            raise ValueError(f"expected {wanted}, got {shown(value)}")
        return value

    return check


def one_or_list(value: Any) -> str:
    """The tag of a union of a thing and a list of such things."""
    return "list" if isinstance(value, list | tuple) else "one"


def held_out(samples: int, fraction: float) -> int:
    """How many of the samples that fraction is: at least one, never all."""
    return min(max(1, round(samples * fraction)), samples - 1)


@dataclass(frozen=True)
class Complaint:
    """A rule that is broken: the key to change, and why."""

    path: str
    message: str
    entry: str | None = None
    """The entry under ``path`` whose own key is at fault, where users name the keys (metrics)."""


Standardize = Literal["none", "inputs"]
