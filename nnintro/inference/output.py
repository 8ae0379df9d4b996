"""Where predictions go: a file that appears whole or not at all, or stdout."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from nnintro.errors import CheckpointError, DataError
from nnintro.recording.directory import write_whole

Fill = Callable[[IO[bytes]], object]


def write_output(output: Path | None, fill: Fill) -> None:
    """Let ``fill`` write to the file, or to stdout for None.

    A file takes its name when all of it is on the disk; until then, and for good if anything goes
    wrong, what was there before stays.

    Raises:
        DataError: it cannot be written, or ``fill`` says so.
    """
    if output is None:
        _to_stdout(fill)
        return
    _check(output)
    try:
        write_whole(output, fill)
    except CheckpointError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise DataError(str(error)) from cause
        raise cause or error from None  # of the computation: none of the disk's business


def _check(output: Path) -> None:
    """A device or a pipe of that name would be replaced by a file: /dev/null, if root asks."""
    if output.is_dir():
        raise DataError(f"cannot write {output}: {os.strerror(errno.EISDIR)}")
    if output.exists() and not output.is_file():
        raise DataError(f"cannot write {output}: it is no regular file; write to stdout instead")


def _to_stdout(fill: Fill) -> None:
    if sys.stdout is None:
        raise DataError("cannot write to stdout: it is closed")
    file = sys.stdout.buffer
    try:
        # A reader that has seen enough (`| head`) closes the pipe, which is no fault.
        with contextlib.suppress(BrokenPipeError):
            fill(file)
            file.flush()
    except OSError as error:
        raise DataError(f"cannot write to stdout: {error.strerror or error}") from error
