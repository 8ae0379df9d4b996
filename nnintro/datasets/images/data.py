"""Images with their masks as samples: in memory or on disk, augmented while training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from nnintro.datasets.images.augmentation import moved, moves
from nnintro.datasets.images.store import Rows, Store

Order = Callable[[int], Tensor | None]
"""Epoch -> the order of its rows, (n,) int64; None for the data's own."""


class Span(Protocol):
    """Places ``start`` to ``stop`` of an epoch's order."""

    @property
    def start(self) -> int: ...

    @property
    def stop(self) -> int: ...


CPU = torch.device("cpu")


@dataclass(frozen=True)
class ImageData:
    """Samples: images and the classes of their pixels.

    Inputs are (b, channels, height, width) in raw units: files of 8 or 16 bits in [0, 1], value by
    largest value; made-up images in their generator's units. Targets of two classes are
    (b, 1, height, width) zeros and ones of the inputs' type, of more (b, height, width) class
    numbers, int64.
    """

    store: Store
    numbers: Tensor
    """(n,) rows of the store."""
    largest: float
    """What a stored number is divided by."""
    classes: int
    augmentation: tuple[str, ...] = ()
    """What ``batches`` does: flip, rotate, crop."""
    device: torch.device = CPU
    dtype: torch.dtype = torch.float64

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an input."""
        return self.store.shape

    def take(self, rows: Tensor) -> ImageData:
        """A part of the rows, by their numbers."""
        return replace(self, numbers=self.numbers[rows.cpu()])

    def to(self, device: torch.device, dtype: torch.dtype) -> ImageData:
        """The same rows, delivered on this device in this type; what is in memory moves there."""
        return replace(self, store=self.store.to(device), device=device, dtype=dtype)

    def rows(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets of these rows, as they are."""
        return self._delivered(self.store.rows(self.numbers[indices.cpu()]))

    def fingerprint(self) -> str:
        """SHA-256 of the rows' numbers and of all that the store holds."""
        found = hashlib.sha256(self.numbers.numpy().data)
        found.update(self.store.contents().encode())
        return found.hexdigest()

    def blocks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in order, ``size`` at a time, as they are."""
        walk = self.store.walk(lambda _: self.numbers, size)
        try:
            for start in range(0, len(self), size):
                yield self._delivered(walk.take(0, start, min(start + size, len(self))))
        finally:
            walk.close()

    def batches(self, order: Order, block: int, seed_of: Callable[[int], int]) -> ImageBatches:
        """For training.

        Args:
            order: epoch -> its order of rows.
            block: about how many rows are asked for at a time.
            seed_of: epoch -> the seed of what is done to images in it.
        """
        return ImageBatches(self, order, block, seed_of)

    def _delivered(self, rows: Rows) -> tuple[Tensor, Tensor]:
        images, labels = (part.to(self.device) for part in rows)
        # One pass changes type and layout: convolutions on a CPU are faster with channels last.
        layout = torch.channels_last if self.device.type == "cpu" else torch.preserve_format
        inputs = images.to(self.dtype, memory_format=layout)
        if self.largest != 1:  # whole numbers, of which ``inputs`` is a copy
            inputs /= self.largest
        if self.classes == 2:
            return inputs, labels[:, None].to(self.dtype)
        return inputs, labels.long()


class ImageBatches:
    """The rows of each epoch in its order, augmented.

    What is done to a row follows from the epoch's seed and the row's number: neither the size of
    blocks nor a resumed run changes it. Images that lie on disk are read ahead in the background.
    """

    def __init__(
        self, data: ImageData, order: Order, block: int, seed_of: Callable[[int], int]
    ) -> None:
        self.data = data
        self._seed_of = seed_of
        self._order = _Latest(order, len(data))
        # The walk must not know this object: when it is dropped, so is the walk, and its threads.
        numbers, rows_of = data.numbers, self._order
        self._walk = data.store.walk(lambda epoch: numbers[rows_of(epoch)], block)

    def rows(self, epoch: int, block: Span) -> tuple[Tensor, Tensor]:
        """Inputs and targets of one block of one epoch.

        Raises:
            DataError: a file that lies in this block can no longer be read.
        """
        images, labels = self._walk.take(epoch, block.start, block.stop)
        if self.data.augmentation:
            numbers = self._order(epoch)[block.start : block.stop]
            _, height, width = self.data.shape
            to = moves(self.data.augmentation, self._seed_of(epoch), numbers, height, width)
            images, labels = moved(images, to), moved(labels, to)
        return self.data._delivered((images, labels))

    def close(self) -> None:
        """End the background threads, if any; so does dropping the object."""
        self._walk.close()


class _Latest:
    """The orders of the latest two epochs, so that none is drawn for each block."""

    def __init__(self, order: Order, rows: int) -> None:
        self._draw = order
        self._rows = rows
        self._known: dict[int, Tensor] = {}

    def __call__(self, epoch: int) -> Tensor:
        if epoch not in self._known:
            drawn = self._draw(epoch)
            order = torch.arange(self._rows) if drawn is None else drawn.cpu()
            latest = list(self._known.items())[-1:]
            self._known = dict([*latest, (epoch, order)])
        return self._known[epoch]
