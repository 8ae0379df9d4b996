"""A network's weights in one flat tensor, and what torch's optimizer remembers of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnintro.engines.captured.updates import EQUATIONS
from nnintro.engines.flat import FlatMemory, flatten


class Memory(FlatMemory):
    """Tensors that stay where they are, for a graph reads and writes addresses.

    Nothing is in the optimizer's state before the first update.
    """

    def __init__(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        parameters = [p for p in network.parameters() if p.requires_grad]
        self.weights = flatten(parameters)
        super().__init__(optimizer, parameters, self.weights)
        (self.settings,) = optimizer.param_groups
        self.equation = EQUATIONS[self.kind]
        self._all = [self.weights, *self.tensors, *network.buffers()]

    def move(self, gradient: Tensor, factors: Tensor) -> None:
        """One update of the weights, along a gradient (total,); see ``updates.factors``."""
        self.equation(self.settings, self.weights, gradient, self.tensors, factors)

    def copies(self) -> list[Tensor]:
        """All of it as it is, to go back to; the network's buffers too."""
        return [tensor.detach().clone() for tensor in self._all]

    def restore(self, copies: list[Tensor]) -> None:
        with torch.no_grad():
            for tensor, saved in zip(self._all, copies, strict=True):
                tensor.copy_(saved)
