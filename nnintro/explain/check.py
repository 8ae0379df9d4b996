"""Compare the numbers of an update with torch's: its autograd and its optimizers, in float64."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.descent.optimizers import OPTIMIZERS, build_optimizer
from nnintro.explain.equations import Array
from nnintro.explain.optimizers import Memory
from nnintro.explain.update import Update, in_turn
from nnintro.models import Mlp
from nnintro.objectives.losses import Loss
from nnintro.training.setup import Parts

Compared = tuple[str, Array, Tensor]
"""What it is, these numbers, torch's."""

TOLERANCE = 1e-12
"""Of a difference, relative to numbers above 1."""


@dataclass(frozen=True)
class Check:
    """The largest difference between an update's numbers and torch's."""

    difference: float
    where: str
    """Which numbers it is among, such as ``dW of layer 2``."""

    @property
    def holds(self) -> bool:
        return self.difference <= TOLERANCE


def check(parts: Parts, update: Update) -> Check:
    """Compute an update a second time with torch.

    The gradients are compared with autograd's, on a copy of the network with the same rows; the step with torch.optim's
    from the same gradients: where a gradient is 0 but for its rounding, adam divides that by its own size.
    """
    network = cast(Mlp, copy.deepcopy(parts.network).double())
    for parameter, values in zip(network.parameters(), in_turn(update.layers, "W", "b"), strict=True):
        parameter.data.copy_(torch.from_numpy(values))
    with torch.enable_grad():
        compared = [*_gradients(network, parts.loss, update), *_step(network, update)]
    return max((Check(_difference(ours, torchs), where) for where, ours, torchs in compared), key=_size)


def _size(found: Check) -> float:
    return found.difference


def _gradients(network: Mlp, loss: Loss, update: Update) -> Iterator[Compared]:
    """What the forward and the backward pass found; leaves the gradients of ``update`` in the parameters."""
    sums, outputs = _noting(network.affine), _noting(network.activations)
    L = loss(network(torch.from_numpy(update.x)), torch.from_numpy(update.t))
    L.backward()  # type: ignore[no-untyped-call]
    yield "the loss", np.array(update.L), L
    for number, (passed, found) in enumerate(zip(update.forward, update.backward, strict=True)):
        layer, of = network.affine[number], f"of layer {number + 1}"
        yield f"z {of}", passed.z, sums[number]
        yield f"u {of}", passed.u, outputs[number]
        yield f"delta {of}", found.delta, _gradient(sums[number])
        yield f"dW {of}", found.dW, _gradient(layer.weight)
        yield f"db {of}", found.db, _gradient(layer.bias)


def _gradient(values: Tensor) -> Tensor:
    assert values.grad is not None, "the loss depends on every number of every layer"
    return values.grad


def _noting(modules: Iterable[nn.Module]) -> list[Tensor]:
    """A list that a forward pass fills with the modules' outputs, each of which keeps its gradient."""
    noted: list[Tensor] = []

    def note(_: nn.Module, __: Any, output: Tensor) -> None:
        output.retain_grad()
        noted.append(output)

    for module in modules:
        module.register_forward_hook(note)
    return noted


def _step(network: nn.Module, update: Update) -> Iterator[Compared]:
    """What the optimizer makes of these gradients."""
    parameters, descent = list(network.parameters()), update.step.descent
    optimizer = build_optimizer(descent, parameters)
    for parameter, gradient in zip(parameters, update.gradients, strict=True):
        parameter.grad = torch.from_numpy(gradient).clone()
    counts = OPTIMIZERS[descent.optimizer.kind].counts_updates
    counted = update.step.t - 1 if counts else None
    state = {index: _state(memory, counted) for index, memory in enumerate(update.memories)}
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    for group in optimizer.param_groups:
        group["lr"] = update.step.eta
    if descent.clip_norm is not None:
        nn.utils.clip_grad_norm_(parameters, descent.clip_norm)
    optimizer.step()
    names = [f"{name} of layer {number}" for number in range(1, len(update.after) + 1) for name in "Wb"]
    after = in_turn(update.after, "W", "b")
    for name, parameter, ours, memory in zip(names, parameters, after, update.memories_after, strict=True):
        yield f"{name} after the update", ours, parameter
        for kept, values in memory.items():
            yield f"{kept} of {name} after the update", values, optimizer.state[parameter][kept]


def _state(memory: Memory, counted: int | None) -> dict[str, Tensor]:
    """What torch's optimizer keeps of one parameter: tensors of its own, which it changes in place."""
    tensors = {name: torch.from_numpy(values).clone() for name, values in memory.items()}
    return tensors if counted is None else {**tensors, "step": torch.tensor(float(counted))}


def _difference(ours: Array, torchs: Tensor) -> float:
    """The largest, relative to numbers above 1; infinite where only one of the two is finite."""
    theirs = torchs.detach().numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(ours - theirs) / np.maximum(1.0, np.abs(theirs))
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    apart = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
    return float(apart.max(initial=0.0))
