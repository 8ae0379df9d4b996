"""Name temporary files and folders, lock them while they are in use, and remove those of killed processes."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

SHORT = 40
"""Characters of a name that a temporary one begins with: both may be as long as the file system allows."""
_TEMPORARY = re.compile(r"\..*\.nnintro-(\d{1,9})\.tmp", re.DOTALL)


def temporary_name(name: str) -> str:
    """A hidden name of a file or folder that this process makes and removes again (see ``remove_leftovers``)."""
    return f".{name[:SHORT]}.{secrets.token_hex(4)}.nnintro-{os.getpid()}.tmp"


@contextlib.contextmanager
def temporary_folder(place: Path, name: str) -> Iterator[Path]:
    """A hidden folder in ``place``, for this user alone, removed in the end: of a killed process by the next one.

    Raises:
        OSError: it cannot be made.
    """
    remove_leftovers(place)
    folder = place / temporary_name(name)
    folder.mkdir(mode=0o700)
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        with contextlib.suppress(PermissionError):  # Windows opens no folders
            descriptor = os.open(folder, os.O_RDONLY)
            undo.callback(os.close, descriptor)
            hold(descriptor)
        yield folder


_OWN: set[Path] = set()
"""Temporary files of this process, while they are written."""


@contextlib.contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """A hidden name beside ``path``, to be filled and renamed; nothing has it in the end."""
    temporary = path.with_name(temporary_name(path.name))
    _OWN.add(temporary)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        _OWN.discard(temporary)


def remove_own() -> None:
    """Of a process that is about to end in the middle of whatever it does."""
    for temporary in [*_OWN]:
        with contextlib.suppress(OSError):
            temporary.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of this program whose process was killed.

    What cannot be removed stays, and does no harm.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name)
            if match is None or _is_alive(int(match[1])) or not _is_free(entry.path):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)  # noqa: PTH108


def _is_alive(process: int) -> bool:
    """Whether a process of that number is there, on this machine."""
    if os.name == "nt":
        return True  # to ask there would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def hold(descriptor: int) -> bool:
    """Lock a temporary file or folder: processes of other machines see that it is in use; whether it was free."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks
    return True


def _is_free(path: str) -> bool:
    """Whether nobody holds a temporary file or folder; of a link or another user's it is not known."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False
    try:
        return hold(descriptor)
    finally:
        os.close(descriptor)
