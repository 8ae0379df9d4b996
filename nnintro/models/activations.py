"""The activations s of y = s(<x, w> + b), by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Step(nn.Module):
    """I{z > 0}: McCulloch and Pitts' all-or-nothing neuron; its gradient is zero everywhere."""

    def forward(self, z: Tensor) -> Tensor:
        # The comparison alone leaves no gradient graph; 0 * z keeps one, of zeros, and NaN.
        return torch.where(z > 0, 1.0, 0.0 * z.clamp(0.0, 0.0))


class Sine(nn.Module):
    """sin(z)."""

    def forward(self, z: Tensor) -> Tensor:
        return z.sin()


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "step": Step,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "sine": Sine,
}

GAINS: dict[str, float] = {"tanh": 5 / 3, "relu": 2**0.5, "leaky_relu": (2 / 1.0001) ** 0.5}
"""torch.nn.init.calculate_gain's factors; 1 for all others."""


class Dropout(nn.Module):
    """Sets each entry to 0 with probability ``rate``, the others are divided by 1 - rate.

    Srivastava et al. (2014).  Unlike torch.nn.Dropout it draws from a generator of its own, which
    whoever trains puts in ``generator``: nothing else in the program can disturb it.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.generator: torch.Generator | None = None
        self.share: tuple[int, int] | None = None
        """Of rows that are a part of a block: the first one's number in it, and how many it has. The mask is drawn for
        all of it, so that it does not depend on how the block is divided."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        first, total = self.share or (0, len(x))
        whole = x.new_empty((total, *x.shape[1:])).bernoulli_(1 - self.rate, generator=self.generator)
        kept = whole[first : first + len(x)]
        return x * kept / (1 - self.rate)

    def extra_repr(self) -> str:
        return f"rate={self.rate}"
