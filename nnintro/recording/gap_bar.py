"""The progress of a proof: how far the gap between what is found and what is proved has closed."""

from __future__ import annotations

import contextlib
import math
import time
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from nnintro.recording.console import REFRESH_SECONDS, Display

WIDEST = 1000.0
"""A gap from which on the bar begins."""


class GapBar:
    """A bar on stderr, on a terminal and unless quiet; full when the gap is ``tolerance``."""

    def __init__(self, tolerance: float, *, quiet: bool = False) -> None:
        display = Display(quiet=quiet)
        self._tolerance = tolerance
        self._refreshed = 0.0
        self._progress: Progress | None = None
        self._task: Any = None
        if display.live:
            self._progress = Progress(
                TextColumn("certify"),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[status]}", table_column=Column(no_wrap=True)),
                console=display.console,
                auto_refresh=False,  # a refreshing thread would take the interpreter from the proof
                transient=True,
                expand=True,
            )
            self._task = self._progress.add_task("", total=1.0, status="")

    def __enter__(self) -> GapBar:
        if self._progress is not None:
            with contextlib.suppress(OSError, ValueError):  # a terminal that has gone away
                self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._progress is not None:
            with contextlib.suppress(OSError, ValueError):
                self._progress.stop()

    def update(self, bound: float, lower: float) -> None:
        """Move the bar, at most ten times a second."""
        now = time.perf_counter()
        if self._progress is None or now - self._refreshed < REFRESH_SECONDS:
            return
        self._refreshed = now
        with contextlib.suppress(OSError, ValueError):
            self._progress.update(
                self._task,
                completed=closed(bound, lower, self._tolerance),
                status=f"found {lower:.4g}  proved {bound:.4g}",
            )
            self._progress.refresh()


def closed(bound: float, lower: float, tolerance: float) -> float:
    """How much of the way from a gap of ``WIDEST`` to one of ``tolerance`` is made, in digits."""
    if not lower > 0 or math.isinf(bound):
        return 0.0
    gap = max(bound / lower - 1, tolerance)
    way = math.log(WIDEST / tolerance)
    return min(max(math.log(WIDEST / gap) / way, 0.0), 1.0) if way > 0 else 0.0
