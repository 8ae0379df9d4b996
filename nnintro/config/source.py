"""Text to nodes, strictly: every key and value with its place (file:line:column).

PyYAML only delivers events here; ``reader`` builds the tree from them and ``scalars`` says what a
plain word means.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from nnintro.config.nodes import Place, Source
from nnintro.config.reader import Reader
from nnintro.errors import ConfigError, Problem

MOST_BYTES = 1 << 22
"""20,000 steps by hand, each with all its digits."""

EXPLANATIONS = (
    ("'\\t'", "a tab; YAML is indented with spaces"),
    (
        "mapping values are not allowed",
        "a ':' where none may stand; indent this line like its neighbours, or put a text that "
        "contains ': ' in quotes",
    ),
    ("could not find expected ':'", "no key and value; a ':' followed by a space is missing"),
    ("but found ':'", "a key is missing before ':'"),
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
"""What PyYAML says, in part -> what to do about it; the first that fits counts."""

UNFINISHED = ("stream end", "end of stream", "could not find expected ':'")


def read_file(path: Path) -> Source:
    """Read a YAML file.

    Raises:
        ConfigError: the file cannot be read, is no text, or is no single YAML document.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError([Problem(f"cannot be read: {reason}", file=name)]) from None
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
        ConfigError: the text is no single YAML document.
    """
    reader = Reader(place, located=located)
    try:
        return reader.document(yaml.parse(text, Loader=yaml.SafeLoader))
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
