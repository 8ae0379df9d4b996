"""Describe a position in a file, and make the errors that name it."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader

from nnintro.errors import DataError
from nnintro.files import open_regular, why_unread
from nnintro.wording import cause, listed, nearest, quoted, shown, subject

MIB = 1 << 20
CELL = 8
"""Bytes that a number takes in memory."""


@dataclass(frozen=True)
class Places:
    """Rows of a file, from some row on, as a reader of the file counts them."""

    name: str
    """The file's name in messages."""
    place: Callable[[int], str] | None = None
    """Row of the file, from 0, -> ``prices.csv:17``; may read the file anew.  By default its number."""
    first: int = 0
    """The row of the file that is row 0 here."""

    def at(self, row: int) -> str:
        row += self.first
        return self.place(row) if self.place else f"{self.name}: row {row + 1:,}"

    def refusal(self, row: int, column: str, expected: str, got: object) -> DataError:
        """What to raise of a cell: ``prices.csv:17: column 'area': expected ..., got ...``."""
        found = "no value" if got is None or not str(got).strip() else shown(got)
        return DataError(f"{self.at(row)}: column {quoted(column)}: expected {expected}, got {found}")

    def behind(self, rows: int) -> Places:
        """The same file, ``rows`` rows further on."""
        return replace(self, first=self.first + rows)


def shown_path(path: str) -> str:
    """A path as messages show it: from the current folder where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        relative = path
    text = relative if len(relative) < len(path) else path
    return text if text.isprintable() else repr(text)


def no_column(name: str, names: Iterable[str], file: str) -> str:
    """``no column 'prcie' in prices.csv; did you mean 'price'?``."""
    names = list(names)
    close = nearest(name, names)
    ending = f"did you mean {quoted(close)}?" if close else f"it has {listed(names)}"
    return f"no column {quoted(name)} in {file}; {ending}"


def check_names(names: Sequence[str], place: str) -> None:
    """Every column has a name, of its own.

    Raises:
        DataError: otherwise.
    """
    for index, name in enumerate(names):
        if not name:
            raise DataError(f"{place}: column {index + 1} of {len(names)} has no name; give it one")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"{place}: {subject('column', twice)} given more than once; rename all but one")


def require_room(name: str, needed: int, memory: float) -> None:
    """Raise DataError where a table takes more bytes than the MiB of ``dataset.memory``."""
    if needed > memory * MIB:
        takes = f"takes {needed / MIB:,.0f} MiB or more once it is unpacked, and dataset.memory is {memory:,g}"
        raise DataError(f"{name}: {takes}; set it higher if this machine has that much")


def require_readable(path: str) -> None:
    """Raise DataError where there is no regular file that may be opened, but a folder, a pipe or nothing."""
    with opened(path):
        pass


def opened(path: str) -> BufferedReader:
    """A regular file, open to be read; DataError where it cannot be opened, or is something else."""
    try:
        return open_regular(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL, or half of a character
        raise DataError(f"{shown_path(path)}: cannot be read: {why_unread(shown_path(path), error)}") from error


def sha256_of(path: str) -> str:
    """Of a file's bytes, in hexadecimal; DataError where it cannot be read."""
    try:
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise cannot_be_read(path, error) from error


def cannot_be_read(name: str, error: OSError | ValueError) -> DataError:
    return DataError(f"{name}: cannot be read: {cause(error)}")
