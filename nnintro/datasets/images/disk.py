"""Images that are read from their files when they are needed, but for those that memory has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nnintro.datasets.images.ahead import Ahead
from nnintro.datasets.images.fitting import fit_values, load_pair
from nnintro.datasets.images.folder import Pair
from nnintro.datasets.images.format import Format
from nnintro.datasets.images.reading import Pixels, refuse
from nnintro.datasets.images.store import InMemory, Rows

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
