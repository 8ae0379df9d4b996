"""How a text file is laid out: its encoding, its delimiter, and the names in its header."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from nnintro.datasets.tables.cells import is_numeral
from nnintro.datasets.tables.places import cannot_be_read, listed, shown_path
from nnintro.errors import ConfigError, DataError

DELIMITERS = ",;\t|"
_CHUNK = 1 << 20


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
    quotes = _survey(path, name, encoding)
    with text_of(path, encoding) as text:
        try:
            delimiter = delimiter or _delimiter(path, text)
            text.seek(0)
            names, above, lines = _header(text, delimiter, name)
        except UnicodeError as error:
            raise undecodable(path, name, encoding) from error
    _check(names, f"{name}:{above + 1}")
    return Layout(path, name, encoding, delimiter, names, lines, quotes)


def _known(encoding: str) -> str:
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):
        codec = None
    # base64 and the like are codecs too, from bytes to bytes.
    if codec is None or not getattr(codec, "_is_text_encoding", True):
        message = f"unknown encoding '{encoding}'; expected such as utf-8, cp1252 or utf-16"
        raise ConfigError.at("dataset.encoding", message)
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def bytes_of(path: str) -> IO[bytes]:
    if path.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return open(path, "rb")  # noqa: PTH123


def text_of(path: str, encoding: str) -> IO[str]:
    return io.TextIOWrapper(bytes_of(path), encoding=encoding, newline="")


def _chunks(path: str) -> Iterator[bytes]:
    with bytes_of(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _survey(path: str, name: str, encoding: str) -> int:
    """How many quotes there are; raises for what is no text of this encoding at first sight."""
    wide = encoding.startswith(("utf-16", "utf-32"))
    quotes, empty, lines = 0, True, 1
    try:
        for chunk in _chunks(path):
            if empty:
                _look_at(chunk, name, wide)
            empty = False
            quotes += chunk.count(b'"')
            if not wide and b"\0" in chunk:
                line = lines + chunk[: chunk.index(b"\0")].count(b"\n")
                raise DataError(f"{name}:{line}: expected text, got a NUL byte")
            lines += 0 if wide else chunk.count(b"\n")
    except (OSError, EOFError) as error:
        if isinstance(error, EOFError):
            raise DataError(f"{name}: the compressed file is cut off") from error
        raise cannot_be_read(name, error) from error
    except zlib.error as error:
        raise DataError(f"{name}: the compressed file is damaged") from error
    if empty:
        raise DataError(f"{name}: the file is empty")
    return quotes


def _look_at(start: bytes, name: str, wide: bool) -> None:
    for mark, kind in ((b"PAR1", ".parquet"), (b"\x1f\x8b", ".csv.gz"), (b"PK\x03\x04", ".npz")):
        if start.startswith(mark):
            raise DataError(f"{name}: expected text, got what looks like a file of kind {kind}")
    if not wide and start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{name}: the text is in UTF-16; say so with encoding: utf-16")


def undecodable(path: str, name: str, encoding: str) -> DataError:
    """What to raise of bytes that are no text of this encoding, with their line."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    byte = ""
    try:
        for chunk in _chunks(path):
            # Line by line, so that the fault's own line is known.
            for piece in chunk.splitlines(keepends=True):
                decoder.decode(piece)
                line += piece.endswith(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        byte = f" (byte 0x{error.object[error.start]:02x})"
    except UnicodeError:
        pass  # codecs such as utf-16 do not say where
    shown = "utf-8" if encoding == "utf-8-sig" else encoding
    other = "cp1252" if shown != "cp1252" else "latin-1"
    place = f"{name}:{line}"
    return DataError(f"{place}: not {shown}{byte}; name the file's own, such as encoding: {other}")


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
