"""Durations as a person reads them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Seconds as text: 0.4 s, 12 s, 3:05, 1:02:09."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
