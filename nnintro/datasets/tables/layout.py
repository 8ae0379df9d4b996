"""How a text file is laid out: its encoding, its delimiter, and the names in its header."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from dataclasses import dataclass
from typing import IO

from nnintro.datasets.tables.cells import is_numeral
from nnintro.datasets.tables.places import listed, shown_path
from nnintro.datasets.tables.survey import survey, text_of
from nnintro.errors import ConfigError, DataError

DELIMITERS = ",;\t|"
_NOT_OF_FILES = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7"}
)


@dataclass(frozen=True)
class Layout:
    """A text file whose header was read."""

    path: str
    name: str
    """As messages show it."""
    encoding: str
    delimiter: str
    names: list[str]
    header_lines: int
    """Lines up to the header's last one."""
    quotes: int
    """Quote characters in the file; an odd number hints at one that is not closed."""

    def lines(self) -> IO[str]:
        """The whole file as text, ends of lines as they are."""
        return text_of(self.path, self.encoding)


def read_layout(path: str, encoding: str, delimiter: str | None) -> Layout:
    """Look a text file over, once from end to end, and read its header.

    Raises:
        ConfigError: there is no such encoding.
        DataError: the file cannot be read, is no text, or has no usable header.
    """
    name = shown_path(path)
    encoding = _known(encoding)
    quotes = survey(path, name, encoding)
    with text_of(path, encoding) as text:
        delimiter = delimiter or _delimiter(path, text)
        text.seek(0)
        names, above, lines = _header(text, delimiter, name)
    _check(names, f"{name}:{above + 1}")
    return Layout(path, name, encoding, delimiter, names, lines, quotes)


def _known(encoding: str) -> str:
    """Python's name of an encoding of text."""
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):
        codec = None
    # base64 and the like are codecs too, from bytes to bytes.
    if (
        codec is None
        or codec.name in _NOT_OF_FILES
        or not getattr(codec, "_is_text_encoding", True)
    ):
        message = f"unknown encoding '{encoding}'; expected such as utf-8, cp1252 or utf-16"
        raise ConfigError.at("dataset.encoding", message)
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def _delimiter(path: str, text: IO[str]) -> str:
    """The delimiter that makes most cells of the header."""
    if ".tsv" in path.lower()[-7:]:
        return "\t"
    header = ""
    for line in text:
        header = line
        if line.strip():
            break
    return max(DELIMITERS, key=lambda delimiter: _cells(header, delimiter))


def _cells(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0  # told with its place when the line is read in earnest


def _header(text: IO[str], delimiter: str, name: str) -> tuple[list[str], int, int]:
    """Its cells, the lines above it, and the lines up to its end."""
    reader = csv.reader(text, delimiter=delimiter)
    above = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                return [cell.strip() for cell in row], above, reader.line_num
            above = reader.line_num
    except csv.Error as error:
        raise DataError(f"{name}:{above + 1}: not readable as a header: {error}") from error
    raise DataError(f"{name}: the file is empty")


def _check(names: list[str], place: str) -> None:
    if all(not name or is_numeral(name) for name in names):
        raise DataError(f"{place}: expected a header with the columns' names, got numbers")
    check_names(names, place)


def check_names(names: list[str], place: str) -> None:
    """Every column has a name, of its own.

    Raises:
        DataError: otherwise.
    """
    for index, name in enumerate(names):
        if not name:
            raise DataError(f"{place}: column {index + 1} of {len(names)} has no name")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        subject = f"columns {listed(twice)} are" if len(twice) > 1 else f"column {listed(twice)} is"
        raise DataError(f"{place}: {subject} given more than once; rename all but one")
