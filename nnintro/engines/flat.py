"""Store a network's parameters, and its optimizer's state, in one flat array each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from nnintro.descent.optimizers import OPTIMIZERS, kind_of, memories_of
from nnintro.engines.backpropagation import codes


def flatten(parameters: list[nn.Parameter]) -> Tensor:
    """One (total,) tensor that the parameters become views of; their values and order stay."""
    with torch.no_grad():
        flat = torch.cat([parameter.reshape(-1) for parameter in parameters]).contiguous()
    for parameter, piece in zip(parameters, pieces(flat, parameters), strict=True):
        parameter.data = piece
    return flat


def pieces(flat: Tensor, parameters: list[nn.Parameter]) -> list[Tensor]:
    """The stretches of ``flat`` that belong to each parameter, in its shape."""
    parts = torch.split(flat, [parameter.numel() for parameter in parameters])
    return [part.view(p.shape) for part, p in zip(parts, parameters, strict=True)]


class FlatMemory:
    """What torch's optimizer remembers of the parameters, as flat tensors of which the optimizer's
    own state are views: what ``state_dict()`` saves, and what any engine goes on from.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], flat: Tensor) -> None:
        self.optimizer, self.parameters = optimizer, parameters
        self.kind = kind_of(optimizer)
        self.names = memories_of(optimizer) or []
        self.tensors = [torch.zeros_like(flat) for _ in self.names]
        self._counts = [torch.zeros(()) for _ in parameters]
        self._views = [pieces(tensor, parameters) for tensor in self.tensors]

    def adopt(self) -> None:
        """Take over state that somebody else put into the optimizer, from a checkpoint say."""
        for name, views in zip(self.names, self._views, strict=True):
            for parameter, view in zip(self.parameters, views, strict=True):
                state = self.optimizer.state[parameter]
                theirs = state.get(name)
                if theirs is not view:
                    if theirs is not None:
                        view.copy_(theirs)
                    state[name] = view

    def count(self, step: int) -> None:
        """Note how many updates were made, where torch's optimizer does."""
        if OPTIMIZERS[self.kind].counts_updates:
            for parameter, count in zip(self.parameters, self._counts, strict=True):
                self.optimizer.state[parameter]["step"] = count.fill_(step)


class OptimizerMemory(FlatMemory):
    """The memory as the kernel needs it: with its kind, its settings, and two flat arrays."""

    def __init__(self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], flat: Tensor) -> None:
        super().__init__(optimizer, parameters, flat)
        (group,) = optimizer.param_groups
        self.code = codes.OPTIMIZERS.index(self.kind)
        # The kernel takes these of any optimizer, in this order; what one does not have is 0.
        numbers = [group.get(name, 0.0) for name in ("weight_decay", "momentum", "nesterov", "eps")]
        betas = group.get("betas", (group.get("alpha", 0.0), 0.0))
        self.settings = np.array([*numbers, *betas], dtype=np.float64)
        arrays: list[npt.NDArray[Any]] = [tensor.numpy() for tensor in self.tensors]
        self.arrays = [*arrays, *[np.zeros(0, dtype=flat.numpy().dtype)] * (2 - len(arrays))]
