"""The contents of a checkpoint: every key, with how it is written and read.

The order of an epoch and dropout's masks are pure functions of the seed and of where training stands, schedules of the
update: there is no random state to keep, and the update's number says all of the position.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import NoneType
from typing import Any, Literal, cast, get_args

import torch

from nnintro.errors import CheckpointError
from nnintro.runs.history import COUNTS, WHOLE
from nnintro.wording import cause, shown

Status = Literal["running", "completed", "stopped", "diverged", "interrupted"]
Kinds = type | tuple[type, ...]
_MAPPING: tuple[Kinds, str] = (dict, "a mapping")
_OPTIONAL: tuple[Kinds, str] = ((dict, NoneType), "a mapping or nothing")
_LIST: tuple[Kinds, str] = (list, "a list")
_TEXT: tuple[Kinds, str] = (str, "a text")
_MADE_OF = {
    "config": _MAPPING, "architecture": _MAPPING, "optimizer_kind": _TEXT, "plan": _LIST, "status": _TEXT,
    "reason": _TEXT, "model": _MAPPING, "network": _OPTIONAL, "optimizer": _MAPPING, "patience": _OPTIONAL,
    "history": _MAPPING, "events": _MAPPING, "lost": _LIST, "past": _MAPPING,
}  # fmt: skip
"""Field of a checkpoint -> what it is made of, and how messages call that; numbers have checks of their own."""
LONGEST = 1e15
"""Seconds that a run may have taken."""


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
            for name, (kinds, words) in _MADE_OF.items():
                if not isinstance(plain[name], kinds):
                    raise ValueError(f"{name}: expected {words}, got {shown(plain[name])}")
            if [type(part) for part in plain["plan"]] != [str, int, int]:
                raise ValueError("plan: expected a variant and two numbers of samples")
            said = [plain[name] for name in ("config", "architecture", "optimizer_kind", "plan")]
            if any(_holds_tensors(part) for part in said):
                raise ValueError("config, architecture and plan: expected settings, got tensors")
            kept = {name: plain[name] for name in ("model", "network", "optimizer", "patience")}
            return cls(Origin(*said), _outcome(plain), records=_records(plain), past=_past(plain["past"]), **kept)


@contextlib.contextmanager
def complete(where: str) -> Iterator[None]:
    """Contents that are missing or of another form are a CheckpointError, whatever they raise."""
    try:
        yield
    except KeyError as error:
        raise CheckpointError(f"{where}: the checkpoint is incomplete: {shown(error.args[0])} is missing") from error
    except (ValueError, TypeError, AttributeError, RuntimeError, ArithmeticError, IndexError) as error:
        raise CheckpointError(f"{where}: the checkpoint is damaged: {cause(error)}") from error


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, dict):
        return any(not isinstance(key, str) or _holds_tensors(item) for key, item in value.items())
    return any(map(_holds_tensors, value)) if isinstance(value, list) else isinstance(value, torch.Tensor)


def _outcome(plain: Mapping[str, Any]) -> Outcome:
    status = cast(Status, plain["status"])
    if status not in get_args(Status):
        raise ValueError(f"status: {shown(status)}")
    return Outcome(status, _count(plain["step"], "step"), _duration(plain["seconds"], "seconds"), plain["reason"])


def _past(plain: Mapping[str, Any]) -> Past:
    resumed = tuple(_count(step, "past.resumed") for step in plain["resumed"])
    return Past(_duration(plain["startup"], "past.startup"), _duration(plain["total"], "past.total"), resumed)


def _count(value: Any, field: str) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{field}: expected a whole number from 0, got {shown(value)}")
    return value


def _duration(value: Any, field: str) -> float:
    if type(value) not in (int, float) or not 0 <= value < LONGEST:
        raise ValueError(f"{field}: expected seconds, got {shown(value)}")
    return float(value)


def _records(plain: Mapping[str, Any]) -> Records:
    columns = plain["history"]
    for name in [*COUNTS, *columns]:
        wanted = torch.int64 if name in WHOLE else torch.float64
        if not isinstance(name, str) or not name.isprintable() or columns[name].dtype != wanted:
            raise ValueError(f"history: column {shown(name)}: expected numbers of type {wanted}")
        if columns[name].shape != (len(columns["step"]),):
            raise ValueError("history: columns of unequal length")
    history = {name: column.tolist() for name, column in columns.items()}
    events, lost = plain["events"], plain["lost"]
    if not all(isinstance(name, str) for name in [*events, *lost]):
        raise ValueError("events and lost: expected texts")
    return Records(history, {name: _count(length, "events") for name, length in events.items()}, lost)
