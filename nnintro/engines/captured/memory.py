"""A network's weights in one flat tensor, and what torch's optimizer remembers of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnintro.engines.captured.updates import EQUATIONS
from nnintro.engines.flat import flatten, optimizer_names, pieces


class Memory:
    """Tensors that stay where they are, for a graph reads and writes addresses.

    The optimizer's state are views of them: what ``optimizer.state_dict()`` saves, and what any
    other engine goes on from.  Nothing is in that state before the first update.
    """

    def __init__(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.weights = flatten(self.parameters)
        (self.settings,) = optimizer.param_groups
        kind = type(optimizer).__name__.lower()
        self.equation = EQUATIONS[kind]
        self.counts = kind != "sgd"
        self.names = optimizer_names(optimizer)
        self.tensors = [torch.zeros_like(self.weights) for _ in self.names]
        self._views = [pieces(tensor, self.parameters) for tensor in self.tensors]
        self._all = [self.weights, *self.tensors, *network.buffers()]

    def move(self, gradient: Tensor, factors: Tensor) -> None:
        """One update of the weights, along a gradient (total,); see ``updates.factors``."""
        self.equation(self.settings, self.weights, gradient, self.tensors, factors)

    def adopt(self) -> None:
        """Take over state that somebody else put into the optimizer, from a checkpoint say."""
        for name, views in zip(self.names, self._views, strict=True):
            for parameter, view in zip(self.parameters, views, strict=True):
                state = self.optimizer.state[parameter]
                found = state.get(name)
                if found is not view:
                    if found is not None:
                        view.copy_(found)
                    state[name] = view

    def count(self, step: int) -> None:
        """Note how many updates were made."""
        if self.counts:
            for parameter in self.parameters:
                self.optimizer.state[parameter]["step"] = torch.tensor(float(step))

    def copies(self) -> list[Tensor]:
        """All of it as it is, to go back to; the network's buffers too."""
        return [tensor.detach().clone() for tensor in self._all]

    def restore(self, copies: list[Tensor]) -> None:
        with torch.no_grad():
            for tensor, saved in zip(self._all, copies, strict=True):
                tensor.copy_(saved)
