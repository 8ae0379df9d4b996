"""pydantic's errors in our words: what came, what was wanted, and the nearest right name."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from nnintro.config.section import listing

Keys = tuple[str | int, ...]

_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "greater_than": "a number above {gt:.12g}",
    "greater_than_equal": "a number of at least {ge:.12g}",
    "less_than": "a number below {lt:.12g}",
    "less_than_equal": "a number of at most {le:.12g}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of at most {max_length} characters",
}
_PATTERNS = {
    "device": "auto, cpu, cuda or cuda:<index>",
    "name": "letters, digits, '.', '_' and '-', the first a letter or digit",
    "logging.scalars": "auto, off or 'every N steps'",
}


def nearest(name: str, candidates: list[str]) -> str | None:
    """The candidate a person most probably meant, if any comes close."""
    exact = {candidate.lower().replace("-", "_"): candidate for candidate in candidates}
    simple = name.lower().replace("-", "_").replace(" ", "_")
    if simple in exact:
        return exact[simple]
    found = difflib.get_close_matches(simple, list(exact), n=1, cutoff=0.6)
    return exact[found[0]] if found else None


def shown(value: Any) -> str:
    """A value as it stands in a message: short, and of its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def message(error: ErrorDetails, path: str) -> str:
    """One sentence for one error of pydantic's (unknown keys are told by ``unknown_key``)."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "missing":
        return "required key is missing"
    if kind == "union_tag_not_found":
        return f"required key 'kind' is missing; expected {_tags(context)}"
    if kind == "union_tag_invalid":
        return choice(context["tag"], _names(context["expected_tags"]))
    if kind == "literal_error":
        return choice(value, _names(context["expected"]))
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"expected {_PATTERNS[path]}, got {shown(value)}"
    if kind in _WANTED:
        wanted = f"expected {_WANTED[kind].format(**context)}, got {shown(value)}"
        return wanted + _hint(kind, value)
    return f"{error['msg']}, got {shown(value)}"


def _hint(kind: str, value: Any) -> str:
    if kind in ("int_type", "int_from_float") and isinstance(value, float) and (
        value.is_integer() and abs(value) < 1e15
    ):
        return f"; write {int(value)}"
    return ""


def choice(value: Any, names: list[str]) -> str:
    """``expected a, b or c, got 'd'``, with the nearest of the names."""
    text = f"expected {listing(names)}, got {shown(value)}"
    close = nearest(value, names) if isinstance(value, str) else None
    return f"{text}; did you mean '{close}'?" if close else text


def unknown_key(key: str, candidates: list[str], homes: dict[str, list[str]]) -> str:
    """For a key that a section does not have; ``homes`` says which sections have which keys."""
    close = nearest(key, candidates)
    if close is None and key in homes:
        return f"unknown key; it belongs in {listing(homes[key])}"
    if close is None:
        return f"unknown key; expected {listing(candidates)}" if candidates else "unknown key"
    return f"unknown key; did you mean '{close}'?"


def _names(expected: str) -> list[str]:
    """pydantic writes ``'a', 'b' or 'c'``."""
    return [name.strip(" '") for name in expected.replace(" or ", ", ").split(",")]


def _tags(context: dict[str, Any]) -> str:
    discriminator = str(context.get("discriminator", "")).strip("'")
    return f"a name under '{discriminator}'" if discriminator != "kind" else "one of its kinds"


# --- the models behind a key -------------------------------------------------------------------


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections that an annotation admits: through Annotated, Union and Optional."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) in (typing.Annotated, typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from models_in(part)


def kind_of(model: type[BaseModel]) -> str | None:
    """The name a section goes by under ``kind``."""
    field = model.model_fields.get("kind")
    return typing.get_args(field.annotation)[0] if field else None


def models_at(root: type[BaseModel], location: Keys) -> list[type[BaseModel]]:
    """The sections that stand at one of pydantic's locations (keys with union tags between)."""
    here = [root]
    for part in location:
        chosen = [model for model in here if kind_of(model) == part]
        if chosen:
            here = chosen
            continue
        here = [
            below
            for model in here
            if part in model.model_fields
            for below in models_in(model.model_fields[str(part)].annotation)
        ]
    return here


def homes(root: type[BaseModel], prefix: str = "") -> dict[str, list[str]]:
    """Key -> the sections (dotted) in which it may stand."""
    found: dict[str, list[str]] = {}
    for name, field in root.model_fields.items():
        found.setdefault(name, []).append(prefix or "the top level")
        for model in models_in(field.annotation):
            for key, places in homes(model, f"{prefix}.{name}".lstrip(".")).items():
                known = found.setdefault(key, [])
                known.extend(place for place in places if place not in known)
    return found
