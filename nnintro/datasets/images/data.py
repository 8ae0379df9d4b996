"""Images with their masks as samples: in memory or on disk, augmented while training."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nnintro.datasets.images.augmentation import moved, moves
from nnintro.datasets.images.masks import IGNORED_CLASS
from nnintro.datasets.images.store import Ahead, LabelledImages, OnDisk, Store, stacked
from nnintro.descent.streams import Order, remembered
from nnintro.descent.variants import Block
from nnintro.models.tiles import is_large
from nnintro.objectives.losses import IGNORED

CPU = torch.device("cpu")


@dataclass(frozen=True)
class ImageData:
    """Samples: images and the classes of their pixels.

    Inputs are (b, channels, height, width) in raw units: files of 8 or 16 bits in [0, 1], value by
    largest value; generated images in their generator's units. Targets of two classes are
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
    ignores: bool = False
    """Whether class number IGNORED_CLASS stands for a pixel that is ignored; its target is IGNORED."""

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of each image."""
        if isinstance(self.store, OnDisk):
            return self.store.form.size
        height, width = self.store.images.shape[-2:]
        return height, width

    def take(self, rows: Tensor) -> ImageData:
        """A part of the rows, by their numbers."""
        return replace(self, numbers=self.numbers[rows.cpu()])

    def to(self, device: torch.device, dtype: torch.dtype) -> ImageData:
        """The same rows, delivered on this device in this type; what is in memory moves there."""
        return replace(self, store=self.store.to(device), device=device, dtype=dtype)

    def rows(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets of these rows, as they are."""
        return self.delivered(self.store.rows(self.numbers[indices.cpu()]))

    def blocks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in order, ``size`` at a time, large images one by one; as they are."""
        size = 1 if is_large(*self.size) else size
        plain = replace(self, augmentation=())
        with contextlib.closing(plain.batches(lambda _: None, size, lambda _: 0)) as batches:
            for start in range(0, len(self), size):
                yield batches.rows(0, Block(start, min(start + size, len(self)), 1.0))

    def batches(self, order: Order, block: int, seed_of: Callable[[int], int]) -> ImageBatches:
        """For training; about ``block`` rows are asked for at a time, ``seed_of`` is as in ``Samples``."""
        return ImageBatches(self, order, block, seed_of)

    def delivered(self, rows: LabelledImages) -> tuple[Tensor, Tensor]:
        """Rows of the store as inputs and targets, on the device in the type of this data."""
        images, labels = (part.to(self.device) for part in rows)
        # One pass changes type and layout: convolutions on a CPU are faster with channels last
        # (docs/LOG.md, the full-size U-Net).
        layout = torch.channels_last if self.device.type == "cpu" else torch.preserve_format
        inputs = images.to(self.dtype, memory_format=layout)
        if self.largest != 1:  # whole numbers, of which ``inputs`` is a copy
            inputs /= self.largest
        targets = labels[:, None].to(self.dtype) if self.classes == 2 else labels.long()
        return inputs, targets.masked_fill_(targets == IGNORED_CLASS, IGNORED) if self.ignores else targets


class ImageBatches:
    """The rows of each epoch in its order, augmented.

    What is done to a row follows from the epoch's seed and the row's number: neither the size of
    blocks nor a resumed run changes it. Images that lie on disk are read ahead in the background.
    """

    def __init__(self, data: ImageData, order: Order, block: int, seed_of: Callable[[int], int]) -> None:
        self.data = data
        self._seed_of = seed_of
        self._order = remembered(order, len(data))
        self._ahead = None  # memory is fast enough
        if isinstance(data.store, OnDisk):
            # The reader must not know this object: when it is dropped, so are its threads.
            read, numbers = data.store.read, data.numbers
            self._ahead = Ahead(lambda row: read(int(numbers[row])), self._order, block)

    def rows(self, epoch: int, block: Block) -> tuple[Tensor, Tensor]:
        """Inputs and targets of one block of one epoch.

        Raises:
            DataError: a file that lies in this block can no longer be read.
        """
        numbers = self._order(epoch)[block.start : block.stop]
        if self._ahead is None:
            images, labels = self.data.store.rows(self.data.numbers[numbers])
        else:
            images, labels = stacked(self._ahead.rows(epoch, block.start, block.stop))
        if self.data.augmentation:
            size = labels.shape[1:]
            to = moves(self.data.augmentation, self._seed_of(epoch), numbers, *size)
            images, labels = moved(images, to), moved(labels, to)
        return self.data.delivered((images, labels))

    def close(self) -> None:
        """End the background threads, if any; so does dropping the object."""
        if self._ahead is not None:
            self._ahead.close()
