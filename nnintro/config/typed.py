"""Read JSON into dataclasses, strictly: the first field that does not fit is named, with what was expected."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from nnintro.config.parse.messages import message
from nnintro.config.parse.nodes import dotted
from nnintro.wording import shown

T = TypeVar("T")


def from_json(kind: type[T], text: str | bytes) -> T:
    """The dataclass that a JSON text says; nothing is converted, but lists to tuples and whole numbers to floats.

    Args:
        kind: with ``config.task.STRICT`` as its ``__pydantic_config__``, and so every dataclass in it.

    Raises:
        ValueError: it is not JSON, or a field is not as ``kind`` has it: one line.
    """
    try:
        value: T = _adapter(cast(Hashable, kind)).validate_json(text)
    except ValidationError as error:
        raise ValueError(_misfit(error.errors(include_url=False)[0])) from None
    return value


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _misfit(error: ErrorDetails) -> str:
    match error["type"]:
        case "json_invalid":
            return f"no JSON: {error['ctx']['error']}"
        case "missing":
            text = "is missing"
        case "unexpected_keyword_argument":
            text = "is unknown"
        case "dataclass_type":
            text = f"expected a mapping, got {shown(error['input'])}"
        case "string_pattern_mismatch":
            text = f"expected a text of the form {error['ctx']['pattern']}, got {shown(error['input'])}"
        case _:
            text = message(error, ())
    return f"{dotted(error['loc'])}: {text}" if error["loc"] else text
