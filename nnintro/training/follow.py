"""What the processes of a training do that do not record it: the same updates, at the same pace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nnintro.config.training import Checkpoints
from nnintro.engines.engine import Interrupted
from nnintro.engines.world import World
from nnintro.runs.run import Run
from nnintro.runs.state import Outcome
from nnintro.signals import Interrupts
from nnintro.training.checkpointer import put_back, put_back_patience
from nnintro.training.setup import Parts
from nnintro.training.start import Start


@dataclass(frozen=True)
class Result:
    """A finished run and the signal that ended it, if one did."""

    run: Run
    signal: int | None
    is_main: bool = True
    """Whether this process has recorded the run."""


def unrecorded(result: Result) -> Result:
    """A result as the processes get it that did not record it."""
    return replace(result, is_main=False)


def follow(parts: Parts, start: Start, interrupts: Interrupts) -> Result:
    """Make the updates that the first process makes, write nothing, and end as it does.

    Raises:
        NnintroError: what the first process raises.
    """
    outcome = restored(start, parts)
    if outcome is None or not start.concluded:
        silent = _Silent(parts.setup.training.checkpoint)
        parts.loop(dict, silent, silent, interrupts, anywhere(interrupts, parts.world)).run(outcome)
    return parts.world.from_main(_of_the_first)


def _of_the_first() -> Result:
    raise AssertionError("the first process has the result")


def restored(start: Start, parts: Parts) -> Outcome | None:
    """Put everything back to where the checkpoint was made; None where a run begins.

    Raises:
        CheckpointError: the checkpoint lacks something, or it is of another training.
    """
    checkpoint = start.checkpoint
    if checkpoint is None:
        return None
    if start.concluded:
        put_back_patience(checkpoint, parts, start.where)
        return checkpoint.outcome
    return put_back(checkpoint, parts, start.where)


def anywhere(interrupts: Interrupts, world: World) -> Interrupted | None:
    """Asks all processes for signals: one that any of them has received counts for all; None where there is one."""
    if world.size == 1:
        return None

    def asked() -> bool:
        received = world.largest(interrupts.received or 0)
        if received:
            interrupts.hear(received)
        return received > 0

    return asked


@dataclass
class _Silent:
    """Observes and keeps nothing, but stops where the first process does (see ``checkpointer``)."""

    checkpoints: Checkpoints

    def observe(self, point: Any, *, last: bool) -> None: ...

    def progress(self, step: int, seconds: float) -> None: ...

    def next_stop(self, step: int) -> int | None:
        return self.checkpoints.next_stop(step)

    def offer(self, outcome: Outcome) -> None: ...

    def save(self, outcome: Outcome) -> None: ...
