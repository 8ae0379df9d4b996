"""Divide an update's samples among the processes of a training, and add up its gradient over them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from nnintro.descent.variants import Block
from nnintro.engines.engine import Interrupted
from nnintro.engines.world import World
from nnintro.models import Dropout
from nnintro.models.normalization import BatchNormalization


@dataclass
class Shares:
    """This process's share of each update.

    Block b of an update is divided into parts of consecutive rows, one a process; a part of k of its n rows counts k/n.
    The sum of the parts' gradients is the block's: the gradient of one process, up to rounding.
    """

    world: World
    network: nn.Module
    _called_back: bool = field(default=False, init=False)
    _interrupted: Interrupted = field(default=lambda: False, init=False)
    _flat: Tensor | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        modules = [*self.network.modules()]
        self._dropout = [m for m in modules if isinstance(m, Dropout)]
        self._normalizations = [m for m in modules if isinstance(m, BatchNormalization)]
        self.world.copy_from_main_(iter([*self.network.parameters(), *self.network.buffers()]))

    def of(self, block: Block) -> Block:
        """This process's part of a block.

        Of fewer rows than processes some have none: they take the block's first row, which counts 0 there. So all
        processes have the same sums to take part in.
        """
        rows = block.stop - block.start
        first, last = (rows * (self.world.rank + k) // self.world.size for k in (0, 1))
        counted = last - first
        if counted == 0:
            first, last = 0, 1
        for dropout in self._dropout:
            dropout.share = first, rows
        for normalization in self._normalizations:
            normalization.counted = counted
        return Block(block.start + first, block.start + last, block.weight * counted / rows)

    def add_up(self, parameters: list[nn.Parameter], loss: Tensor) -> Tensor:
        """Add up ``.grad`` of the parameters and the loss over the processes; returns the loss, ().

        One message for all: the loss goes with the gradient, and so does whether a process is to come back.
        """
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        kind = gradients[0]
        asked = kind.new_full((1,), float(self._interrupted()))
        pieces = [*(g.reshape(-1) for g in gradients), loss.reshape(1).to(kind.dtype), asked]
        self._flat = torch.cat(pieces) if self._flat is None else torch.cat(pieces, out=self._flat)
        sums = torch.split(self.world.add_up_(self._flat), [piece.numel() for piece in pieces])
        for parameter, gradient, total in zip(parameters, gradients, sums, strict=False):
            parameter.grad = gradient.copy_(total.view(gradient.shape))
        self._called_back = bool(sums[-1] > 0)
        return sums[-2].reshape(()).clone()

    @contextlib.contextmanager
    def in_use(self, interrupted: Interrupted) -> Iterator[Interrupted]:
        """Share updates meanwhile; yields whether any process was interrupted before the latest one.

        So all of them stop after the same update. In the end the layers are as in one process.
        """
        self._interrupted, self._called_back = interrupted, False
        for layer in self._normalizations:
            layer.add_up = self.world.add_up_
        try:
            yield lambda: self._called_back
        finally:
            for layer in self._normalizations:
                layer.add_up = None
            for dropout in self._dropout:
                dropout.share = None
