"""Worker threads that take trials from a source until it is empty or they are interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from nnintro.sweeps.trial import Result, Trial

WAIT_SECONDS = 0.1
"""How often the main thread looks after its workers, and signals come through."""


class Source(Protocol):
    """Hands out the trials of a sweep, each once, and takes their results; called from several threads."""

    def next(self) -> Trial | None:
        """The next trial; None where there is none any more, or the source's ``interrupted`` event was set.

        It may wait for results of earlier trials, as long as that event is not set.
        """
        ...

    def report(self, result: Result) -> None:
        """The result of a trial that was handed out: on the disk when this returns."""
        ...

    def close(self) -> None:
        """Give back what was handed out and has no result."""
        ...

    @property
    def results(self) -> Mapping[int, Result]:
        """Those by which later trials are stopped, by number."""
        ...


Run = Callable[[Trial, threading.Event], Result | None]
"""Trains a trial (see ``Trainer.run``); None where it was interrupted."""


def work(
    source: Source,
    run: Run,
    workers: int,
    interrupted: threading.Event,
    look_after: Callable[[], object] = lambda: None,
) -> None:
    """Run trials until the source has no more or ``interrupted`` is set.

    Args:
        workers: how many threads run at once.
        interrupted: to be set by whoever wants to end it; it is set here where a worker fails.
        look_after: called in this thread all the while: to draw, and to see whether a signal came.

    Raises:
        Exception: the first that ``source`` or ``run`` raised in a worker; trials that ran meanwhile are given up.
    """
    failures: list[BaseException] = []

    def take() -> None:
        try:
            while not interrupted.is_set():
                trial = source.next()
                result = None if trial is None else run(trial, interrupted)
                if result is None:
                    return
                source.report(result)
        except BaseException as error:
            failures.append(error)
            interrupted.set()

    threads = [threading.Thread(target=take, name=f"trials {index}", daemon=True) for index in range(workers)]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            look_after()
            next(thread for thread in threads if thread.is_alive() or thread is threads[-1]).join(WAIT_SECONDS)
    finally:
        interrupted.set()
        for thread in threads:
            thread.join()
    look_after()
    if failures:
        raise failures[0]
