"""What a checkpoint holds of a training, and how a training takes it up again.

The order of an epoch and dropout's masks are pure functions of the seed and of where training
stands, schedules of the update: there is no random state to keep, and the update's number says all
of the position.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast, get_args

import torch
from torch import Tensor

from nnintro.descent.optimizers import memories_of
from nnintro.errors import CheckpointError
from nnintro.models.build import load_parameters
from nnintro.recording.recorder import Records
from nnintro.training.loop import OVER, Outcome, Status
from nnintro.training.setup import Parts
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
    best = patience.parameters if patience is not None and outcome.status in OVER else {}
    live = _on_cpu(parts.network.state_dict())
    return {
        "status": outcome.status,
        "reason": outcome.reason,
        "seconds": outcome.seconds,
        "model": _model(parts, _on_cpu(best) if best else live),
        "network": live if best else None,
        "optimizer": _on_cpu(parts.optimizer.state_dict()["state"]),
        "patience": None if patience is None else _on_cpu(patience.state()),
        "history": {name: _column(name, values) for name, values in records.history.items()},
        "events": dict(records.events),
        "lost": list(records.lost),
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
        _check_optimizer(state["optimizer"], parts)
        # The saved state with the config's own settings: those may have been changed on purpose.
        groups = parts.optimizer.state_dict()["param_groups"]
        parts.optimizer.load_state_dict({"state": state["optimizer"], "param_groups": groups})
        if patience is not None and state["patience"] is not None:
            _check_tensors(state["patience"]["parameters"], parts.network.state_dict())
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
        if status not in get_args(Status):
            raise ValueError(f"status {status!r}")
        seconds = _duration(state["seconds"])
        return Outcome(status, int(state["step"]), seconds, str(state["reason"]))
    raise AssertionError


def past_of(state: Mapping[str, Any], where: str) -> Past:
    """What went before, this resumption counted in.

    Raises:
        CheckpointError: the checkpoint does not say so.
    """
    with _complete(where):
        past = state["past"]
        resumed = (*map(int, past["resumed"]), int(state["step"]))
        return Past(_duration(past["startup"]), _duration(past["total"]), resumed)
    raise AssertionError


def records_of(state: Mapping[str, Any], where: str) -> Records:
    """Where the records stood.

    Raises:
        CheckpointError: the checkpoint does not say so.
    """
    with _complete(where):
        columns = {str(name): column for name, column in state["history"].items()}
        if {(column.dim(), len(column)) for column in columns.values()} != {
            (1, len(columns["step"]))
        }:
            raise ValueError("columns of unequal length")
        if any(column.is_complex() for column in columns.values()):
            raise ValueError("columns of complex numbers")
        history = {name: column.tolist() for name, column in columns.items()}
        if not all(isinstance(step, int) for name in WHOLE for step in history[name]):
            raise ValueError("counts that are no whole numbers")
        events = {str(name): int(length) for name, length in state["events"].items()}
        return Records(history, events, [str(problem) for problem in state["lost"]])
    raise AssertionError


@contextlib.contextmanager
def _complete(where: str) -> Iterator[None]:
    """A checkpoint that lacks something, or has it in another form, is told as that."""
    try:
        yield
    except (
        KeyError, ValueError, TypeError, AttributeError, RuntimeError, ArithmeticError, IndexError
    ) as error:  # fmt: skip
        raise CheckpointError(f"{where}: the checkpoint is incomplete: {error!r}") from error


def _duration(value: Any) -> float:
    seconds = float(value)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{seconds} seconds")
    return seconds


def _check_tensors(found: Mapping[str, Any], wanted: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless these are tensors of those names, shapes and types, or none."""
    shapes = {name: (tensor.shape, tensor.dtype) for name, tensor in found.items()}
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in wanted.items()}
    if shapes and shapes != expected:
        raise ValueError("parameters of another network")


def _check_optimizer(found: Mapping[Any, Any], parts: Parts) -> None:
    """Raise ValueError unless this is a state that the optimizer could have left."""
    parameters = [p for group in parts.optimizer.param_groups for p in group["params"]]
    names = memories_of(parts.optimizer)
    if names is None:
        return  # one state for all, of lists
    if names and set(found) != set(range(len(parameters))):
        raise ValueError("no state of the optimizer for every parameter")
    for index, memory in found.items():
        for name in names:
            if memory[name].shape != parameters[index].shape:
                raise ValueError(f"{name} of another shape")
