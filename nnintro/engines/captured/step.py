"""One update from its rows to the weights without waiting for the host, and the tape it reads."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nnintro.datasets import Data
from nnintro.descent.schedules import Floats
from nnintro.descent.streams import Order, remembered
from nnintro.descent.variants import Plan
from nnintro.engines.captured.updates import Memory
from nnintro.engines.engine import Work

ENTRIES = 1 << 18
"""Row numbers that a tape holds, about: 2 MiB."""
LONGEST = 4096
"""Updates that a tape holds at most."""
LEAST = 1e-6
"""Added to the norm that clipping divides by, as torch.nn.utils.clip_grad_norm_ does."""


class Tape:
    """Rows, factors and losses of some updates; the host writes them, an update reads its own.

    That way one captured graph serves every update: what it is to do is read at the cursor.

    Args:
        order: the order of each epoch's rows.
        factors: (start, stop) -> (stop - start, 3), see ``updates.factors``.
        like: a tensor on the device and of the type that the factors and losses are to have.
    """

    def __init__(self, plan: Plan, order: Order, factors: Callable[[int, int], Floats], like: Tensor) -> None:
        self.plan, self.factors_of = plan, factors
        self.width = 0 if plan.variant == "batch" else min(plan.batch_size, plan.samples)
        self.capacity = min(max(ENTRIES // max(self.width, 1), 1), LONGEST)
        self.factors = like.new_ones(self.capacity, 3)
        self.losses = like.new_zeros(self.capacity)
        self.rows = like.new_zeros(self.capacity, self.width, dtype=torch.int64)
        self.cursor = like.new_zeros(1, dtype=torch.int64)
        self.start = self.stop = 0
        self._order_of = remembered(order, plan.samples)

    # --- by the host -----------------------------------------------------------------------------

    def seek(self, step: int) -> None:
        """Let the next update be number ``step``."""
        if not self.start <= step < self.stop:
            self._load(step)
        self.cursor.fill_(step - self.start)

    def finite(self, start: int, stop: int) -> Tensor:
        """(), on the device: whether the losses of these updates, all on the tape, are finite."""
        return self.losses[start - self.start : stop - self.start].isfinite().all()

    def _load(self, start: int) -> None:
        self.start, self.stop = start, start + self.capacity
        self.factors.copy_(torch.from_numpy(self.factors_of(start, self.stop)))
        if self.width > 0:
            self.rows.copy_(self._rows(start, self.stop))

    def _rows(self, start: int, stop: int) -> Tensor:
        """(updates, width) rows of each update; zeros behind those of a short block."""
        rows = torch.zeros((stop - start) * self.width, dtype=torch.int64)
        step, per_epoch = start, self.plan.updates_per_epoch
        while step < stop:
            epoch, update = divmod(step, per_epoch)
            end = min(step + per_epoch - update, stop)
            first = update * self.width
            piece = self._order_of(epoch)[first : first + (end - step) * self.width]
            at = (step - start) * self.width
            rows[at : at + len(piece)] = piece
            step = end
        return rows.view(stop - start, self.width)

    # --- by the device ---------------------------------------------------------------------------

    def read_factors(self) -> Tensor:
        """(1, 3)."""
        return self.factors.index_select(0, self.cursor)

    def read_rows(self, count: int) -> Tensor:
        """(count,)."""
        return self.rows.index_select(0, self.cursor).view(-1)[:count]

    def note(self, loss: Tensor) -> None:
        """Keep the update's loss, (), and move on."""
        self.losses.index_copy_(0, self.cursor, loss.reshape(1).to(self.losses.dtype))
        self.cursor.add_(1)


class Step:
    """The same callable eagerly, on any device, and under capture, on CUDA.

    Every shape is fixed but for the short last block's, and every tensor that outlives the update
    is made before the first.  An update reads nothing back: a loss that is not finite spoils the
    weights; ``graph.Graph`` looks at the losses afterwards and goes back.
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
