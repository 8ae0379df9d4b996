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
from nnintro.explain.magnitudes import magnitudes
from nnintro.explain.optimizers import Memory
from nnintro.explain.update import Update, in_turn
from nnintro.models import Mlp
from nnintro.objectives.losses import Loss
from nnintro.training.setup import Parts

TOLERANCE = 1e-12
"""Of a difference, relative to numbers above 1."""


@dataclass(frozen=True)
class Compared:
    """Numbers of an update that torch computes too."""

    where: str
    """Which, such as ``dW of layer 2``."""
    ours: Array
    torchs: Tensor
    magnitude: Array
    """How large the numbers are that cancel in them, in their shape."""

    def difference(self, relative_to: Array) -> float:
        """The largest, relative to numbers above 1; infinite where only one of the two is finite.

        What is ``relative_to`` infinite numbers is anything.
        """
        theirs = self.torchs.detach().numpy()
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(self.ours - theirs) / np.maximum(1.0, relative_to)
        same = (self.ours == theirs) | (np.isnan(self.ours) & np.isnan(theirs)) | np.isinf(relative_to)
        apart = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
        return float(apart.max(initial=0.0))


@dataclass(frozen=True)
class Check:
    """The largest difference between an update's numbers and torch's."""

    difference: float
    """Relative to numbers above 1."""
    where: str
    """Which numbers it is among."""
    of_terms: float
    """The largest difference relative to the numbers that cancel, where those are above 1."""
    wrong: str
    """Which numbers that is among."""

    @property
    def is_close(self) -> bool:
        return self.difference <= TOLERANCE

    @property
    def holds(self) -> bool:
        """Whether the numbers are equal but for rounding.

        Beyond the tolerance they may be so still: a sum of numbers of about 1e8 is rounded by 1e-8, however small it
        is.
        """
        return self.is_close or self.of_terms <= TOLERANCE


def check(parts: Parts, update: Update) -> Check:
    """Compute an update a second time with torch.

    The gradients are compared with autograd's, on a copy of the network with the same rows; the step with torch.optim's
    from the same gradients: where a gradient is 0 but for its rounding, adam divides that by its own size.
    """
    network = cast(Mlp, copy.deepcopy(parts.network).double())
    for parameter, values in zip(network.parameters(), in_turn(update.layers, "W", "b"), strict=True):
        parameter.data.copy_(torch.from_numpy(values))
    with torch.enable_grad(), np.errstate(over="ignore", invalid="ignore"):
        compared = [*_gradients(network, parts.loss, update), *_step(network, update)]
        differences = [(each.difference(_finite(each.ours, 1.0)), each.where) for each in compared]
        of_terms = [(each.difference(_finite(each.magnitude, np.inf)), each.where) for each in compared]
    return Check(*max(differences, key=_size), *max(of_terms, key=_size))


def _finite(values: Array, otherwise: float) -> Array:
    """Absolute values, or ``otherwise`` where one is not finite."""
    return np.where(np.isfinite(values), np.abs(values), otherwise)


def _size(found: tuple[float, str]) -> float:
    return found[0]


def _gradients(network: Mlp, loss: Loss, update: Update) -> Iterator[Compared]:
    """What the forward and the backward pass found; leaves the gradients of ``update`` in the parameters."""
    sums, outputs = _noting(network.affine), _noting(network.activations)
    L = loss(network(torch.from_numpy(update.x)), torch.from_numpy(update.t))
    L.backward()  # type: ignore[no-untyped-call]
    of_loss, of_layers = magnitudes(update)
    yield Compared("the loss", np.array(update.L), L, of_loss)
    for number, (passed, found, sizes) in enumerate(zip(update.forward, update.backward, of_layers, strict=True)):
        layer, of = network.affine[number], f"of layer {number + 1}"
        yield Compared(f"z {of}", passed.z, sums[number], sizes["z"])
        yield Compared(f"u {of}", passed.u, outputs[number], sizes["u"])
        yield Compared(f"delta {of}", found.delta, _gradient(sums[number]), sizes["delta"])
        yield Compared(f"dW {of}", found.dW, _gradient(layer.weight), sizes["dW"])
        yield Compared(f"db {of}", found.db, _gradient(layer.bias), sizes["db"])


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
    for index, (name, parameter) in enumerate(zip(names, parameters, strict=True)):
        before, after = in_turn(update.layers, "W", "b")[index], in_turn(update.after, "W", "b")[index]
        yield Compared(f"{name} after the update", after, parameter, np.abs(before) + np.abs(after))
        for kept, values in update.memories_after[index].items():
            size = np.abs(update.memories[index][kept]) + np.abs(values)
            yield Compared(f"{kept} of {name} after the update", values, optimizer.state[parameter][kept], size)


def _state(memory: Memory, counted: int | None) -> dict[str, Tensor]:
    """What torch's optimizer keeps of one parameter: tensors of its own, which it changes in place."""
    tensors = {name: torch.from_numpy(values).clone() for name, values in memory.items()}
    return tensors if counted is None else {**tensors, "step": torch.tensor(float(counted))}
