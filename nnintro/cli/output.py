"""Data goes to stdout, and a reader that has had enough of it is no fault."""

from __future__ import annotations

import contextlib


def emit(text: str) -> None:
    """Print data to stdout."""
    # `nnintro runs | head -1` closes the pipe while there is still something to say.
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)


started: float | None = None
"""time.perf_counter() at the first line of ours; None when used from within Python."""
