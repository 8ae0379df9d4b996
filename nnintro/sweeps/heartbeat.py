"""Say in a shared study that this process lives, and give back the trials of those that no longer say so."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from nnintro.errors import UsageError

MISSED = 6
"""A trial is given back when so many heartbeats in a row were missed."""


def beat_seconds() -> float:
    """How often a process says of its trials that it is still alive: NNINTRO_HEARTBEAT, or 5 s.

    Raises:
        UsageError: the variable is not a positive number.
    """
    text = os.environ.get("NNINTRO_HEARTBEAT", "5")
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UsageError(f"NNINTRO_HEARTBEAT: expected seconds, a number above 0, got {text!r}")
    return seconds


class Heart:
    """A thread that beats until it is stopped.

    Each process counts the heartbeats of the others by its own clock, as machines' clocks differ.

    Args:
        beat: writes the heartbeat of this number for all trials of this process.
        others: the running trials of other processes and the last heartbeat of each.
        give_back: frees a trial whose process has been silent for too long.
    """

    def __init__(
        self, beat: Callable[[int], object], others: Callable[[], Mapping[int, Any]], give_back: Callable[[int], object]
    ) -> None:
        self._beat, self._others, self._give_back = beat, others, give_back
        self._seconds = beat_seconds()
        self._counts: dict[int, tuple[Any, int]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Beat no more."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stopped.wait(self._seconds):
            number += 1
            try:
                self._beat(number)
                for trial in self._missing(self._others()):
                    self._give_back(trial)
            except Exception:  # the database is away, as the workers say; whom nobody can hear is not missing
                self._counts = {}

    def _missing(self, others: Mapping[int, Any]) -> list[int]:
        counts = {}
        for trial, beat in others.items():
            before, count = self._counts.get(trial, (None, 0))
            counts[trial] = (beat, count + 1 if beat == before else 0)
        self._counts = counts
        return [trial for trial, (_, count) in counts.items() if count >= MISSED]
