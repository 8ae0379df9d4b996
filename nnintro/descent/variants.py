"""Divide epochs into updates: batch, mini-batch and stochastic gradient descent.

With n samples and per-sample losses l_i,

    batch        one update per epoch, along (1/n) sum_i grad l_i; the data may be walked in blocks,
                 and block b counts |b|/n, so that every block size gives the same update
    mini-batch   one update per block of B samples, the short last block averaged over its own size
    stochastic   mini-batch with B = 1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor

from nnintro.descent.streams import Order

Variant = Literal["batch", "mini-batch", "stochastic"]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows ``start`` to ``stop`` of the epoch's order; its mean loss counts ``weight``."""

    start: int
    stop: int
    weight: float


@dataclass(frozen=True)
class Plan:
    """How an epoch over ``samples`` rows falls into updates, and an update into blocks."""

    variant: Variant
    samples: int
    batch_size: int

    @property
    def updates_per_epoch(self) -> int:
        return 1 if self.variant == "batch" else -(-self.samples // self.batch_size)

    @property
    def blocks_per_update(self) -> int:
        return -(-self.samples // self.batch_size) if self.variant == "batch" else 1

    @property
    def samples_per_update(self) -> int:
        """Samples of an update, of which the last one of an epoch may have fewer."""
        return self.samples if self.variant == "batch" else min(self.batch_size, self.samples)

    def blocks(self, update: int) -> list[Block]:
        """The blocks of update ``update`` (from 0) of an epoch; their weights add up to 1."""
        if self.variant != "batch":
            start = update * self.batch_size
            return [Block(start, min(start + self.batch_size, self.samples), 1.0)]
        bounds = [*range(0, self.samples, self.batch_size), self.samples]
        return [
            Block(start, stop, (stop - start) / self.samples)
            for start, stop in zip(bounds[:-1], bounds[1:], strict=True)
        ]

    def samples_after(self, updates: int) -> int:
        """Samples that ``updates`` updates have seen."""
        epochs, rest = divmod(updates, self.updates_per_epoch)
        return epochs * self.samples + min(rest * self.batch_size, self.samples)

    def epochs_after(self, updates: int) -> float:
        return self.samples_after(updates) / self.samples


class Rows(Protocol):
    """Gives the rows of an epoch's blocks."""

    def rows(self, epoch: int, block: Block) -> tuple[Tensor, Tensor]:
        """Inputs and targets of one block of one epoch."""
        ...


class Batches:
    """The rows of a data set in an epoch's order, gathered some tens of thousands at a time.

    A gather per block would cost as much as a small network's update, a gather of the whole epoch
    would double the memory; a window of blocks does neither.
    """

    def __init__(self, inputs: Tensor, targets: Tensor, order: Order, block: int) -> None:
        self.inputs = inputs
        self.targets = targets
        self.order = order
        self.window = max(1, 65_536 // block) * block
        self._epoch = -1
        self._rows: Tensor | None = None
        self._start = self._stop = 0
        self._window_inputs = self._window_targets = inputs

    def rows(self, epoch: int, block: Block) -> tuple[Tensor, Tensor]:
        """Inputs and targets of one block of one epoch."""
        if epoch != self._epoch:
            self._epoch, self._rows = epoch, self.order(epoch)
            self._start = self._stop = 0
        if self._rows is None:
            rows = slice(block.start, block.stop)
            return self.inputs[rows], self.targets[rows]
        if not (self._start <= block.start and block.stop <= self._stop):
            self._gather(block.start)
        rows = slice(block.start - self._start, block.stop - self._start)
        return self._window_inputs[rows], self._window_targets[rows]

    def _gather(self, start: int) -> None:
        assert self._rows is not None
        self._start, self._stop = start, min(start + self.window, len(self._rows))
        rows = self._rows[self._start : self._stop].to(self.inputs.device)
        self._window_inputs = self.inputs.index_select(0, rows)
        self._window_targets = self.targets.index_select(0, rows)
