"""Leave out the lines of a text file that its config says are not rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nnintro.config.datasets.text_keys import WHITESPACE, TextKeys
from nnintro.datasets.tables.files.text import NotTextError

LONGEST_ROW = 1 << 22
"""Bytes: 100,000 numbers of 20 digits and more.  A .gz of some kilobytes may unpack to a row that
fills memory."""
_GAPS = re.compile(rb"[ \t]+")
_QUOTED_OR_GAP = re.compile(rb'("[^"\r\n]*(?:""[^"\r\n]*)*")|[ \t]+')
_OUTER_TABS = re.compile(rb"(?<![^\r\n])\t|\t(?![^\r\n])")


LeftOutLines = list[tuple[int | None, bytes]]
"""Number and text of lines that ``skip_rows`` leaves out, and without a number those of ``skip_footer``."""


def rows_alone(chunks: Iterator[bytes], keys: TextKeys, left_out: LeftOutLines | None = None) -> Iterator[bytes]:
    """The text with the lines that are left out emptied, so that every other line keeps its number.

    Args:
        left_out: such lines, but for comments, are added to it as they are met.

    Raises:
        NotTextError: as the chunks do.
    """
    return _changed(chunks, keys, [] if left_out is None else left_out) if keys.changes_lines else chunks


def _changed(chunks: Iterator[bytes], keys: TextKeys, left_out: LeftOutLines) -> Iterator[bytes]:
    lines, held = _Lines(keys, left_out), b""
    while True:
        try:
            chunk = next(chunks, None)
        except NotTextError as error:
            raise NotTextError(held + error.good, str(error)) from error
        text = held + (chunk or b"")
        is_last = chunk is None
        end = _end_of_rows(text, keys.skip_footer, is_last=is_last)
        if len(text) - end > LONGEST_ROW and not is_last:
            end = len(text)  # reported as too long a row by who reads it
        held = text[end:]
        yield lines.changed(text[:end])
        if is_last:
            left_out += [(None, line) for line in held.splitlines() if line.strip()]
            yield b"".join(map(_newline, held.splitlines(keepends=True)))
            return


def _end_of_rows(text: bytes, footer: int, *, is_last: bool) -> int:
    """How much of the text are whole lines that cannot be the file's last ``footer`` ones."""
    # A \r at the very end may be the first half of \r\n.
    newest = len(text) if is_last else max(text.rfind(b"\n"), text.rfind(b"\r", 0, max(len(text) - 1, 0))) + 1
    if not footer:
        return newest
    end = newest
    for line in reversed(text[:newest].splitlines(keepends=True)):
        if not footer:
            break
        end -= len(line)
        footer -= bool(line.strip())
    return end


class _Lines:
    """Lines from the first on, some at a time."""

    def __init__(self, keys: TextKeys, left_out: LeftOutLines) -> None:
        self._keys, self._left_out = keys, left_out
        self._comment = (keys.comment or "").encode()
        skipped = keys.skip_lines
        self._skipped = frozenset(range(1, skipped + 1)) if isinstance(skipped, int) else skipped
        self._last = max(self._skipped, default=0)
        self._number = 0
        self._in_quotes = False

    def changed(self, text: bytes) -> bytes:
        """These lines as they are to be read."""
        if self._number < self._last or (self._comment and self._comment in text):
            text = b"".join(map(self._kept, text.splitlines(keepends=True)))
        else:
            self._in_quotes ^= text.count(b'"') % 2 == 1
        return _set_apart_by_tabs(text) if self._keys.delimiter == WHITESPACE else text

    def _kept(self, line: bytes) -> bytes:
        self._number += 1
        # Within a cell in quotes, a line may begin with anything.
        is_comment = bool(self._comment) and not self._in_quotes and line.lstrip(b" \t").startswith(self._comment)
        if is_comment or self._number in self._skipped:
            if not is_comment:
                self._left_out.append((self._number, line.rstrip(b"\r\n")))
            return _newline(line)
        self._in_quotes ^= line.count(b'"') % 2 == 1
        return line


def _newline(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def _set_apart_by_tabs(text: bytes) -> bytes:
    text = _QUOTED_OR_GAP.sub(lambda found: found[1] or b"\t", text) if b'"' in text else _GAPS.sub(b"\t", text)
    return _OUTER_TABS.sub(b"", text)
