"""Decode a text file into UTF-8 in one pass, and report the line of invalid text.

Nothing is read twice and little is held, so that stdin may be endless.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import os
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from nnintro.datasets.tables.files.kinds import likely_encoding, other_kind
from nnintro.datasets.tables.files.places import cannot_be_read, opened, shown_path
from nnintro.errors import ConfigError, DataError

STDIN = "-"
CHUNK = 1 << 20
"""Bytes that are read at a time."""
_NOT_OF_FILES = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7"})


@dataclass(frozen=True)
class TextFile:
    """Where a text comes from, and how its bytes are read."""

    path: str
    """``-`` for stdin."""
    encoding: str = "utf-8-sig"
    """Python's name of it (see ``python_name``)."""
    has_key: bool = True
    """Whether the run's config can name another encoding."""
    chunk: int = CHUNK

    @property
    def name(self) -> str:
        """As messages show it."""
        return "<stdin>" if self.path == STDIN else shown_path(self.path)

    @property
    def size(self) -> int:
        """Bytes of the text, where they are known before it is read; else 0."""
        if self.path == STDIN or self.path.lower().endswith(".gz"):
            return 0
        with opened(self.path) as file:
            return os.fstat(file.fileno()).st_size

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, unpacked if the name ends in .gz.

        Raises:
            DataError: they cannot be read.
        """
        try:
            with self._opened() as file:
                while chunk := file.read(self.chunk):
                    yield chunk
        except gzip.BadGzipFile as error:
            message = "is not compressed by gzip, as its name says; if it is text, take .gz from the name"
            raise DataError(f"{self.name}: {message}") from error
        except EOFError as error:
            raise DataError(f"{self.name}: the compressed file is cut off") from error
        except zlib.error as error:
            raise DataError(f"{self.name}: the compressed file is damaged") from error
        except OSError as error:
            raise cannot_be_read(self.name, error) from error

    def _opened(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        if self.path == STDIN:
            if sys.stdin is None:
                raise DataError(f"{self.name}: is closed")
            return contextlib.nullcontext(sys.stdin.buffer)
        if self.path.lower().endswith(".gz"):
            return _unzipped(self.path)
        return opened(self.path)


@contextlib.contextmanager
def _unzipped(path: str) -> Iterator[IO[bytes]]:
    with opened(path) as file, gzip.GzipFile(fileobj=file) as text:
        yield cast(IO[bytes], text)


def python_name(encoding: str) -> str:
    """Python's name of an encoding of text.

    Raises:
        ConfigError: there is no such encoding (``dataset.encoding``).
    """
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):
        codec = None
    # base64 and the like are codecs too, from bytes to bytes.
    if codec is None or codec.name in _NOT_OF_FILES or not getattr(codec, "_is_text_encoding", True):
        message = f"unknown encoding '{encoding}'; expected such as utf-8, cp1252 or utf-16"
        raise ConfigError.at("dataset.encoding", message)
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


class NotTextError(Exception):
    """What is wrong with the bytes behind the text that was read so far, and behind ``good``."""

    def __init__(self, good: bytes, message: str) -> None:
        super().__init__(message)
        self.good = good


def utf8(file: TextFile) -> Iterator[bytes]:
    """A file's text in UTF-8 without its BOM.

    Raises:
        DataError: it cannot be read, or is of another kind.
        NotTextError: it is not text of its encoding.
    """
    decoder: Any = codecs.getincrementaldecoder(file.encoding)()
    chunks = file.chunks()
    first = next(chunks, b"")
    _require_text(first, file)
    yield _decoded(decoder, first, file)
    for chunk in chunks:
        # ASCII, as most files are, is UTF-8 already, unless it ends a character.
        is_utf8 = file.encoding == "utf-8-sig" and not decoder.getstate()[0] and chunk.isascii()
        yield _without_nul(chunk) if is_utf8 else _decoded(decoder, chunk, file)
    yield _decoded(decoder, b"", file, final=True)


def _require_text(start: bytes, file: TextFile) -> None:
    if kind := other_kind(start):
        raise DataError(f"{file.name}: expected text, got what looks like {kind}")
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if not file.encoding.startswith("utf-16") and start.startswith(marks):
        advice = "say so with encoding: utf-16" if file.has_key else "save the file as UTF-8"
        raise DataError(f"{file.name}: the text is in UTF-16; {advice}")


def _decoded(decoder: Any, chunk: bytes, file: TextFile, *, final: bool = False) -> bytes:
    state = decoder.getstate()
    try:
        return _without_nul(decoder.decode(chunk, final).encode())
    except UnicodeError as error:
        good, byte = b"", ""
        if isinstance(error, UnicodeDecodeError):  # codecs such as utf-16 may not say where
            byte = f" (byte 0x{error.object[error.start]:02x})"
            decoder.setstate(state)
            good = decoder.decode(chunk[: max(0, error.start - len(state[0]))]).encode()
        encoding = file.encoding.removesuffix("-sig")
        other = likely_encoding(chunk) if encoding != "cp1252" else "latin-1"
        advice = f"name the file's own, such as encoding: {other}" if file.has_key else "save the file as UTF-8"
        raise NotTextError(good, f"not {encoding}{byte}; {advice}") from error


def _without_nul(text: bytes) -> bytes:
    if b"\0" in text:
        raise NotTextError(text[: text.index(b"\0")], "expected text, got a NUL byte")
    return text
