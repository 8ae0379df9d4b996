"""How many updates a call makes, and whether by several threads: from what the last ones took.

Neither changes a bit of the result.  Several threads that wait for each other are slower than one
where other processes want the same cores.
"""

from __future__ import annotations

CALL_SECONDS = 0.02
"""How long one compiled call lasts, about: between two of them a signal is noticed."""
LONGEST_SECONDS = 0.5
"""How long it may last where what is done between two calls takes its time."""
SHARE = 0.03
"""Of the time, what is done between calls may take this part."""
FIRST_UPDATES = 64
LOOK_EVERY = 64
"""Calls after which the slower way is tried again, with an eighth of the updates."""


class Pace:
    """Args: parts: that an update has, and threads that may share it."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self._updates = {True: float(FIRST_UPDATES), False: float(FIRST_UPDATES)}
        self._seconds: dict[bool, float] = {}
        self._calls = 0
        self.call_seconds = CALL_SECONDS

    def between(self, seconds: float) -> None:
        """What is done between two calls took so long: calls are to be long beside it."""
        wanted = max(CALL_SECONDS, seconds / SHARE)
        self.call_seconds = min(wanted, LONGEST_SECONDS)

    def next(self) -> tuple[bool, int]:
        """(whether by all threads together, updates) of the next call."""
        self._calls += 1
        if self.parts == 1:
            return False, self._size(together=False)
        for together in (True, False):
            if together not in self._seconds:
                return together, self._size(together=together)
        together = self._seconds[True] <= self._seconds[False]
        early = self._calls.bit_count() == 1  # the very first calls start threads, fill caches
        if early or self._calls % LOOK_EVERY == 0:
            return not together, max(self._size(together=not together) // 8, 1)
        return together, self._size(together=together)

    def _size(self, *, together: bool) -> int:
        return max(int(self._updates[together]), 1)

    def note(self, updates: int, seconds: float, *, together: bool) -> None:
        """A call made so many updates in so many seconds."""
        if updates == 0:
            return
        self._seconds[together] = max(seconds, 1e-6) / updates
        before, wanted = self._updates[together], self.call_seconds / self._seconds[together]
        self._updates[together] = min(max(wanted, before / 4), before * 4)
