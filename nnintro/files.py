"""Read regular files, of a size that is bounded; write files whole or not at all; choose their format and place.

Reading and writing raise OSError.  What that means is for the caller to say: in a run it is a CheckpointError
(``runs.folder.explained``), of predictions a DataError.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import math
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal

from nnintro.errors import UsageError
from nnintro.temporary import hold, remove_leftovers, temporary_file
from nnintro.wording import cause, choice, listing, nearest, plain

Suffixes = Mapping[str, Sequence[str]]
"""Format -> the suffixes of its files, the usual one first."""


def chosen_format(name: str | None, output: Path | None, formats: Suffixes) -> str:
    """The format that was named, or the one of the output's suffix.

    Raises:
        UsageError: there is no such format or suffix, neither was given, or they contradict.
    """
    if name is not None and name not in formats:
        raise UsageError(f"--format: {choice(name, list(formats))}")
    suffix = output.suffix.lower() if output is not None else ""
    by_suffix = next((key for key, ends in formats.items() if suffix in ends), None)
    if name is not None and by_suffix not in (None, name):
        raise UsageError(f"{output}: a file of --format {name} does not end in {suffix}")
    chosen = name or by_suffix
    if chosen is None:
        place = "say which --format" if output is None else f"{output}: the suffix names no format"
        endings = listing(end for ends in formats.values() for end in ends)
        raise UsageError(f"{place}: {listing(formats)}, or let --output end in {endings}")
    return chosen


def require_place(path: Path) -> Path:
    """Where a file called ``path`` goes: behind a link that stands there, which stays a link.

    Files are written beside their place and renamed, which would replace a pipe or a device: /dev/null, if root asks.

    Raises:
        UsageError: no file can be there: its folder is missing, or something else has the name.
    """
    try:
        # Only a link is resolved: messages name the place as the user does.
        place = path.resolve() if path.is_symlink() else path
        reason = _obstacle(place)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        reason = getattr(error, "strerror", None) or os.strerror(errno.ELOOP)
    if reason is not None:
        raise UsageError(f"cannot write {path}: {reason}")
    remove_leftovers(place.parent)
    return place


def refuse_own_input(source: str | Path, output: Path) -> None:
    """Raise UsageError where what is written would take the place of what is read."""
    with contextlib.suppress(OSError, ValueError):  # one of them is not there: whoever opens it says so
        if os.path.samefile(source, output):  # noqa: PTH121 (a text may hold a NUL)
            raise UsageError(f"{plain(str(output))} is what is to be predicted; write to another place")


def _obstacle(place: Path) -> str | None:
    if place.is_dir():
        return os.strerror(errno.EISDIR)
    if not place.parent.is_dir():
        return os.strerror(errno.ENOTDIR if place.parent.exists() else errno.ENOENT)
    if os.path.lexists(place) and not place.is_file():
        return "it is not a regular file"
    return None


def open_regular(path: str | Path) -> io.BufferedReader:
    """Open a file to read it: never a pipe, which would be waited for, or a device, which may have no end.

    Raises:
        OSError: it cannot be opened, or is not a regular file; IsADirectoryError of a folder.
        ValueError: no file can have that name: it holds a NUL.
    """
    _require_regular(os.stat(path), path)  # noqa: PTH116 (to open a device may already have an effect)
    nothing_waits = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, os.O_RDONLY | nothing_waits)
    try:
        _require_regular(os.fstat(descriptor), path)  # another one may have the name by now
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def why_unread(path: str | Path, error: OSError | ValueError) -> str:
    """Why a file cannot be read; of one that is not there also the nearest name beside it, or the current folder."""
    text = cause(error)
    return text + nearby(Path(path)) if isinstance(error, FileNotFoundError) else text


def nearby(path: Path) -> str:
    """Of what is not there: what is odd about its name, the nearest one beside it, or the current folder.

    Where its folder is missing too, the nearest name is that of the folder.
    """
    if odd := _oddity(str(path)):
        return odd
    missing = path
    while missing.parent not in (missing, Path()) and not missing.parent.exists():
        missing = missing.parent
    with contextlib.suppress(OSError):  # the folder may be closed to us
        names = [entry.name for entry in os.scandir(missing.parent) if not entry.name.startswith(".")]
        # prices.yaml is not prices.csv misspelt
        alike = [name for name in names if Path(name).suffix == missing.suffix]
        if close := nearest(missing.name, alike) or nearest(missing.name, names, cutoff=0.8):
            meant = missing.with_name(close)
            whole = meant / path.relative_to(missing)
            return f"; did you mean {plain(str(whole if whole.exists() else meant))}?"
    return "" if path.is_absolute() else f"; {current_folder()}"


QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a"
"""Typographic ones, which word processors and keyboards put in the place of straight ones."""


def _oddity(text: str) -> str:
    """What a path has that belongs to another system, a word processor or a browser; nothing where it is plain."""
    if text[-1:] in QUOTES or any(part[0] in QUOTES for part in Path(text).parts):
        return f"; the quotes in {plain(text)} are typographic and a part of the name: type straight ones, ' or \""
    if re.match(r"https?:/", text):
        return "; nothing is downloaded: expected a file that is here"
    if os.sep == "/" and "\\" in text:
        there = re.sub(r"\\+", "/", text)
        if drive := re.search(r"(?:^|/)([A-Za-z]):/(.*)", there):
            there = f"/mnt/{drive[1].lower()}/{drive[2]}"  # where WSL has it
        meant = f"did you mean {plain(there)}?" if Path(there).exists() else f"such as {plain(there)}"
        return f"; paths are written with / here, {meant}"
    return ""


def current_folder() -> str:
    """Where relative paths begin, for a message about one that leads nowhere."""
    return f"the current folder is {plain(str(Path.cwd()))}"


def _require_regular(status: os.stat_result, path: str | Path) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


PIECE = 1 << 16


def read_bytes(path: str | Path, most: int) -> bytes:
    """All of a regular file (see ``open_regular``).

    Args:
        most: bytes that it may have.

    Raises:
        OSError: it cannot be read, is not a regular file, or has more bytes.
        ValueError: no file can have that name.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        # To ask for more than there is would take memory for it; some files of /proc say 0 of themselves.
        data = b"" if size > most else file.read(size + 1)
        while size < len(data) <= most and (more := file.read(PIECE)):
            data += more
    if size > most or len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def read_json(path: str | Path, most: int) -> Any:
    """What a regular file of JSON says (see ``read_bytes``).

    Raises:
        OSError: it cannot be read, is not a regular file, or has more bytes.
        ValueError: it is not JSON in UTF-8, is nested too deep, or has halves of characters.
    """
    text = read_bytes(path, most).decode()
    try:
        value = json.loads(text)
        if "\\u" in text:  # the only way for them to come in
            json.dumps(value, ensure_ascii=False).encode(errors="surrogateescape")  # of paths (see ``write_text``)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeEncodeError:
        raise ValueError("it has halves of characters") from None
    return value


