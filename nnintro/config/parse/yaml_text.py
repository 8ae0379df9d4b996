"""YAML text -> nodes with places; every problem is found, and numbers are those of YAML 1.2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import yaml

from nnintro.config.parse.nodes import (
    MOST_DEPTH,
    MOST_NODES,
    Entry,
    Finding,
    Node,
    Place,
    Source,
    copied,
    is_text,
    refusal,
    scalar,
)
from nnintro.errors import ConfigError, Problem
from nnintro.files import open_regular, why_unread
from nnintro.wording import shown_key

MOST_BYTES = 1 << 22
"""20,000 steps by hand, each with all its digits."""

EXPLANATIONS = (
    ("'\\t'", "a tab; YAML is indented with spaces"),
    (
        "mapping values are not allowed",
        "a ':' is not allowed here; indent this line like its neighbours, or put a text that contains ': ' in quotes",
    ),
    ("could not find expected ':'", "no key and value; a ':' followed by a space is missing"),
    ("but found ':'", "a key is missing before ':'"),
    ("tab character", "a tab; YAML is indented with spaces"),
    ("did not find expected key", "this does not go with the lines above; check the indentation"),
    ("did not find expected '-'", "this does not go with the lines above; check the indentation"),
    ("expected node content", "a value is missing before this"),
    ("expected <block end>", "this does not go with the lines above; check the indentation"),
    ("expected ',' or ']', but got '<stream end>'", "a list is opened with '[', never closed"),
    ("expected ',' or '}', but got '<stream end>'", "a mapping is opened with '{', never closed"),
    ("expected ',' or ']'", "a ',' or ']' is missing before this"),
    ("expected ',' or '}'", "a ',' or '}' is missing before this"),
    ("unexpected end of stream", "a text is opened with a quote, never closed"),
    ("but found '<stream end>'", "the text ends in the middle of a list or mapping"),
    ("that cannot start any token", "a text that begins with this character needs quotes"),
    ("expected the node content", "a value is missing before this"),
    ("unknown escape character", "an unknown escape; in single quotes a backslash is itself"),
)
"""What PyYAML or libyaml says, in part -> what to do about it; the first that fits counts."""

UNFINISHED = ("stream end", "end of stream", "could not find expected ':'")

LONG = 1 << 17
"""Characters that PyYAML's own parser reads in a quarter of a second."""
FASTEST: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser, ten times as fast, where PyYAML has it."""


def read_file(path: Path) -> Source:
    """Read a YAML file.

    Raises:
        ConfigError: the file cannot be read, is not text, or is not a single YAML document.
    """
    name = str(path)
    try:
        with open_regular(path) as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigError([Problem(f"cannot be read: {why_unread(path, error)}", file=name)]) from None
    if len(data) > MOST_BYTES:
        message = f"larger than {MOST_BYTES >> 20} MiB, too large for a config"
        raise ConfigError([Problem(message, file=name)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _line_and_column(data[: error.start].decode("utf-8-sig", "replace"))
        message = "not UTF-8 text; save the file as UTF-8"
        raise ConfigError([Problem(message, "", name, line, column)]) from None
    return read_text(text, Place(name))


def read_text(text: str, place: Place, *, located: bool = True) -> Source:
    """Read one YAML document; ``located=False`` gives every node the one ``place``.

    Raises:
        ConfigError: the text is not a single YAML document.
    """
    reader = Reader(place, located=located)
    try:
        return reader.document(_events(text))
    except yaml.reader.ReaderError as error:
        # It knows only the character's index in the text.
        where = reader.place(*_line_and_column(text[: error.position]))
        reader.stop(where, f"not valid YAML: the character {_character(error)} is not allowed")
    except yaml.MarkedYAMLError as error:
        mark = _mark(error)
        where = reader.place(mark.line + 1, mark.column + 1) if mark else reader.place(1, 1)
        reader.stop(where, f"not valid YAML: {_explanation(error)}")
    except (ValueError, OverflowError):
        # PyYAML lets Python's own errors through: "\UFFFFFFFF", %YAML 1.999...
        message = "not valid YAML: behind this, a number in an escape or directive is out of range"
        reader.stop(reader.latest, message)


def _events(text: str) -> Iterator[yaml.Event]:
    """The events of a text; a long one, as nobody writes by hand, is parsed by libyaml.

    libyaml has other words for some mistakes, and takes a tab or a BOM within a line.
    """
    if len(text) <= LONG or not is_text(text):
        return yaml.parse(text, Loader=yaml.SafeLoader)
    yaml.reader.Reader(text)  # raises for characters that are not allowed, whose place libyaml gives in bytes
    return yaml.parse(text, Loader=FASTEST)


def _line_and_column(before: str) -> tuple[int, int]:
    """Of the character that follows ``before``, both from 1."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _mark(error: yaml.MarkedYAMLError) -> yaml.error.Mark | None:
    """Where the mistake is; for what is never finished, where it begins."""
    begins = any(words in str(error.problem) for words in UNFINISHED) and error.context_mark
    return error.context_mark if begins else error.problem_mark or error.context_mark


def _character(error: yaml.reader.ReaderError) -> str:
    code = error.character if isinstance(error.character, int) else ord(str(error.character))
    return f"U+{code:04X}"


def _explanation(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be understood"
    for fragment, explanation in EXPLANATIONS:
        if fragment in problem:
            return explanation
    return problem.replace("'\\x00'", "the end of the text")


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
        """A place in the text, both from 1; the whole, where the text is not a file."""
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
            self.stop(place, f"more than {MOST_NODES:,} keys and values, aliases written out")

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
            self.stop(place, f"alias *{event.anchor} is used inside its own value")
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
            self.count(1, key_place)
            key = self.key(event, events, depth)
            self.keys.append("?" if key is None else key)
            value = self.node(next(events), events, depth + 1)
            self.keys.pop()
            if key is None:
                refused = True
            elif key in entries:
                line = entries[key].place.line
                where = f"already defined in line {line}" if line else "it is defined twice"
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
