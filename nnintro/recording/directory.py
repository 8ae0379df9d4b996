"""The run directory: a folder for every run, and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import math
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from nnintro.errors import CheckpointError
from nnintro.recording.lock import RunLock


def create_run_directory(
    runs_dir: Path, name: str, config: str, data: str | None = None
) -> tuple[Path, RunLock]:
    """``runs_dir/name``, or ``name-2``, ``name-3``, ...: the first that does not exist yet.

    It takes its name only with ``config`` in it as config.yaml, and ``data`` as data.json if that
    is given, so that whatever is found under the name of a run can be resumed.

    Returns:
        The folder, and the lock on it.

    Raises:
        CheckpointError: the folder cannot be made.
    """
    with explained(f"cannot make a run in {runs_dir}"):
        make_folder(runs_dir)
        unnamed = runs_dir / f".{name}.{secrets.token_hex(6)}"
        unnamed.mkdir()
        try:
            (unnamed / "checkpoints").mkdir()
            (unnamed / "figures").mkdir()
            lock = RunLock(unnamed)
            try:
                write_text(unnamed / "config.yaml", config)
                if data is not None:
                    write_text(unnamed / "data.json", data)
                directory = _take_name(unnamed, runs_dir, name)
                _sync_folder(runs_dir)
            except BaseException:
                lock.release()
                raise
        except BaseException:
            shutil.rmtree(unnamed, ignore_errors=True)
            raise
    return directory, lock


def _take_name(unnamed: Path, runs_dir: Path, name: str) -> Path:
    """Rename the folder to the first free name of its series; never onto another."""
    for number in itertools.count(1):
        directory = runs_dir / (name if number == 1 else f"{name}-{number}")
        if os.path.lexists(directory):
            continue
        try:
            return unnamed.rename(directory)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise  # those three: another process was faster
    raise AssertionError


def make_folder(folder: Path) -> None:
    """The folder and those above it; a file in its place is told as what it is."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file that takes its name only when all of it is on the disk.

    Temporary file in the same folder, fsync, rename, fsync of the folder.

    Raises:
        CheckpointError: naming path and cause; whatever was under that name before is intact.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with explained(f"cannot write {path}"):
        try:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    write_whole(path, lambda file: file.write(text.encode()))


def write_json(path: Path, value: Any) -> None:
    """JSON that every reader takes: what is not finite becomes null."""
    write_text(path, as_json(value) + "\n")


def as_json(value: Any) -> str:
    return json.dumps(_finite(value), indent=2, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _sync_folder(folder: Path) -> None:
    # Windows has no descriptor of a folder; there the rename has to do.
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """A failing disk becomes a CheckpointError that opens with ``what``."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # torch.save tells of a full disk with a RuntimeError.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        first_line = reason.partition("\n")[0] or type(error).__name__
        raise CheckpointError(f"{what}: {first_line}") from error
