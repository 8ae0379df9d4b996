"""Which sections and names are allowed under which keys, read off the pydantic models."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from pydantic import Discriminator
from pydantic.fields import FieldInfo

from nnintro.config.experiment import Experiment
from nnintro.config.parse.nodes import Keys, dotted
from nnintro.config.section import NameOrMapping, Section


@dataclass(frozen=True)
class Slot:
    """The place under a key."""

    sections: tuple[type[Section], ...] = ()
    """The sections that are allowed here; none under a key with a plain value."""
    tagged: bool = False
    """Whether pydantic puts the name of its choice into an error's location, behind the key."""
    by_name: bool = False
    """Whether a name alone is allowed in place of a section of that kind."""
    items: tuple[type[Section], ...] = ()
    """The section of each item, where a list of sections is allowed, or a mapping of them under the user's own keys."""
    named_items: bool = False
    """Whether it is such a mapping."""

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in map(kind_of, self.sections) if kind]

    @property
    def keys(self) -> list[str]:
        """All that a section here may hold, in the order of the models."""
        return list(dict.fromkeys(key for s in self.sections for key in fields_of(s)))

    def kinds_with(self, key: str) -> list[str]:
        return [kind_of(s) or "" for s in self.sections if key in fields_of(s)]


ROOT = Slot((Experiment,))


@cache
def kind_of(section: type[Section]) -> str | None:
    """The name a section goes by under ``kind``."""
    field = section.model_fields.get("kind")
    return str(typing.get_args(field.annotation)[0]) if field else None


@cache
def fields_of(section: type[Section]) -> dict[str, FieldInfo]:
    """By the key in the YAML, which may be a word that Python keeps for itself (``from``); not to be changed."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def named(keys: Keys) -> str:
    """A section's place, dotted, the items of a list left out."""
    return dotted(tuple(key for key in keys if isinstance(key, str)))


def options(slot: Slot, key: str) -> list[str]:
    """The names allowed under a key, where it takes one of a few names."""
    fields = [fields_of(s)[key] for s in slot.sections if key in fields_of(s)]
    names = [name for f in fields for name in _names(f.annotation)]
    return list(dict.fromkeys(names))


def walk(location: Keys) -> tuple[Keys, Slot]:
    """pydantic's location without its tags, and the slot at its end (its section, if chosen)."""
    slot, keys = ROOT, Keys()
    for part in location:
        if slot.tagged:
            slot = _chosen(slot, part)
        else:
            keys = (*keys, part)
            slot = below(slot, part)
    return keys, slot


@lru_cache(1000)
def _chosen(slot: Slot, kind: str | int) -> Slot:
    return Slot(tuple(s for s in slot.sections if kind_of(s) == kind))


def slot_at(keys: Keys) -> Slot:
    """The slot under ``keys``, with all sections that are allowed there."""
    slot = ROOT
    for key in keys:
        slot = below(slot, key)
    return slot


def below(slot: Slot, key: str | int) -> Slot:
    """The slot under a key of any of the sections allowed in ``slot``."""
    if isinstance(key, int):
        return Slot(slot.items)
    if slot.named_items:
        return Slot(slot.items, tagged=True)
    return _below(slot, key) if any(key in fields_of(s) for s in slot.sections) else Slot()


@lru_cache(1000)
def _below(slot: Slot, key: str) -> Slot:
    fields = [fields_of(s)[key] for s in slot.sections if key in fields_of(s)]
    sections = tuple(dict.fromkeys(s for field in fields for s in _sections(field.annotation)))
    tagged = len(sections) > 1 or any(map(_has_discriminator, fields))
    by_name = any(isinstance(m, NameOrMapping) for field in fields for m in field.metadata)
    items = tuple(dict.fromkeys(s for field in fields for s in _items(field.annotation)))
    named_items = bool(items) and any(typing.get_origin(field.annotation) is dict for field in fields)
    return Slot(sections, tagged, by_name, items, named_items)


def homes(key: str) -> list[str]:
    """The sections (dotted) that have such a key."""
    places = (named(at) for at, slot in slots() if key in slot.keys)
    return [place or "the top level" for place in places]


@cache
def slots() -> tuple[tuple[Keys, Slot], ...]:
    """Every place in a config where a section is allowed, the root first."""
    return tuple(_slots((), ROOT))


def _slots(keys: Keys, slot: Slot) -> Iterator[tuple[Keys, Slot]]:
    yield keys, slot
    for key in slot.keys:
        inner = below(slot, key)
        if inner.sections:
            yield from _slots((*keys, key), inner)
        if inner.items:
            item = "KEY" if inner.named_items else 0
            yield from _slots((*keys, key, item), below(inner, item))


def _has_discriminator(field: FieldInfo) -> bool:
    marks = [field.discriminator, *field.metadata, *_marks(field.annotation)]
    return any(isinstance(mark, Discriminator) for mark in marks)


def _marks(annotation: Any) -> Iterator[Any]:
    """What an Annotated in an Optional is marked with."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            if typing.get_origin(part) is typing.Annotated:
                yield from part.__metadata__


def _sections(annotation: Any) -> Iterator[type[Section]]:
    """Those an annotation admits: through Annotated, Union and Optional."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    elif typing.get_origin(annotation) in (typing.Annotated, typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from _sections(part)


def _items(annotation: Any) -> Iterator[type[Section]]:
    """Those that the items of a list are, or the values of a mapping."""
    if typing.get_origin(annotation) in (list, dict):
        for part in typing.get_args(annotation):
            yield from _sections(part)


def _names(annotation: Any) -> Iterator[str]:
    if typing.get_origin(annotation) is typing.Literal:
        yield from typing.get_args(annotation)
    elif typing.get_origin(annotation) in (typing.Annotated, typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from _names(part)
