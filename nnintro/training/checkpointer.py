"""When a training is saved, and what happens when that fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnintro.errors import CheckpointError
from nnintro.runs.checkpoint import save_checkpoint
from nnintro.training.loop import Outcome


@dataclass
class Checkpointer:
    """Saves a training every so often, and at its end.

    A disk that fails while training runs costs a warning, once, and training goes on; at the end it
    is an error, for then there would be no run.
    """

    directory: Path
    steps: int | None
    """Updates between two checkpoints."""
    seconds: float | None
    """Time between two checkpoints, in place of updates."""
    keep: int
    capture: Callable[[Outcome], dict[str, Any]]
    warn: Callable[[str], None]
    useless: frozenset[str] = frozenset()
    """Files of checkpoints that were passed over when the run was taken up again."""
    step: int = field(default=-1, init=False)
    """The update that the newest checkpoint stands at; -1 before the first."""
    failure: str | None = field(default=None, init=False)
    """Why the newest attempt failed, if it did."""
    _saved_at: float = field(default_factory=time.monotonic, init=False)

    def next_stop(self, step: int) -> int | None:
        """The update to come back at for a checkpoint, where updates are counted for it."""
        return None if self.steps is None else (step // self.steps + 1) * self.steps

    def offer(self, outcome: Outcome) -> None:
        """Save, if it is time to."""
        if not self._due(outcome.step):
            return
        try:
            self.save(outcome)
        except CheckpointError as error:
            if self.failure is None:
                self.warn(f"no checkpoint at update {outcome.step:,}, training goes on: {error}")
            self.failure = str(error)
            self._saved_at = time.monotonic()

    def _due(self, step: int) -> bool:
        if step == self.step:
            return False
        if self.steps is not None:
            return step % self.steps == 0
        return self.seconds is not None and time.monotonic() - self._saved_at >= self.seconds

    def save(self, outcome: Outcome) -> None:
        """Save now.

        Raises:
            CheckpointError: the checkpoint cannot be written; the one before it is intact.
        """
        # Nobody can go on from where training diverged: the one before that has to stay.
        keep = max(self.keep, 2) if outcome.status == "diverged" else self.keep
        state = self.capture(outcome)
        save_checkpoint(self.directory, outcome.step, state, keep, self.useless)
        self.step, self._saved_at, self.failure = outcome.step, time.monotonic(), None
