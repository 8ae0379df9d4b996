"""Where images lie: all in memory, in as few bytes as their files have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

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
