"""When the process began, for the ``startup`` seconds of a run's summary."""

from __future__ import annotations

started: float | None = None
"""time.perf_counter() at the first line of ours; None when used from within Python."""
