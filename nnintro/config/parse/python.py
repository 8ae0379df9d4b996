"""A dict config from Python as nodes, as if it had been written in YAML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnintro.config.parse.nodes import (
    MOST_DEPTH,
    MOST_DIGITS,
    MOST_NODES,
    Entry,
    Finding,
    Keys,
    Node,
    Place,
    Scalar,
    Source,
    dotted,
    is_text,
)
from nnintro.errors import ConfigError, Problem
from nnintro.wording import shown

MOST_BITS = int(MOST_DIGITS * math.log2(10))


def from_python(values: Mapping[Any, Any]) -> Source:
    """The config's tree; tuples count as lists, NumPy's and torch's numbers as Python's.

    Raises:
        ConfigError: it is nested too deeply, contains itself, or is too large.
    """
    builder = _Builder()
    return Source(builder.node(values, ()), builder.findings)


class _Builder:
    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.nodes = 0

    def node(self, value: Any, keys: Keys) -> Node:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise ConfigError(f"more than {MOST_NODES:,} keys and values")
        if len(keys) > MOST_DEPTH:
            message = f"nested more than {MOST_DEPTH} levels deep"
            raise ConfigError([Problem(message, dotted(keys[:1]))])
        place = Place(rank=self.nodes)
        if isinstance(value, Mapping):
            return self.mapping(value, keys, place)
        if isinstance(value, list | tuple):
            items = [self.node(item, (*keys, index)) for index, item in enumerate(value)]
            return Node(items, place)
        return self.scalar(value, keys, place)

    def mapping(self, value: Mapping[Any, Any], keys: Keys, place: Place) -> Node:
        entries: dict[str, Entry] = {}
        refused = False
        for key, item in value.items():
            self.nodes += 1
            if isinstance(key, str) and is_text(key):
                below = self.node(item, (*keys, str.__str__(key)))
                entries[str.__str__(key)] = Entry(below.place, below)
                continue
            refused = True
            message = f"a key must be a text, got {_kind_and_value(key)}"
            self.findings.append(Finding(Place(rank=self.nodes), keys, message))
        return Node(entries, place, incomplete=refused)

    def scalar(self, value: Any, keys: Keys, place: Place) -> Node:
        if isinstance(value, str | Path) and not is_text(str(value)):
            message = f"a text must be of valid characters, got {str(value)!a}"
            self.findings.append(Finding(place, keys, message))
            return Node(None, place, refused=True)
        if value is None or isinstance(value, bool | int | float | str | Path):
            return Node(_exact(value), place)
        if hasattr(value, "tolist") and math.prod(getattr(value, "shape", ())) <= MOST_NODES:
            return self.node(value.tolist(), keys)
        message = f"a config cannot hold {_kind_and_value(value)}"
        self.findings.append(Finding(place, keys, message))
        return Node(None, place, refused=True)


def _exact(value: float | str | Path | None) -> Scalar:
    """What a subclass (an enum, numpy.float64) is underneath: YAML has no others."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, int) and value.bit_length() <= MOST_BITS:
        return int(value)
    return float(value) if isinstance(value, float) else math.inf if value > 0 else -math.inf


def _kind_and_value(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, str):
        return ascii(str.__str__(value))
    return f"{kind} {shown(value)}" if isinstance(value, int | float) else f"a value of type {kind}"
