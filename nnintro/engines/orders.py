"""The orders of many short epochs at once, for an engine that walks them without asking."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nnintro.descent.variants import Order, Plan

ENTRIES = 1 << 17
"""Row numbers that the orders of several short epochs are collected to."""


class Orders:
    """The orders of consecutive epochs, drawn when they are needed and kept while they are."""

    def __init__(self, order: Order, plan: Plan) -> None:
        self.order, self.plan = order, plan
        self.in_place = order(0) is None
        self.capacity = max(1, ENTRIES // plan.samples)
        self.first = self.count = 0
        rows = (0, 0) if self.in_place else (self.capacity, plan.samples)
        self.rows = np.empty(rows, np.int64)

    def last_of_chunk(self, step: int) -> int:
        """The update up to which the orders fit, counted from that of ``step``."""
        epoch = step // self.plan.updates_per_epoch
        if self.in_place:
            return step + ENTRIES
        first = self.first if self.first <= epoch < self.first + self.capacity else epoch
        return (first + self.capacity) * self.plan.updates_per_epoch

    def of(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """(epochs, samples) from the epoch of ``start`` on; (epochs, 0): in the data's order."""
        per_epoch = self.plan.updates_per_epoch
        first, last = start // per_epoch, max(stop - 1, start) // per_epoch
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
