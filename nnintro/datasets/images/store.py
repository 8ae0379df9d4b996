"""Images kept in memory, in as few bytes as their files have, or read from their files ahead of use."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnintro.datasets.images.files import Pixels, refuse
from nnintro.datasets.images.fitting import ImageFormat, fit_values, load_pair
from nnintro.datasets.images.folders import Pair
from nnintro.datasets.images.masks import IGNORED_CLASS
from nnintro.objectives.losses import IGNORED

LabelledImages = tuple[Tensor, Tensor]
"""Images (b, channels, height, width), uint8, uint16 or float32, and class numbers
(b, height, width), uint8."""
Sample = tuple[Pixels, NDArray[Any]]
"""An image (channels, height, width) and its class numbers (height, width)."""


@dataclass(frozen=True)
class InMemory:
    """Images (n, channels, height, width) and class numbers (n, height, width)."""

    images: Tensor
    labels: Tensor
    sha256: str = ""
    """Of all of them, as their files have them or as they were generated."""

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> InMemory:
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def rows(self, rows: Tensor) -> LabelledImages:
        """Images and class numbers of these rows, on the device that they are on."""
        rows = rows.to(self.images.device)
        return self.images.index_select(0, rows), self.labels.index_select(0, rows)


NOTHING = InMemory(torch.empty(0, 0, 0, 0), torch.empty(0, 0, 0))


@dataclass(frozen=True)
class OnDisk:
    """Pairs of files; the first ``len(kept)`` are in memory, the others are decoded anew."""

    pairs: tuple[Pair, ...]
    form: ImageFormat
    kept: InMemory = NOTHING
    sha256: str = ""
    """Of all of them as they were when the folder was scanned; empty where it was not."""

    def __len__(self) -> int:
        return len(self.pairs)

    def to(self, device: torch.device) -> OnDisk:  # noqa: ARG002
        """As it is: rows go to a device when they are delivered."""
        return self

    def rows(self, rows: Tensor) -> LabelledImages:
        """Images and class numbers of these rows."""
        return stacked([self.read(row) for row in rows.tolist()])

    def read(self, row: int) -> Sample:
        """One row.

        Raises:
            DataError: its files have changed since the folder was scanned.
        """
        if row < len(self.kept):
            return self.kept.images[row].numpy(), self.kept.labels[row].numpy()
        pair = self.pairs[row]
        image, values = load_pair(pair, self.form)
        classes = np.array(self.form.values)
        numbers = np.searchsorted(classes, values).clip(max=len(classes) - 1)
        ignored = values == IGNORED
        new = values[(classes[numbers] != values) & ~ignored]
        if len(new):
            raise refuse(pair.mask, "the values found in the masks when the folder was scanned", f"{new[0]} too")
        numbers = np.where(ignored, IGNORED_CLASS, numbers)
        return image, fit_values(numbers.astype(np.uint8), self.form)


Store = InMemory | OnDisk


def stacked(samples: list[Sample]) -> LabelledImages:
    images, labels = zip(*samples, strict=True)
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))


MOST_THREADS = 4
Place = tuple[int, int]
"""Epoch, and place in its order."""


class Ahead:
    """Rows in an order known beforehand: those asked for, and as many of the next as there is room.

    The order of every epoch is known, so the first rows of the next are read while the last of
    this one are used. Rows asked for out of turn (a resumed run begins in the middle) are read
    then. An error in a row is raised when that row is asked for, and not before.

    Threads suffice, without processes: Pillow releases the GIL while it decodes.

    Args:
        read: a row by its number, in any thread.
        order: epoch -> its rows, (n,); called in the caller's thread.
        ahead: how many rows to read before they are asked for.
    """

    def __init__(self, read: Callable[[int], Sample], order: Callable[[int], Tensor], ahead: int) -> None:
        self._read = read
        self._order = order
        self._ahead = ahead
        self._pending: dict[Place, Future[Sample]] = {}
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="images")
        # Threads know the pool and the reader alone, so that dropping this object ends them.
        self._end = weakref.finalize(self, self._pool.shutdown, wait=False, cancel_futures=True)

    def rows(self, epoch: int, start: int, stop: int) -> list[Sample]:
        """Rows at places ``start`` to ``stop`` of the epoch's order."""
        self._submit(self._places(epoch, start, stop - start + self._ahead))
        return [self._pending.pop((epoch, place)).result() for place in range(start, stop)]

    def close(self) -> None:
        """Forget what was read ahead, and wait for the threads to end."""
        self._pending.clear()
        self._end.detach()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _places(self, epoch: int, start: int, count: int) -> list[Place]:
        """So many places from one on, those of the next epoch behind those of this one."""
        length = len(self._order(epoch))
        here = range(start, min(start + count, length))
        # No more than one epoch ahead: an order may be costly to draw.
        rest = range(min(count - len(here), length))
        return [*((epoch, place) for place in here), *((epoch + 1, place) for place in rest)]

    def _submit(self, places: list[Place]) -> None:
        """Have these read in the background, and cancel what else is waiting."""
        for place in self._pending.keys() - set(places):
            self._pending.pop(place).cancel()
        for place in places:
            if place not in self._pending:
                epoch, number = place
                row = int(self._order(epoch)[number])
                self._pending[place] = self._pool.submit(self._read, row)
