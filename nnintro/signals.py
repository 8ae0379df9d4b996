"""Signals: noted so that a training saves everything, or a way out through a command's clean-up."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Self

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


FATAL = (signal.SIGINT, signal.SIGTERM)

SIGNALS = [*FATAL, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


ECHO_SECONDS = 0.5
"""A signal this soon after the first is the same one: sent to a process and to its group, say."""


class Interrupts:
    """While entered, the first of the signals is noted in ``received``; the second acts as always.

    A terminal that closes tells so twice, by the kernel and by the shell, and cannot be asked to
    wait: after the first signal a hangup no longer counts.

    Outside the main thread, where Python lets nobody handle signals, it only never notes any.
    """

    def __init__(self, signals: list[signal.Signals]) -> None:
        self.signals = signals
        self.received: int | None = None
        self._received_at = 0.0
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        return self.received is not None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in self.signals:
                # An ignored signal (nohup) stays ignored.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.received is None:
            self.received, self._received_at = number, time.monotonic()
        elif number in FATAL and time.monotonic() - self._received_at > ECHO_SECONDS:
            self._restore()
            signal.raise_signal(number)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()
        if kind is KeyboardInterrupt and self.received not in (None, signal.SIGINT):
            signal.raise_signal(self.received)  # nothing was begun: it ends us as it always does
