"""The trials of a grid or a random sweep, handed out in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from nnintro.sweeps.space import Space
from nnintro.sweeps.trial import LAG, Result, Trial


class LocalSource:
    """Hands out the trials that are not known yet, each once, in the order of their numbers (see ``work.Source``).

    Args:
        known: results from before; these trials are not run again.
        record: writes a result down; called from the workers' threads.
        interrupted: ends a wait.
        ordered: whether trial k waits for the results of all up to k - LAG, which decide whether it is stopped.
    """

    def __init__(
        self,
        space: Space,
        known: Mapping[int, Result],
        record: Callable[[Result], object],
        interrupted: threading.Event,
        *,
        ordered: bool,
    ) -> None:
        self.results: dict[int, Result] = dict(known) if ordered else {}
        """Those by which later trials are stopped: kept where trials can be stopped alone."""
        self._space, self._record, self._interrupted, self._ordered = space, record, interrupted, ordered
        self._ended = set(known)
        self._next, self._first_open = 0, 0
        self._changed = threading.Condition()

    def next(self) -> Trial | None:
        """The next trial (see ``work.Source``)."""
        with self._changed:
            while self._next in self._ended:
                self._next += 1
            number = self._next
            if number >= self._space.trials:
                return None
            self._next += 1
            while self._ordered and not self._is_known_up_to(number - LAG):
                if self._interrupted.is_set():
                    return None
                self._changed.wait(0.2)  # an interruption does not notify
        return Trial(number, self._space.values(number))

    def _is_known_up_to(self, number: int) -> bool:
        while self._first_open in self._ended:
            self._first_open += 1
        return self._first_open > number

    def report(self, result: Result) -> None:
        """The result of a trial (see ``work.Source``)."""
        self._record(result)
        with self._changed:
            self._ended.add(result.number)
            if self._ordered:
                self.results[result.number] = result
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing is to be given back."""
