"""What a checkpoint holds of a training, and how a training takes it up again.

The order of an epoch and dropout's masks are pure functions of the seed and of where training
stands, schedules of the update: there is no random state to keep, and the update's number says all
of the position.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import Tensor

from nnintro.errors import CheckpointError
from nnintro.recording.recorder import Records
from nnintro.training.assemble import Parts, load_parameters
from nnintro.training.loop import Outcome, Status
from nnintro.training.stopping import Patience

WHOLE = ("step", "samples")
"""Columns of the history that count in whole numbers."""


@dataclass(frozen=True)
class Past:
    """What earlier parts of a run leave to the one that goes on with it."""

    startup: float = 0.0
    """Seconds before the first update, over all parts."""
    total: float = 0.0
    """Seconds in all."""
    resumed: tuple[int, ...] = ()
    """The updates at which the run was taken up again."""


def capture(
    parts: Parts, outcome: Outcome, patience: Patience | None, records: Records, past: Past
) -> dict[str, Any]:
    """Everything that training on needs, as tensors and plain containers, on the CPU.

    ``model`` is what the run is used with.  Once early stopping has ended training that is the
    best network, and the one to train on from stands beside it, as ``network``.
    """
    over = outcome.status in ("completed", "stopped")
    best = patience.parameters if patience is not None and over else {}
    live = _on_cpu(parts.network.state_dict())
    return {
        "status": outcome.status,
        "reason": outcome.reason,
        "seconds": outcome.seconds,
        "epoch": parts.plan.epochs_after(outcome.step),
        "model": _model(parts, _on_cpu(best) if best else live),
        "network": live if best else None,
        "optimizer": _on_cpu(parts.optimizer.state_dict()["state"]),
        "patience": None if patience is None else _on_cpu(patience.state()),
        "history": {name: _column(name, values) for name, values in records.history.items()},
        "events": dict(records.events),
        "past": {**asdict(past), "resumed": list(past.resumed)},
    }


def _model(parts: Parts, network: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of the model that is saved, which may hold a standardisation around the network."""
    if parts.model is parts.network:
        return dict(network)
    around = {name: tensor.cpu() for name, tensor in parts.model.named_buffers(recurse=False)}
    return {**around, **{f"network.{name}": tensor for name, tensor in network.items()}}


def _column(name: str, values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.int64 if name in WHOLE else torch.float64)


def _on_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: _on_cpu(item) for key, item in value.items()}
    return [_on_cpu(item) for item in value] if isinstance(value, list) else value


def restore(
    state: Mapping[str, Any], parts: Parts, patience: Patience | None, where: str
) -> Outcome:
    """Put a training back to where the checkpoint was made, its model being loaded already.

    Raises:
        CheckpointError: the checkpoint lacks something, or it is of another training.
    """
    with _complete(where):
        if state["network"] is not None:
            load_parameters(parts.network, state["network"], where)
        # The saved state with the config's own settings: those may have been changed on purpose.
        groups = parts.optimizer.state_dict()["param_groups"]
        parts.optimizer.load_state_dict({"state": state["optimizer"], "param_groups": groups})
        if patience is not None and state["patience"] is not None:
            patience.load(state["patience"])
        return outcome_of(state, where)
    raise AssertionError


def outcome_of(state: Mapping[str, Any], where: str) -> Outcome:
    """Where training stood.

    Raises:
        CheckpointError: the checkpoint does not say so.
    """
    with _complete(where):
        status = cast(Status, str(state["status"]))
        return Outcome(status, int(state["step"]), float(state["seconds"]), str(state["reason"]))
    raise AssertionError


def past_of(state: Mapping[str, Any], where: str) -> Past:
    """What went before, this resumption counted in.

    Raises:
        CheckpointError: the checkpoint does not say so.
    """
    with _complete(where):
        past = state["past"]
        resumed = (*map(int, past["resumed"]), int(state["step"]))
        return Past(float(past["startup"]), float(past["total"]), resumed)
    raise AssertionError


def records_of(state: Mapping[str, Any], where: str) -> Records:
    """Where the records stood.

    Raises:
        CheckpointError: the checkpoint does not say so.
    """
    with _complete(where):
        history = {str(name): column.tolist() for name, column in state["history"].items()}
        events = {str(name): int(length) for name, length in state["events"].items()}
        if len({len(values) for values in history.values()}) > 1:
            raise ValueError("columns of unequal length")
        return Records(history, events)
    raise AssertionError


@contextlib.contextmanager
def _complete(where: str) -> Iterator[None]:
    """A checkpoint that lacks something, or has it in another form, is told as that."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"{where}: the checkpoint is incomplete: {error!r}") from error
