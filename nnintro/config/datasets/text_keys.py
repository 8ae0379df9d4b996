"""Keys of dataset kind ``table`` that say how a text file is laid out, and what they may be."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag

from nnintro.config.section import one_or_list

WHITESPACE = "whitespace"
"""The delimiter of columns that are set apart by one blank or tab, or more."""


def composed(name: str) -> str:
    """A name in Unicode's form NFC: ö may be one character in a config, and two in a file from macOS."""
    return unicodedata.normalize("NFC", name)


def _delimiter(text: str) -> str:
    if text == "\\t":
        return "\t"  # in single quotes YAML leaves it as it is
    if text == WHITESPACE:
        return text
    if text in ("\\s+", "\\s*"):
        wanted = f"expected a mark or {WHITESPACE} (blanks and tabs, one or more)"
        raise ValueError(f"{wanted}, got {text!r}; write delimiter: {WHITESPACE}")
    if len(text) > 1:
        raise ValueError(f"expected one mark, such as ';' or a tab, written '\\t', or {WHITESPACE}, got {text!r}")
    if not text.isascii() or text.isalnum() or text in "\"'\r\n\0.+-_":
        raise ValueError(f"expected a mark that no cell contains, such as ';', got {text!r}")
    return text


def _comment(text: str) -> str:
    if text.strip() != text or not text.isprintable() or text.startswith('"'):
        raise ValueError(f"expected what such lines begin with, such as '#', got {text!r}")
    return text


Delimiter = Annotated[str, Field(min_length=1, max_length=len(WHITESPACE)), AfterValidator(_delimiter)]
ColumnName = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(composed)]
ColumnNames = Annotated[list[ColumnName], Field(max_length=100_000)]
Comment = Annotated[str, Field(min_length=1, max_length=20), AfterValidator(_comment)]
LineCount = Annotated[int, Field(ge=0, le=100_000)]
Lines = Annotated[
    Annotated[LineCount, Tag("one")]
    | Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(max_length=1000), Tag("list")],
    Discriminator(one_or_list),
]


@dataclass(frozen=True)
class TextKeys:
    """What a config says of the layout of its text files."""

    encoding: str = "utf-8"
    delimiter: str | None = None
    """None to see it from the first line."""
    header: bool | None = None
    """None where the config does not say."""
    names: tuple[str, ...] = ()
    """Of the columns in their order, in place of those of a header."""
    optional: frozenset[str] = frozenset()
    """Names that a file without a header may lack, all together."""
    skip_lines: int | frozenset[int] = 0
    """So many lines at the top, or those of these numbers, from 1."""
    skip_footer: int = 0
    comment: str | None = None

    @property
    def changes_lines(self) -> bool:
        """Whether the text is another one than that of the file."""
        return bool(self.skip_lines or self.skip_footer or self.comment) or self.delimiter == WHITESPACE


NOTHING_SAID = TextKeys()
