"""Random streams: one per purpose, each a pure function of the run's seed and the stream's name.

Because no stream continues another's numbers, changing the batch size changes neither the data nor
the initial weights, and the order of epoch k can be had without walking epochs 0 to k-1.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Order = Callable[[int], Tensor | None]
"""Epoch -> its rows one after the other, (samples,) int64; None for the data's own order."""
ROW_NUMBERS = 1 << 17
"""How many row numbers ``Orders`` holds, about: the orders of several short epochs."""


def derive(seed: int, *name: str | int) -> int:
    """A 63-bit seed from the run's seed and a name: the head of SHA-256 of both."""
    text = "/".join(map(str, (seed, *name)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, *name: str | int) -> torch.Generator:
    """A generator at the start of the named stream."""
    return torch.Generator().manual_seed(derive(seed, *name))


def shuffled(samples: int, generator_of: Callable[[int], torch.Generator]) -> Order:
    """A fresh random order each epoch, a pure function of the epoch through its generator."""
    return lambda epoch: torch.randperm(samples, generator=generator_of(epoch))


def drawn(samples: int, generator_of: Callable[[int], torch.Generator]) -> Order:
    """As many independent draws (with replacement) each epoch as there are samples."""
    return lambda epoch: torch.randint(samples, (samples,), generator=generator_of(epoch))


def in_place(_: int) -> None:
    """The data's own order, every epoch."""


def remembered(order: Order, samples: int) -> Callable[[int], Tensor]:
    """Epoch -> its order (samples,) on the CPU; the latest two are kept, so that none is drawn for each block."""

    @functools.lru_cache(maxsize=2)
    def order_of(epoch: int) -> Tensor:
        rows = order(epoch)
        return torch.arange(samples) if rows is None else rows.cpu()

    return order_of


class Orders:
    """The orders of consecutive epochs as one array, for a compiled loop that calls no Python.

    They are drawn when they are first needed, and kept until an epoch beyond them is.
    """

    def __init__(self, order: Order, samples: int, updates_per_epoch: int) -> None:
        self.order, self.updates_per_epoch = order, updates_per_epoch
        self.in_place = order(0) is None
        self.capacity = max(1, ROW_NUMBERS // samples)
        self.first = self.count = 0
        shape = (0, 0) if self.in_place else (self.capacity, samples)
        self.rows = np.empty(shape, np.int64)

    def end_of_chunk(self, step: int) -> int:
        """The update up to which the orders fit into the array, counted from that of ``step``."""
        if self.in_place:
            return step + ROW_NUMBERS
        epoch = step // self.updates_per_epoch
        first = self.first if self.first <= epoch < self.first + self.capacity else epoch
        return (first + self.capacity) * self.updates_per_epoch

    def between(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """(epochs, samples) from the epoch of ``start`` on; (epochs, 0): in the data's order."""
        first = start // self.updates_per_epoch
        last = max(stop - 1, start) // self.updates_per_epoch
        if self.in_place:
            return np.empty((last - first + 1, 0), np.int64)
        if not self.first <= first < self.first + self.capacity:
            self.first, self.count = first, 0
        for epoch in range(self.first + self.count, last + 1):
            order = self.order(epoch)
            assert order is not None
            self.rows[epoch - self.first] = order.numpy()
            self.count += 1
        return self.rows[first - self.first : last + 1 - self.first]
