"""What a rule says about an experiment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Complaint:
    """A rule that is broken: the key to change, and why."""

    path: str
    message: str
    entry: str | None = None
    """The entry under ``path`` whose own key is at fault, where users name the keys (metrics)."""
