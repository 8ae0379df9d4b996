"""The contents of a checkpoint: every key, with how it is written and read.

The order of an epoch and dropout's masks are pure functions of the seed and of where training stands, schedules of the
update: there is no random state to keep, and the update's number says all of the position.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

import torch

from nnintro.errors import CheckpointError
from nnintro.runs.history import WHOLE

Status = Literal["running", "completed", "stopped", "diverged", "interrupted"]
OVER = ("completed", "stopped")
"""The statuses of a training that has come to its end."""


@dataclass
class Outcome:
    """How training stands, and in the end: how it ended."""

    status: Status = "running"
    step: int = 0
    seconds: float = 0.0
    """Spent in updates."""
    reason: str = ""


@dataclass(frozen=True)
class Origin:
    """The config that a checkpoint was made under; a run goes on from it only where that fits."""

    config: dict[str, Any]
    """Dotted key -> value."""
    architecture: dict[str, Any]
    """What decides which function the parameters are (see ``runs.run.architecture``)."""
    optimizer_kind: str
    """What state the optimizer has between two updates, as far as settings decide that."""
    plan: list[str | int]
    """How an epoch falls into updates: variant, samples, batch size."""


@dataclass(frozen=True)
class Past:
    """What earlier parts of a run leave to the one that goes on with it."""

    startup: float = 0.0
    """Seconds before the first update, over all parts."""
    total: float = 0.0
    """Seconds in all."""
    resumed: tuple[int, ...] = ()
    """The updates at which the run was taken up again."""


@dataclass(frozen=True)
class Records:
    """Where a run's records stand."""

    history: Mapping[str, Sequence[float]]
    """Column name -> values, NaN where nothing was measured."""
    events: Mapping[str, int]
    """Event file -> its length in bytes."""
    lost: Sequence[str] = ()
    """What is missing in the events for good, in words."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything that training on needs; tensors are on the CPU.

    What only a network, its optimizer or its early stopping can judge is taken as it was read, and
    checked where it is put back (``training.checkpointer``).
    """

    origin: Origin
    outcome: Outcome
    model: Any
    """State of the model that the run is used with: the best one, once early stopping has ended training."""
    network: Any
    """State of the network to train on from, where that is another one; else None."""
    optimizer: Any
    """Index of a parameter -> its memory by name."""
    patience: Any
    """State of early stopping; None without it."""
    records: Records
    past: Past

    def to_plain(self) -> dict[str, Any]:
        """Tensors and plain containers, which ``torch.load`` reads without running code."""
        return {
            "step": self.outcome.step,
            **vars(self.origin),
            "status": self.outcome.status,
            "reason": self.outcome.reason,
            "seconds": self.outcome.seconds,
            "model": self.model,
            "network": self.network,
            "optimizer": self.optimizer,
            "patience": self.patience,
            "history": {
                name: torch.tensor(values, dtype=torch.int64 if name in WHOLE else torch.float64)
                for name, values in self.records.history.items()
            },
            "events": dict(self.records.events),
            "lost": list(self.records.lost),
            "past": {**asdict(self.past), "resumed": list(self.past.resumed)},
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], where: str) -> Checkpoint:
        """What ``to_plain`` wrote.

        Args:
            where: the checkpoint's name for messages.

        Raises:
            CheckpointError: something is missing, or has another form.
        """
        with complete(where):
            config = plain["config"]
            if not isinstance(config, dict) or "tensor(" in repr(config):
                raise CheckpointError(f"{where}: the checkpoint is incomplete: it has no config")
            origin = Origin(config, plain["architecture"], plain["optimizer_kind"], plain["plan"])
            kept = {name: plain[name] for name in ("model", "network", "optimizer", "patience")}
            return cls(origin, _outcome(plain), records=_records(plain), past=_past(plain["past"]), **kept)


@contextlib.contextmanager
def complete(where: str) -> Iterator[None]:
    """Contents that are missing or of another form are a CheckpointError, whatever they raise."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, RuntimeError, ArithmeticError, IndexError) as error:
        raise CheckpointError(f"{where}: the checkpoint is incomplete: {error!r}") from error


def _outcome(plain: Mapping[str, Any]) -> Outcome:
    status = cast(Status, str(plain["status"]))
    if status not in get_args(Status):
        raise ValueError(f"status {status!r}")
    return Outcome(status, int(plain["step"]), _duration(plain["seconds"]), str(plain["reason"]))


def _past(plain: Mapping[str, Any]) -> Past:
    resumed = tuple(map(int, plain["resumed"]))
    return Past(_duration(plain["startup"]), _duration(plain["total"]), resumed)


def _duration(value: Any) -> float:
    seconds = float(value)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{seconds} seconds")
    return seconds


def _records(plain: Mapping[str, Any]) -> Records:
    columns = {str(name): column for name, column in plain["history"].items()}
    shapes = {(column.dim(), len(column)) for column in columns.values()}
    if shapes != {(1, len(columns["step"]))}:
        raise ValueError("columns of unequal length")
    if any(column.is_complex() for column in columns.values()):
        raise ValueError("columns of complex numbers")
    history = {name: column.tolist() for name, column in columns.items()}
    if not all(isinstance(step, int) for name in WHOLE for step in history[name]):
        raise ValueError("counts that are not whole numbers")
    events = {str(name): int(length) for name, length in plain["events"].items()}
    return Records(history, events, [str(problem) for problem in plain["lost"]])
