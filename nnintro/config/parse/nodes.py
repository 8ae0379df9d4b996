"""A config as it was written: scalars, lists and mappings in a tree, each with its place."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from nnintro.errors import ConfigError, Problem
from nnintro.wording import shown_key

Keys = tuple[str | int, ...]
MOST_DEPTH = 32
MOST_NODES = 250_000
"""Keys and values in one config, aliases written out."""
MOST_PROBLEMS = 100
"""What one error lists; more are counted."""


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a value: a file with line and column (from 1), or an override's name."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    rank: int = field(default=0, compare=False)
    """The order of places that have no line."""

    @property
    def order(self) -> tuple[int, int, int]:
        """Sorts places as a reader meets them: the file from top to bottom, then the rest."""
        if self.line is None:
            return (1, self.rank, 0)
        return (0, self.line, self.column or 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem before it is reported: it still has its order and its key in parts."""

    place: Place
    keys: Keys
    message: str

    @property
    def problem(self) -> Problem:
        place, path = self.place, dotted(self.keys)
        return Problem(self.message, path, place.file, place.line, place.column)


@dataclass(slots=True)
class Node:
    """A value and its place; ``content`` is a scalar, a list of nodes or a dict of entries."""

    content: Any
    place: Place
    refused: bool = False
    """The value as a whole is wrong (a tag, say): what follows from that is not reported."""
    incomplete: bool = False
    """Some of a mapping's keys were refused: one that seems missing may have been among them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping: the place of the key itself, and its value."""

    place: Place
    value: Node


@dataclass
class Source:
    """A config's tree and what was wrong with it already as a text."""

    root: Node
    findings: list[Finding] = field(default_factory=list)


def refusal(findings: list[Finding]) -> ConfigError:
    """All findings in the order of the file, overrides behind them; a flood is cut short."""
    ordered = sorted(dict.fromkeys(findings), key=lambda finding: finding.place.order)
    problems = [finding.problem for finding in ordered[:MOST_PROBLEMS]]
    rest = len(ordered) - len(problems)
    if rest:
        problems.append(Problem(f"and {rest:,} more", file=problems[0].file))
    return ConfigError(problems)


def dotted(keys: Keys) -> str:
    """``('model', 'hidden', 0)`` as ``model.hidden.0``."""
    return ".".join(shown_key(key) if isinstance(key, str) else str(key) for key in keys)


def child(node: Node, key: str | int) -> Node | None:
    """The value under a key or a list index (as a number or its digits), if it is there."""
    content = node.content
    if isinstance(content, dict) and isinstance(key, str) and key in content:
        entry: Entry = content[key]
        return entry.value
    if isinstance(content, list) and (isinstance(key, int) or (key.isascii() and key.isdigit())):
        items: list[Node] = content
        index = int(key) if len(str(key)) < 10 else len(items)
        return items[index] if index < len(items) else None
    return None


def descend(root: Node, keys: Keys) -> Node | None:
    """The value under several keys, if it is there."""
    node: Node | None = root
    for key in keys:
        node = child(node, key) if node is not None else None
    return node


def find(root: Node, keys: Keys, *, of_key: bool = False) -> Place:
    """The place of the value under ``keys``, or of the key itself.

    Where that is missing: the place of the key of the nearest section that is there.
    """
    node, place = root, root.place
    key_place = place
    for key in keys:
        below = child(node, key)
        if below is None:
            return key_place
        key_place = node.content[key].place if isinstance(node.content, dict) else below.place
        node, place = below, below.place
    return key_place if of_key else place


def plain(node: Node) -> Any:
    """The node as ordinary dicts, lists and scalars."""
    if isinstance(node.content, dict):
        return {key: plain(entry.value) for key, entry in node.content.items()}
    if isinstance(node.content, list):
        return [plain(item) for item in node.content]
    return node.content


def copied(node: Node) -> Node:
    """A tree of its own: changing it leaves the original as it is."""
    content = node.content
    if isinstance(content, dict):
        content = {key: Entry(e.place, copied(e.value)) for key, e in content.items()}
    elif isinstance(content, list):
        content = [copied(item) for item in content]
    return Node(content, node.place, node.refused, node.incomplete)


Scalar = None | bool | int | float | str
MOST_DIGITS = 308
"""Of an integer; beyond it the number is infinite as a float, and Python's ``int`` is slow."""

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


def scalar(text: str) -> Scalar:
    """The value of a plain scalar: nothing, true or false, a number, or else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.fullmatch(text):
        return int(text) if len(text) <= MOST_DIGITS else float(text)
    if _BASED.fullmatch(text):
        return int(text, 0) if len(text) <= MOST_DIGITS else math.inf
    return float(text) if _FLOAT.fullmatch(text) else text


def is_text(value: str) -> bool:
    """Whether all characters are whole: half of a surrogate pair can be escaped, never written.

    Those that stand for the bytes of a path that is not UTF-8 (PEP 383) are whole.
    """
    try:
        value.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
