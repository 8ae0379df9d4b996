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
from typing import IO, AnyStr, cast

from nnintro.datasets.tables.cells import is_numeral
from nnintro.datasets.tables.files.places import cannot_be_read, shown_path
from nnintro.errors import ConfigError, DataError
from nnintro.wording import subject

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
        message = f"{subject('column', twice)} given more than once; rename all but one"
        raise DataError(f"{place}: {message}")


_CHUNK = 1 << 20

LONGEST_LINE = 1 << 24
"""Bytes of a line that are held at a time: a small .gz may unpack to a line that fills memory."""

_OTHERS = {b"PAR1": ".parquet", b"\x1f\x8b": ".csv.gz", b"PK\x03\x04": ".npz"}
"""How files of other kinds begin."""


def bytes_of(path: str) -> IO[bytes]:
    """The file, unpacked if its name ends in .gz."""
    if path.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return open(path, "rb")  # noqa: PTH123


def text_of(path: str, encoding: str) -> IO[str]:
    """The file as text, ends of lines as they are."""
    return io.TextIOWrapper(bytes_of(path), encoding=encoding, newline="")


def _chunks(path: str) -> Iterator[bytes]:
    with bytes_of(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def survey(path: str, name: str, encoding: str) -> int:
    """How many quotes there are in a file that is text of this encoding throughout.

    Raises:
        DataError: it cannot be read, is empty, or is no such text.
    """
    try:
        return _quotes(path, name, encoding)
    except EOFError as error:
        raise DataError(f"{name}: the compressed file is cut off") from error
    except UnicodeError as error:
        raise undecodable(path, name, encoding) from error
    except OSError as error:
        raise cannot_be_read(name, error) from error
    except zlib.error as error:
        raise DataError(f"{name}: the compressed file is damaged") from error


def _quotes(path: str, name: str, encoding: str) -> int:
    decoder = codecs.getincrementaldecoder(encoding)()
    plain = _keeps_ascii(encoding)
    quotes, lines, line, empty = 0, 1, 0, True
    for chunk in _chunks(path):
        if empty:
            _look_at(chunk, name, encoding)
        empty = False
        # ASCII, as most files are, needs no decoding where it means itself.
        ascii_only = plain and chunk.isascii() and not decoder.getstate()[0]
        text = "" if ascii_only else decoder.decode(chunk)
        quotes += chunk.count(b'"') if plain else text.count('"')
        if plain and b"\0" in chunk:
            line = lines + chunk[: chunk.index(b"\0")].count(b"\n")
            raise DataError(f"{name}:{line}: expected text, got a NUL byte")
        lines += chunk.count(b"\n")
        line = _unended(line, chunk, b"\n", b"\r") if plain else _unended(line, text, "\n", "\r")
        if line > LONGEST_LINE:
            told = f"a line of more than {LONGEST_LINE:,} characters; is this a table?"
            raise DataError(f"{name}:{lines}: {told}")
    decoder.decode(b"", final=True)
    if empty:
        raise DataError(f"{name}: the file is empty")
    return quotes


def _unended(before: int, piece: AnyStr, *ends: AnyStr) -> int:
    """The length of the line that a piece breaks off in, of which so much came before."""
    last = max(piece.rfind(end) for end in ends)
    return len(piece) - 1 - last if last >= 0 else before + len(piece)


def _keeps_ascii(encoding: str) -> bool:
    """Whether the bytes of ASCII mean the same in it; not so in UTF-16 and EBCDIC."""
    everything = bytes(range(128))
    try:
        return everything.decode(encoding) == everything.decode("ascii")
    except UnicodeError:
        return False


def _look_at(start: bytes, name: str, encoding: str) -> None:
    for mark, kind in _OTHERS.items():
        if start.startswith(mark):
            raise DataError(f"{name}: expected text, got what looks like a file of kind {kind}")
    if not encoding.startswith("utf-16") and start.startswith(
        (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    ):
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
