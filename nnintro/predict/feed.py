"""Bytes on their way to becoming text: what is no text is found, and told by its line."""

from __future__ import annotations

import codecs
import io
from typing import IO

from nnintro.errors import DataError

CHUNK = 1 << 17

MOST_BYTES = 1 << 22
"""In one line: 100,000 numbers of 20 digits and more.  What is longer is hardly a table."""


def cannot_be_read(name: str, error: OSError) -> DataError:
    return DataError(f"{name}: cannot be read: {error.strerror or error}")


class Feed(io.BufferedIOBase):
    """A binary file for ``TextIOWrapper`` to read.

    It looks at whole chunks, which costs next to nothing; the lines before a fault are still
    delivered, so that what is wrong in them is told first.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.delivered = 0
        """Bytes so far."""
        self._file, self._name = file, name
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._lines = 0
        self._unfinished = 0  # bytes behind the last end of a line
        self._after_return = False  # whether the last byte was a \r
        self._fault: DataError | None = None

    def readable(self) -> bool:
        return True

    def read1(self, _: int = -1) -> bytes:
        """The next chunk, b"" at the end.

        Raises:
            DataError: the file cannot be read, or is no text from here on.
        """
        if self._fault is not None:
            raise self._fault
        try:
            data = self._file.read(CHUNK)
        except OSError as error:
            raise cannot_be_read(self._name, error) from error
        data = self._up_to_fault(data)
        if self._fault is not None and not data:
            raise self._fault
        self.delivered += len(data)
        return data

    def _up_to_fault(self, data: bytes) -> bytes:
        """``data``, or its lines before the first that is no text; notes the fault."""
        found = self._first_fault(data)
        if found is not None:
            position, message = found
            line = self._lines + self._ends(data[:position]) + 1
            self._fault = DataError(f"{self._name}:{line}: {message}")
            return data[: _last_end(data, position)]
        self._lines += self._ends(data)
        end = _last_end(data, len(data))
        self._unfinished = len(data) - end + (0 if end else self._unfinished)
        self._after_return = data.endswith(b"\r")
        if self._unfinished > MOST_BYTES:
            message = f"the line is longer than {MOST_BYTES:,} bytes"
            self._fault = DataError(f"{self._name}:{self._lines + 1}: {message}")
            return data[:end]
        return data

    def _first_fault(self, data: bytes) -> tuple[int, str] | None:
        """Where in ``data`` it stops being text, and why."""
        zero = data.find(b"\0")
        held = len(self._decoder.getstate()[0])
        if zero < 0 and not held and data.isascii():
            return None
        try:
            self._decoder.decode(data[: zero if zero >= 0 else None], final=not data)
        except UnicodeDecodeError as error:
            return max(0, error.start - held), "not UTF-8 text; save the file as UTF-8"
        return None if zero < 0 else (zero, "a NUL byte; expected a table in UTF-8 text")

    def _ends(self, data: bytes) -> int:
        """Ends of lines, as Python's universal newlines count them."""
        if b"\r" not in data and not self._after_return:
            return data.count(b"\n")
        continued = self._after_return and data.startswith(b"\n")
        return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n") - continued


def _last_end(data: bytes, before: int) -> int:
    """Behind the last end of a line in data[:before]; 0 where there is none."""
    return max(data.rfind(b"\n", 0, before), data.rfind(b"\r", 0, before)) + 1
