"""One update, from the rows on the tape to the weights, without waiting for the host."""

from __future__ import annotations

import torch
from torch import Tensor

from nnintro.datasets import Data
from nnintro.engines.captured.tape import Tape
from nnintro.engines.captured.updates import Memory
from nnintro.engines.engine import Work

LEAST = 1e-6
"""Added to the norm that clipping divides by, as torch.nn.utils.clip_grad_norm_ does."""


class Step:
    """The same callable eagerly, on any device, and under capture, on CUDA.

    Every shape is fixed but for the short last block's, and every tensor that outlives the update
    is made before the first.  An update reads nothing back: a loss that is not finite spoils the
    weights, and whoever runs updates looks at the losses and goes back (see ``graph.Graph``).

    Args:
        train: the work's samples.
    """

    def __init__(self, work: Work, train: Data, tape: Tape, memory: Memory) -> None:
        self.network, self.loss, self.plan = work.network, work.loss, work.plan
        self.inputs, self.targets = train.inputs, train.targets
        self.tape, self.memory = tape, memory
        self.clip_norm, self.autocast = work.setup.descent.clip_norm, work.autocast
        self.gradient = torch.zeros_like(memory.weights)
        """(total,) of the last update, before clipping."""
        self.short_rows = 0 if tape.width == 0 else self.plan.samples % tape.width
        """Samples in an epoch's last block, where it is a short one; else 0."""

    def is_short(self, step: int) -> bool:
        """Whether update ``step`` is one of the short blocks."""
        return self.short_rows > 0 and (step + 1) % self.plan.updates_per_epoch == 0

    def __call__(self, *, short: bool) -> None:
        """The update at the tape's cursor."""
        if self.tape.width == 0:
            loss = self._over_all()
        else:
            rows = self.tape.read_rows(self.short_rows if short else self.tape.width)
            loss, gradients = self._block(self.inputs.index_select(0, rows), self.targets.index_select(0, rows), 1.0)
            torch.cat([g.reshape(-1) for g in gradients], out=self.gradient)
        with torch.no_grad():
            self.memory.move(self._clipped(), self.tape.read_factors())
            self.tape.note(loss)

    def _over_all(self) -> Tensor:
        """Put sum_b weight_b * grad(mean loss over block b) into ``gradient``; the loss, ()."""
        total = None
        for index, block in enumerate(self.plan.blocks(0)):
            rows = slice(block.start, block.stop)
            loss, gradients = self._block(self.inputs[rows], self.targets[rows], block.weight)
            flat = [g.reshape(-1) for g in gradients]
            if index == 0:
                torch.cat(flat, out=self.gradient)
            else:
                self.gradient.add_(torch.cat(flat))
            total = loss if total is None else total + loss
        assert total is not None
        return total

    def _block(self, inputs: Tensor, targets: Tensor, weight: float) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The mean loss over a block, (), times its weight, and its gradient by each parameter."""
        with self.autocast():
            loss = self.loss(self.network(inputs), targets)
        if weight != 1.0:
            loss = loss * weight
        # By torch.autograd.grad and not .backward(): nothing is accumulated, no .grad outlives it.
        gradients = torch.autograd.grad(loss, self.memory.parameters, materialize_grads=True)
        return loss.detach(), gradients

    def _clipped(self) -> Tensor:
        if self.clip_norm is None:
            return self.gradient
        norm = torch.linalg.vector_norm(self.gradient)
        scale = torch.clamp(self.clip_norm / (norm + LEAST), max=1.0)
        return self.gradient * scale
