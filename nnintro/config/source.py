"""Text to plain values, strictly, with a place (file:line:column) for every key and value.

PyYAML resolves scalars by YAML 1.1 (``no`` is false, ``1e-3`` a string, ``010`` is eight) and lets
a repeated key win in silence.  Here its parser only delivers events; the values are built from
them by YAML 1.2's core schema, and everything a config has no use for is refused: tags, repeated
keys, keys that are no text, several documents, deep nesting, aliases that expand without bound.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nnintro.errors import ConfigError, Problem

MAXIMUM_BYTES = 1 << 20
MAXIMUM_DEPTH = 32
MAXIMUM_NODES = 100_000

Scalar = None | bool | int | float | str

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_INTEGER = 400
"""Digits; beyond it the number is infinite as a float, and Python's ``int`` would be slow."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file with line and column (from 1), or an override's name."""

    file: str | None = None
    line: int | None = None
    column: int | None = None

    def problem(self, message: str, path: str = "") -> Problem:
        return Problem(message, path, self.file, self.line, self.column)


@dataclass(slots=True)
class Node:
    """A value and its place; ``content`` is a scalar, a list of nodes or a dict of entries."""

    content: Any
    place: Place
    size: int = 1
    """Nodes below and including this one, aliases written out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping: the place of the key itself, and its value."""

    place: Place
    value: Node


@dataclass
class Source:
    """A config as it was written: the tree of nodes and what was already wrong with it."""

    root: Node
    problems: list[Problem] = field(default_factory=list)

    def find(self, keys: tuple[str | int, ...], *, of_key: bool = False) -> Place:
        """The place of the value under ``keys`` (or of the key itself).

        Where a key is missing, the place of the nearest thing above it that exists.
        """
        node, place = self.root, self.root.place
        for position, key in enumerate(keys):
            last = position == len(keys) - 1
            if isinstance(node.content, dict) and key in node.content:
                entry = node.content[key]
                node = entry.value
                place = entry.place if last and of_key else node.place
            elif isinstance(node.content, list) and isinstance(key, int) and (
                key < len(node.content)
            ):
                node = node.content[key]
                place = node.place
            else:
                return place if position == 0 else self.find(keys[:position], of_key=True)
        return place


def plain(node: Node) -> Any:
    """The node as ordinary dicts, lists and scalars."""
    if isinstance(node.content, dict):
        return {key: plain(entry.value) for key, entry in node.content.items()}
    if isinstance(node.content, list):
        return [plain(item) for item in node.content]
    return node.content


def scalar(text: str) -> Scalar:
    """A plain (unquoted) scalar's value by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_INTEGER else math.copysign(math.inf, -(text[0] == "-"))
    if _BASED.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


