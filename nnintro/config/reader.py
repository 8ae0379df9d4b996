"""PyYAML's events to nodes: what a config has no use for is refused, where it stands.

Refused are tags, repeated keys, keys that are no text, several documents, deep nesting and
aliases that expand without bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import yaml

from nnintro.config.nodes import (
    MOST_DEPTH,
    MOST_NODES,
    Entry,
    Finding,
    Node,
    Place,
    Source,
    copied,
    refusal,
)
from nnintro.config.scalars import is_text, scalar
from nnintro.config.wording import shown_key

MERGE_KEY = "<<"


class Reader:
    """Builds the tree of one document; ``findings`` has what is refused without ending it."""

    def __init__(self, place: Place, *, located: bool = True) -> None:
        self.whole = place
        self.latest = place
        self.located = located
        self.findings: list[Finding] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        """Anchor -> its node and how many values it holds."""
        self.unfinished: set[str] = set()
        self.keys: list[str | int] = []
        self.nodes = 0

    def place(self, line: int, column: int) -> Place:
        """A place in the text, both from 1; the whole, where the text is no file."""
        return Place(self.whole.file, line, column) if self.located else self.whole

    def at(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None, "the parser marks every event"
        self.latest = self.place(mark.line + 1, mark.column + 1)
        return self.latest

    def refuse(self, place: Place, message: str, *keys: str) -> None:
        """Note a finding and read on."""
        self.findings.append(Finding(place, (*self.keys, *keys), message))

    def stop(self, place: Place, message: str) -> NoReturn:
        """Give up: raise with this and all that was found before it."""
        raise refusal([*self.findings, Finding(place, (), message)]) from None

    def document(self, events: Iterator[yaml.Event]) -> Source:
        """Read the one document of a text; nothing at all reads as null."""
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self.stop(self.at(event), "a second document begins; a config is one document")
                root = self.node(next(events), events)
        return Source(root or Node(None, self.place(1, 1)), self.findings)

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int = 0) -> Node:
        place, before = self.at(event), self.nodes
        if depth > MOST_DEPTH:
            self.stop(place, f"nested more than {MOST_DEPTH} levels deep")
        self.count(1, place)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, place)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if event.anchor is not None:
            self.unfinished.add(event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            if not is_text(event.value):
                self.refuse(place, f"a text must be of valid characters, got {event.value!a}")
                return Node(None, place, refused=True)
            node = Node(event.value if event.style else scalar(event.value), place)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self.sequence(place, events, depth)
        else:
            node = self.mapping(place, events, depth)
        node.refused = self.tagged(event, place)
        if event.anchor is not None:
            self.unfinished.discard(event.anchor)
            self.anchors[event.anchor] = (node, self.nodes - before)
        return node

    def count(self, more: int, place: Place) -> None:
        self.nodes += more
        if self.nodes > MOST_NODES:
            self.stop(place, f"more than {MOST_NODES:,} values, aliases written out")

    def tagged(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, place: Place) -> bool:
        # A lone '!' only says "take the text as it is"; anything else names a type.
        if event.tag in (None, "!"):
            return False
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        self.refuse(place, f"tags are not allowed, got {shown_key(tag)}; write the plain value")
        return True

    def alias(self, event: yaml.AliasEvent, place: Place) -> Node:
        """A copy, so that what is later laid over one use of an anchor leaves the others alone."""
        if event.anchor in self.unfinished:
            self.stop(place, f"alias *{event.anchor} stands inside the value that it names")
        if event.anchor not in self.anchors:
            self.stop(place, f"alias *{event.anchor} has no anchor &{event.anchor} before it")
        node, size = self.anchors[event.anchor]
        self.count(size - 1, place)
        return copied(node)

    def sequence(self, place: Place, events: Iterator[yaml.Event], depth: int) -> Node:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            self.keys.append(len(items))
            items.append(self.node(event, events, depth + 1))
            self.keys.pop()
        return Node(items, place)

    def mapping(self, place: Place, events: Iterator[yaml.Event], depth: int) -> Node:
        entries: dict[str, Entry] = {}
        refused = False
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key_place = self.at(event)
            key = self.key(event, events, depth)
            self.keys.append("?" if key is None else key)
            value = self.node(next(events), events, depth + 1)
            self.keys.pop()
            if key is None:
                refused = True
            elif key in entries:
                line = entries[key].place.line
                where = f"it stands in line {line} already" if line else "it is given twice"
                self.refuse(key_place, f"duplicate key; {where}", key)
            else:
                entries[key] = Entry(key_place, value)
        return Node(entries, place, incomplete=refused)

    def key(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> str | None:
        """The text of a key; None (and a finding) for what no section has."""
        place = self.at(event)
        if not isinstance(event, yaml.ScalarEvent):
            self.keys.append("?")
            self.node(event, events, depth + 1)
            self.keys.pop()
            self.refuse(place, "a key must be a plain text, such as 'samples'")
            return None
        text: str = event.value
        if self.tagged(event, place):
            return None
        if not is_text(text):
            self.refuse(place, f"a key must be of valid characters, got {text!a}")
            return None
        if text == MERGE_KEY and not event.style:
            self.refuse(place, "merge keys are not supported; write the keys out", text)
            return None
        if not text:
            self.refuse(place, "a key is missing before ':'")
            return None
        return text
