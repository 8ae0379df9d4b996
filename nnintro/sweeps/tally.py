"""What is known of a sweep while it goes on: counts, and the best trials; as small after ten thousand as after ten."""

from __future__ import annotations

import bisect
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from nnintro.sweeps.trial import Result

MOST_BEST = 1000
"""As many as can be kept as runs."""
MOST_FAILURES = 20
"""Failed trials of which the reason is kept."""


class Tally:
    """Counts results and keeps the best; may be used from several threads.

    Args:
        maximize: whether a large objective is good.
        wanted: how many trials there are in all.
    """

    def __init__(self, *, maximize: bool, wanted: int) -> None:
        self.wanted, self.counts = wanted, Counter[str]()
        self.failures: list[Result] = []
        self.maximize = maximize
        self._best: list[tuple[float, int, Result]] = []
        self._lock = threading.Lock()

    def add(self, result: Result) -> None:
        with self._lock:
            self.counts[result.status] += 1
            if result.status == "failed" and len(self.failures) < MOST_FAILURES:
                self.failures.append(result)
            if result.status == "completed" and result.objective is not None:
                worth = -result.objective if self.maximize else result.objective
                bisect.insort(self._best, (worth, result.number, result))
                del self._best[MOST_BEST:]

    @property
    def ended(self) -> int:
        return self.counts.total()

    def best(self, most: int = 1) -> list[Result]:
        """The best trials that came to their end, the best first; of equal ones the one with the smaller number."""
        with self._lock:
            return [result for _, _, result in self._best[:most]]

    def as_values(self) -> Mapping[str, Any]:
        """The counts as summary.json has them."""
        names = ("completed", "diverged", "stopped", "failed")
        return {"trials": self.ended, **{name: self.counts[name] for name in names}}

    def reasons(self) -> list[dict[str, Any]]:
        """Why trials failed, of the first of them."""
        return [{"number": result.number, "reason": result.reason} for result in self.failures]


def described(result: Result) -> dict[str, Any]:
    """A trial as summary.json and --json have it."""
    return {
        "number": result.number,
        "values": dict(result.values),
        "objective": result.objective,
        "metrics": dict(result.metrics),
    }