def read_file(path: Path) -> Source:
    """Read a YAML file.

    Raises:
        ConfigError: the file cannot be read, is no text, or is no single YAML document.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError([Problem(f"cannot be read: {reason}", file=name)]) from None
    if len(data) > MAXIMUM_BYTES:
        raise ConfigError([Problem(f"larger than {MAXIMUM_BYTES:,} bytes", file=name)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = "not UTF-8 text; save the file as UTF-8"
        raise ConfigError([Problem(message, "", name, line, column)]) from None
    return read_text(text, name)


def read_text(text: str, name: str | None = None, *, located: bool = True) -> Source:
    """Read one YAML document; ``located=False`` gives every node the place ``name`` alone."""
    reader = _Reader(name, located)
    try:
        return reader.document(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.reader.ReaderError as error:
        # A ReaderError knows only the character's index in the text.
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        message = f"not valid YAML: the character {error.character!r} is not allowed"
        raise ConfigError([reader.place(line, column).problem(message)]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = reader.place(mark.line + 1, mark.column + 1) if mark else reader.place(1, 1)
        raise ConfigError([place.problem(_explain(error))]) from None


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be understood"
    if "'\\t'" in problem:
        return "not valid YAML: a tab; YAML is indented with spaces"
    if "mapping values are not allowed" in problem:
        return "not valid YAML: a second ':' in one line; put text that contains ': ' in quotes"
    return f"not valid YAML: {problem}"


class _Reader:
    """Builds nodes from PyYAML's events; collects what is refused but does not stop the reading."""

    def __init__(self, name: str | None, located: bool) -> None:
        self.name = name
        self.located = located
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.keys: list[str] = []

    def place(self, line: int, column: int) -> Place:
        return Place(self.name, line, column) if self.located else Place(self.name)

    def at(self, event: yaml.Event) -> Place:
        return self.place(event.start_mark.line + 1, event.start_mark.column + 1)

    def refuse(self, place: Place, message: str, *keys: str) -> None:
        self.problems.append(place.problem(message, ".".join([*self.keys, *keys])))

    def document(self, events: Iterator[yaml.Event]) -> Source:
        root = Node(None, self.place(1, 1))
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise ConfigError([self.at(event).problem("a second document; one is wanted")])
                root = self.node(next(events), events, 0)
        return Source(root, self.problems)

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        place = self.at(event)
        if depth > MAXIMUM_DEPTH:
            raise ConfigError([place.problem(f"nested more than {MAXIMUM_DEPTH} levels deep")])
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, place)
        # A lone '!' only says "no tag resolution"; anything else names a type.
        if event.tag not in (None, "!"):
            self.refuse(place, f"tags are not allowed in a config: {_shown_tag(event.tag)}")
        if isinstance(event, yaml.ScalarEvent):
            is_plain = event.style is None and event.tag is None
            node = Node(scalar(event.value) if is_plain else event.value, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(place, events, depth)
        else:
            node = self.mapping(place, events, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        if node.size > MAXIMUM_NODES:
            raise ConfigError([place.problem(f"more than {MAXIMUM_NODES:,} values")])
        return node

    def alias(self, event: yaml.AliasEvent, place: Place) -> Node:
        if event.anchor not in self.anchors:
            raise ConfigError([place.problem(f"alias *{event.anchor} has no anchor before it")])
        return self.anchors[event.anchor]

    def sequence(self, place: Place, events: Iterator[yaml.Event], depth: int) -> Node:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self.node(event, events, depth + 1))
        return Node(items, place, 1 + sum(item.size for item in items))

    def mapping(self, place: Place, events: Iterator[yaml.Event], depth: int) -> Node:
        entries: dict[str, Entry] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key_place = self.at(event)
            key = event.value if isinstance(event, yaml.ScalarEvent) else None
            if key is None:
                self.node(event, events, depth + 1)
                self.refuse(key_place, "a key must be a plain text")
            elif event.tag not in (None, "!"):
                self.refuse(key_place, f"tags are not allowed in a config: {_shown_tag(event.tag)}")
            self.keys.append(key or "?")
            value = self.node(next(events), events, depth + 1)
            self.keys.pop()
            if key is None:
                continue
            if key in entries:
                first = entries[key].place
                where = f"; it stands in line {first.line} already" if first.line else ""
                self.refuse(key_place, f"duplicate key{where}", key)
                continue
            entries[key] = Entry(key_place, value)
        return Node(entries, place, 1 + sum(entry.value.size for entry in entries.values()))


def _shown_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def from_python(value: Any, place: Place = Place(), depth: int = 0) -> Node:
    """A dict config as nodes; tuples count as lists, NumPy's numbers as Python's.

    Raises:
        ConfigError: a key is no text, or a value has no counterpart in YAML.
    """
    if depth > MAXIMUM_DEPTH:
        raise ConfigError([place.problem(f"nested more than {MAXIMUM_DEPTH} levels deep")])
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ConfigError([place.problem(f"a key must be a text, got {key!r}")])
        entries = {key: Entry(place, from_python(v, place, depth + 1)) for key, v in value.items()}
        return Node(entries, place)
    if isinstance(value, list | tuple):
        return Node([from_python(item, place, depth + 1) for item in value], place)
    if value is None or isinstance(value, bool | int | float | str):
        return Node(value, place)
    if hasattr(value, "tolist"):
        return from_python(value.tolist(), place, depth + 1)
    if isinstance(value, Path):
        return Node(str(value), place)
    kind = type(value).__name__
    raise ConfigError([place.problem(f"a config cannot hold a value of type {kind}")])
