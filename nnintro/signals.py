"""Signal handlers: note the signal for later, leave after a clean-up, or leave at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any, Self

FATAL = (signal.SIGINT, signal.SIGTERM)
SIGNALS = (*FATAL, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
ECHO_SECONDS = 0.5
"""A signal this soon after the first is the same one: sent to a process and to its group, say."""


def leave_at_once_on_ctrl_c() -> None:
    """From here on Ctrl-C ends the process on the spot, unless it is handled or ignored already.

    For the seconds in which torch loads: a KeyboardInterrupt during its imports becomes a traceback
    or an ImportError.  What has something to clean up installs handlers of its own, below.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, _: os._exit(128 + number))


@contextlib.contextmanager
def leaving_tidily() -> Iterator[None]:
    """Meanwhile a signal leaves with 128 plus its number, and temporary files are removed."""

    def leave(number: int, _: FrameType | None) -> None:
        # The clean-up takes a moment; a second signal must not cut it short.
        _install(dict.fromkeys(before, signal.SIG_IGN))
        raise SystemExit(128 + number)

    before = _handlers(SIGNALS)
    _install(dict.fromkeys(before, leave))
    try:
        yield
    finally:
        _install(before)


class Interrupts:
    """While entered, the first of the signals is noted in ``received``; the second acts as always.

    A terminal that closes sends a hangup twice, by the kernel and by the shell: after the first signal a hangup no
    longer counts.  Outside the main thread, where Python allows no handlers, it never notes any.
    """

    def __init__(self, signals: Sequence[signal.Signals]) -> None:
        self.signals = signals
        self.received: int | None = None
        self._noted = threading.Event()
        self._received_at = 0.0
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        return self.received is not None

    def hear(self, number: int) -> None:
        """Take note of a signal that another process of this training has received."""
        if self.received is None:
            self.received, self._received_at = number, time.monotonic()
            self._noted.set()

    def wait(self) -> None:
        """Return when a signal has been noted."""
        # A wait without a limit would not let the signal through on every platform.
        while not self._noted.wait(1.0):
            pass

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = _handlers(self.signals)
            _install(dict.fromkeys(self._before, self._note))
        return self

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.received is None:
            self.hear(number)
        elif number in FATAL and time.monotonic() - self._received_at > ECHO_SECONDS:
            self._restore()
            signal.raise_signal(number)

    def _restore(self) -> None:
        _install(self._before)
        self._before = {}

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._restore()
        if kind is KeyboardInterrupt and self.received not in (None, signal.SIGINT):
            signal.raise_signal(self.received)  # nothing was begun: it ends us as it always does


def leave_with(parent: int, clean_up: Callable[[], object] = lambda: None) -> None:
    """In a thread of a child process: end it soon after its parent, which may have been killed.

    The end of stdin is not enough: another child of the parent may hold the pipe open.
    """
    while os.getppid() == parent:
        time.sleep(0.5)
    clean_up()
    os._exit(1)


def _handlers(signals: Sequence[signal.Signals]) -> dict[int, Any]:
    """Signal -> its handler; those that are ignored (nohup) are left out, and so stay ignored."""
    handlers = {number: signal.getsignal(number) for number in signals}
    return {n: handler for n, handler in handlers.items() if handler is not signal.SIG_IGN}


def _install(handlers: Mapping[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
