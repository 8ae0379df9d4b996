"""The optimizers' equations on flat weights, in operations that wait for nothing but the device.

torch.optim's own do not fit: adagrad and sgd read the learning rate on the host unless they are
fused, and the fused ones take it from the device in float32 only, too coarse for float64.  Here the
weights, the gradient and each memory are one flat tensor, and all that depends on the update's
number comes as ``factors``, worked out beforehand in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.descent.schedules import Floats
from nnintro.engines.flat import FlatMemory, flatten

Settings = Mapping[str, Any]
"""A param group of torch's optimizer."""
Equation = Callable[[Settings, Tensor, Tensor, list[Tensor], Tensor], None]
"""settings, weights (n,), gradient (n,), memories (n,) each, factors (1, 3): moves the weights."""


def sgd(s: Settings, weights: Tensor, g: Tensor, memories: list[Tensor], factors: Tensor) -> None:
    """v <- momentum * v + g;  w <- w - rate * v, or with Nesterov's g + momentum * v for v."""
    g = _with_decay(s, weights, g)
    if memories:
        (velocity,) = memories
        velocity.mul_(s["momentum"]).add_(g)
        g = g.add(velocity, alpha=s["momentum"]) if s["nesterov"] else velocity
    weights.addcmul_(g, factors[:, 0], value=-1)


def adagrad(s: Settings, weights: Tensor, g: Tensor, memories: list[Tensor], factors: Tensor) -> None:
    """a <- a + g^2;  w <- w - rate * g / (sqrt(a) + epsilon)."""
    (total,) = memories
    g = _with_decay(s, weights, g)
    total.addcmul_(g, g)
    weights.addcdiv_(g * factors[:, 0], total.sqrt().add_(s["eps"]), value=-1)


def rmsprop(s: Settings, weights: Tensor, g: Tensor, memories: list[Tensor], factors: Tensor) -> None:
    """a <- smoothing * a + (1 - smoothing) * g^2;  the step g / (sqrt(a) + epsilon), or its v."""
    square, *velocity = memories
    g = _with_decay(s, weights, g)
    square.mul_(s["alpha"]).addcmul_(g, g, value=1 - s["alpha"])
    size = square.sqrt().add_(s["eps"])
    if velocity:
        velocity[0].mul_(s["momentum"]).addcdiv_(g, size)
        weights.addcmul_(velocity[0], factors[:, 0], value=-1)
    else:
        weights.addcdiv_(g * factors[:, 0], size, value=-1)


def adam(s: Settings, weights: Tensor, g: Tensor, memories: list[Tensor], factors: Tensor) -> None:
    """m, a <- running means of g and g^2;  w <- w - rate * m^ / (sqrt(a^) + epsilon)."""
    mean, square = memories
    first, second = s["betas"]
    g = _with_decay(s, weights, g)
    mean.lerp_(g, 1 - first)
    square.mul_(second).addcmul_(g, g, value=1 - second)
    size = square.sqrt().div_(factors[:, 1]).add_(s["eps"])
    weights.addcdiv_(mean * factors[:, 0], size, value=-1)


def adamw(s: Settings, weights: Tensor, g: Tensor, memories: list[Tensor], factors: Tensor) -> None:
    """adam, after w <- w - rate * weight_decay * w."""
    if s["weight_decay"] != 0:
        weights.mul_(factors[:, 2])
    adam({**s, "weight_decay": 0}, weights, g, memories, factors)


def _with_decay(s: Settings, weights: Tensor, g: Tensor) -> Tensor:
    return g.add(weights, alpha=s["weight_decay"]) if s["weight_decay"] != 0 else g


EQUATIONS: dict[str, Equation] = {"sgd": sgd, "adagrad": adagrad, "rmsprop": rmsprop, "adam": adam, "adamw": adamw}
"""Of the optimizers that can be captured; any other is not served by the graph engine."""


def factors(s: Settings, rates: Floats, start: int) -> Floats:
    """(updates, 3), for ``rates`` of the updates from ``start`` on: what is multiplied by.

    The rate, for adam divided by 1 - beta1^t;  sqrt(1 - beta2^t);  1 - rate * weight_decay.
    """
    first, second = s.get("betas", (0.0, 0.0))
    t = np.arange(start, start + len(rates)) + 1.0
    columns = (rates / (1 - first**t), np.sqrt(1 - second**t), 1 - rates * s["weight_decay"])
    return np.stack(columns, axis=1)


class Memory(FlatMemory):
    """A network's weights and what torch's optimizer remembers of them, one flat tensor each.

    They stay where they are, for a graph reads and writes addresses.  Nothing is in the optimizer's
    state before the first update.
    """

    def __init__(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        parameters = [p for p in network.parameters() if p.requires_grad]
        self.weights = flatten(parameters)
        super().__init__(optimizer, parameters, self.weights)
        (self.settings,) = optimizer.param_groups
        self.equation = EQUATIONS[self.kind]
        self._all = [self.weights, *self.tensors, *network.buffers()]

    def move(self, gradient: Tensor, factors: Tensor) -> None:
        """One update of the weights, along a gradient (total,); see ``factors``."""
        self.equation(self.settings, self.weights, gradient, self.tensors, factors)

    def copies(self) -> list[Tensor]:
        """All of it as it is, to go back to; the network's buffers too."""
        return [tensor.detach().clone() for tensor in self._all]

    def restore(self, copies: list[Tensor]) -> None:
        with torch.no_grad():
            for tensor, saved in zip(self._all, copies, strict=True):
                tensor.copy_(saved)