def make_folder(folder: Path) -> None:
    """Make the folder and those above it.

    Raises:
        OSError: it cannot be made; NotADirectoryError where a file has the name, which mkdir reports as "File exists".
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file that takes its name only when all of it is on the disk.

    Temporary file in the same folder, fsync, rename, fsync of the folder.

    Raises:
        OSError: the disk failed; whatever was under that name before is intact.  What ``write`` raises passes through.
    """
    with temporary_file(path) as temporary:
        with temporary.open("wb") as file:
            hold(file.fileno())
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)


def is_regular(path: Path) -> bool:
    """Whether a regular file has that name: no link to one, and nothing else."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def write_text(path: Path, text: str) -> None:
    """Write a whole file of UTF-8 (see ``write_whole``).

    A path that is not UTF-8 has a character for each byte that has no place there (PEP 383): written as ``\\udce9``,
    which JSON reads back.
    """
    write_whole(path, lambda file: file.write(text.encode(errors="backslashreplace")))


def write_json(path: Path, value: Any) -> None:
    """Write a whole file of JSON (see ``as_json`` and ``write_whole``)."""
    write_text(path, as_json(value) + "\n")


def as_json(value: Any) -> str:
    """JSON that every reader takes: what is not finite becomes null."""
    return json.dumps(_finite(value), indent=2, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    """Rows of two cells or more, and of the same number, as a CSV that reads back.

    Lines end in a line feed.
    """
    plain = "\n".join(map(delimiter.join, rows)) + "\n"
    # Where no cell needs quotes, joining is all there is to it, and eight times as fast.
    needs_quotes = (
        '"' in plain
        or "\r" in plain
        or plain.count("\n") != len(rows)
        or plain.count(delimiter) != len(rows) * (len(rows[0]) - 1)
    )
    if not needs_quotes:
        return plain
    # The csv module puts a carriage return into quotes only where it ends lines.
    quoting: Literal[0, 1] = csv.QUOTE_ALL if "\r" in plain else csv.QUOTE_MINIMAL
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerows(rows)
    return text.getvalue()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: without it a rename may be lost with the power."""
    # Windows has no descriptor of a folder; there the rename has to do.
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
