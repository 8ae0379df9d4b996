"""What the training loop asks of an engine, whatever program it is inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Interrupted = Callable[[], bool]


@dataclass(frozen=True)
class Advance:
    """What came of a stretch of updates."""

    step: int
    """Updates made in all; fewer than asked for after an interruption or a divergence."""
    gradient_norm: float = float("nan")
    """Euclidean norm of the last update's gradient, over all parameters, before clipping."""
    update_ratio: float = float("nan")
    """|change of the parameters| / |parameters| in the last update."""
    diverged: bool = False
    """The next update would leave the finite numbers; the parameters are the last good ones."""


class Engine(Protocol):
    """Carries out updates on a network's parameters, in place."""

    name: str

    def advance(self, start: int, stop: int, interrupted: Interrupted) -> Advance:
        """Make updates ``start`` (from 0) up to ``stop``, excluded."""
        ...
