"""Signals that end a command by way of its clean-up."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextlib.contextmanager
def leaving_tidily() -> Iterator[None]:
    """Meanwhile a signal leaves with 128 plus its number, and temporary files are removed."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    # An ignored signal (nohup) stays ignored.
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}

    def leave(number: int, _: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # the clean-up takes a moment, and is to end
        raise SystemExit(128 + number)

    for number in before:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
