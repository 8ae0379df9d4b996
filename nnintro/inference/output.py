"""Where predictions go: a file that appears whole or not at all, or stdout."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from nnintro.errors import CheckpointError, DataError
from nnintro.inference.formats import require_place
from nnintro.recording.directory import write_whole

Fill = Callable[[IO[bytes]], object]


def write_output(output: Path | None, fill: Fill) -> None:
    """Let ``fill`` write to the file, or to stdout for None.

    A file takes its name when all of it is on the disk; until then, and for good if anything goes
    wrong, what was there before stays.

    Raises:
        UsageError: no file can be there.
        DataError: it cannot be written, or ``fill`` says so.
    """
    if output is None:
        _to_stdout(fill)
        return
    place = require_place(output)
    try:
        write_whole(place, fill)
    except CheckpointError as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise DataError(str(error)) from cause
        raise cause or error from None  # of the computation: none of the disk's business


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
