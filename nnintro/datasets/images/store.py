"""Where images lie: all in memory, in as few bytes as their files have."""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from nnintro.datasets.images.files import Format, Pair
from nnintro.datasets.images.fitting import fit_values, load_pair
from nnintro.datasets.images.reading import Pixels, refuse

Rows = tuple[Tensor, Tensor]
"""Images (b, channels, height, width), uint8, uint16 or float32, and class numbers
(b, height, width), uint8."""


class Store(Protocol):
    """Images and masks by row number."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        ...

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> Store:
        """The same rows, delivered on this device."""
        ...

    def rows(self, rows: Tensor) -> Rows: ...

    def contents(self) -> str:
        """SHA-256 of all images and masks as they were when they were looked at."""
        ...

    def walk(self, order: Callable[[int], Tensor], block: int) -> Walk:
        """For rows in an order that is known beforehand, ``block`` at a time or so."""
        ...


class Walk(Protocol):
    """Rows in an order known beforehand, epoch after epoch."""

    def take(self, epoch: int, start: int, stop: int) -> Rows:
        """Rows at places ``start`` to ``stop`` of the epoch's order."""
        ...

    def close(self) -> None:
        """Give back what was read ahead, and end the threads that did so."""
        ...


@dataclass(frozen=True)
class InMemory:
    """Images (n, channels, height, width) and class numbers (n, height, width)."""

    images: Tensor
    labels: Tensor
    known: str = ""
    """Their SHA-256, where it was taken of the files that they come from."""

    @property
    def shape(self) -> tuple[int, int, int]:
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> InMemory:
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def rows(self, rows: Tensor) -> Rows:
        rows = rows.to(self.images.device)
        return self.images.index_select(0, rows), self.labels.index_select(0, rows)

    def contents(self) -> str:
        if self.known:
            return self.known
        found = hashlib.sha256()
        for part in (self.images, self.labels):
            found.update(part.cpu().contiguous().numpy().data)
        return found.hexdigest()

    def walk(self, order: Callable[[int], Tensor], block: int) -> Walk:  # noqa: ARG002
        return _Gather(self, order)


@dataclass
class _Gather:
    """Nothing is read ahead: memory is fast enough."""

    store: InMemory
    order: Callable[[int], Tensor]

    def take(self, epoch: int, start: int, stop: int) -> Rows:
        return self.store.rows(self.order(epoch)[start:stop])

    def close(self) -> None:
        """Nothing to give back."""


Sample = tuple[Pixels, Pixels]
"""An image (channels, height, width) and its class numbers (height, width)."""


@dataclass(frozen=True)
class OnDisk:
    """Pairs of files; the first ``len(kept)`` are in memory, the others are decoded anew."""

    pairs: tuple[Pair, ...]
    form: Format
    kept: InMemory
    known: str = ""
    """SHA-256 of all of them when they were looked at; empty where they were not."""

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.kept.shape

    def __len__(self) -> int:
        return len(self.pairs)

    def to(self, device: torch.device) -> OnDisk:  # noqa: ARG002
        """As it is: rows go to a device when they are delivered."""
        return self

    def rows(self, rows: Tensor) -> Rows:
        return _stacked([self.read(row) for row in rows.tolist()])

    def contents(self) -> str:
        return self.known

    def walk(self, order: Callable[[int], Tensor], block: int) -> DiskWalk:
        return DiskWalk(Ahead(self.read, order, block))

    def read(self, row: int) -> Sample:
        """One row.

        Raises:
            DataError: its files have changed since they were looked at.
        """
        if row < len(self.kept):
            return self.kept.images[row].numpy(), self.kept.labels[row].numpy()
        pair = self.pairs[row]
        image, values = load_pair(pair, self.form)
        classes = np.array(self.form.values)
        numbers = np.searchsorted(classes, values).clip(max=len(classes) - 1)
        new = values[classes[numbers] != values]
        if len(new):
            wanted = "the values that masks had when they were looked at"
            raise refuse(pair.mask, wanted, f"{new[0]} too")
        return image, fit_values(numbers.astype(np.uint8), self.form)


@dataclass
class DiskWalk:
    """Rows in an order known beforehand, decoded in the background."""

    reader: Ahead[Sample]

    def take(self, epoch: int, start: int, stop: int) -> Rows:
        return _stacked(self.reader.rows(epoch, start, stop))

    def close(self) -> None:
        self.reader.close()


def _stacked(samples: list[Sample]) -> Rows:
    images, labels = zip(*samples, strict=True)
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))


Row = TypeVar("Row")

MOST_THREADS = 4

Place = tuple[int, int]
"""Epoch, and place in its order."""


class Ahead(Generic[Row]):
    """Rows in an order known beforehand: those asked for, and as many of the next as there is room.

    The order of every epoch is known, so the first rows of the next are read while the last of
    this one are used. Rows asked for out of turn (a resumed run begins in the middle) are read
    then. An error in a row is raised when that row is asked for, and not before.

    Args:
        read: a row by its number, in any thread.
        order: epoch -> its rows, (n,); called in the caller's thread.
        ahead: how many rows to read before they are asked for.
    """

    def __init__(
        self, read: Callable[[int], Row], order: Callable[[int], Tensor], ahead: int
    ) -> None:
        self._read = read
        self._order = order
        self._ahead = ahead
        self._pending: dict[Place, Future[Row]] = {}
        threads = min(MOST_THREADS, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="images")
        # Threads know the pool and the reader alone, so that dropping this object ends them.
        self._end = weakref.finalize(self, _end, self._pool)

    def rows(self, epoch: int, start: int, stop: int) -> list[Row]:
        """Rows at places ``start`` to ``stop`` of the epoch's order."""
        asked = [(epoch, place) for place in range(start, stop)]
        self._submit([*asked, *self._following(epoch, stop)])
        return [self._pending.pop(place).result() for place in asked]

    def close(self) -> None:
        """Forget what was read ahead, and wait for the threads to end."""
        self._pending.clear()
        self._end.detach()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _following(self, epoch: int, start: int) -> Iterable[Place]:
        length = len(self._order(epoch))
        here = range(start, min(start + self._ahead, length))
        # No more than one epoch ahead: an order may be costly to draw.
        rest = min(self._ahead - len(here), length) if start + self._ahead > length else 0
        return [*((epoch, place) for place in here), *((epoch + 1, k) for k in range(rest))]

    def _submit(self, places: list[Place]) -> None:
        """Have these read, and nothing else."""
        wanted = dict.fromkeys(places)
        for place in [place for place in self._pending if place not in wanted]:
            self._pending.pop(place).cancel()
        for place in wanted:
            if place not in self._pending:
                epoch, number = place
                row = int(self._order(epoch)[number])
                self._pending[place] = self._pool.submit(self._read, row)


def _end(pool: ThreadPoolExecutor) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
