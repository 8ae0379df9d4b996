"""What differs from update to update, on the device, under a cursor that moves on by itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nnintro.descent.streams import Order
from nnintro.descent.variants import Plan
from nnintro.engines.captured.updates import Floats

ENTRIES = 1 << 18
"""Row numbers that a tape holds, about: 2 MiB."""
LONGEST = 4096
"""Updates that a tape holds at most."""


class Tape:
    """Rows, factors and losses of some updates; the host writes them, an update reads its own.

    That way one captured graph serves every update: what it is to do is read at the cursor.

    Args:
        order: the order of each epoch's rows.
        factors: (start, stop) -> (stop - start, 3), see ``updates.factors``.
        like: a tensor on the device and of the type that the factors and losses are to have.
    """

    def __init__(self, plan: Plan, order: Order, factors: Callable[[int, int], Floats], like: Tensor) -> None:
        self.plan, self.order, self.factors_of = plan, order, factors
        self.width = 0 if plan.variant == "batch" else min(plan.batch_size, plan.samples)
        self.capacity = min(max(ENTRIES // max(self.width, 1), 1), LONGEST)
        self.factors = like.new_ones(self.capacity, 3)
        self.losses = like.new_zeros(self.capacity)
        self.rows = like.new_zeros(self.capacity, self.width, dtype=torch.int64)
        self.cursor = like.new_zeros(1, dtype=torch.int64)
        self.start = self.stop = 0
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

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

    def _order_of(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            order = self.order(epoch)
            self._order = torch.arange(self.plan.samples) if order is None else order
            self._epoch = epoch
        return self._order

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
