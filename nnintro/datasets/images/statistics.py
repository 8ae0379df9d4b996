"""Mean, deviation and ranges of images, gathered over all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnintro.datasets.images.store import InMemory

ROWS_AT_A_TIME = 64


@dataclass(frozen=True)
class Statistics:
    """(channels,) float64 each, in raw units; ``scale`` is the deviation, 1 of a constant."""

    low: Tensor
    high: Tensor
    mean: Tensor
    scale: Tensor


class Histogram:
    """Counts of every value of 8- or 16-bit pixels, channel by channel.

    Whole numbers: in whatever order images come, mean and deviation are the same to the last bit.
    """

    def __init__(self, channels: int, bits: int) -> None:
        self.counts = np.zeros((channels, 2**bits), dtype=np.int64)
        self.largest = 2**bits - 1

    def add(self, image: NDArray[np.unsignedinteger]) -> None:
        """Count the pixels of an image (channels, height, width)."""
        for number, channel in enumerate(image):
            self.counts[number] += np.bincount(channel.reshape(-1), minlength=self.largest + 1)

    def statistics(self) -> Statistics:
        values = np.arange(self.largest + 1)
        rows = [_moments(counts, values) for counts in self.counts.tolist()]
        low, high, mean, scale = torch.tensor(rows, dtype=torch.float64).T / self.largest
        return Statistics(low, high, mean, torch.where(high > low, scale, 1.0))


def _moments(counts: list[int], values: NDArray[np.int64]) -> tuple[int, int, float, float]:
    """Smallest and largest value, mean and deviation, from exact sums."""
    pairs = zip(counts, values.tolist(), strict=True)
    present = [(count, value) for count, value in pairs if count]
    pixels = sum(count for count, _ in present)
    total = sum(count * value for count, value in present)
    squares = sum(count * value**2 for count, value in present)
    variance = (pixels * squares - total**2) / pixels**2
    return present[0][1], present[-1][1], total / pixels, math.sqrt(variance)


def statistics_of(store: InMemory, rows: Tensor) -> Statistics:
    """Of these rows of images in memory."""
    if store.images.dtype == torch.uint8:
        histogram = Histogram(store.shape[0], 8)
        for row in rows.tolist():
            histogram.add(store.images[row].numpy())
        return histogram.statistics()
    return _of_numbers(store.images, rows)


def _of_numbers(images: Tensor, rows: Tensor) -> Statistics:
    """Of images of floating point numbers: the mean first, then squares about it."""
    # The rows of each block, taken out and widened one block at a time.
    starts = range(0, len(rows), ROWS_AT_A_TIME)
    blocks = [rows[start : start + ROWS_AT_A_TIME] for start in starts]
    pixels = len(rows) * images.shape[2] * images.shape[3]
    totals = [images[block].double().sum((0, 2, 3)) for block in blocks]
    mean = (torch.stack(totals).sum(0) / pixels)[:, None, None]
    squares = [(images[block].double() - mean).square().sum((0, 2, 3)) for block in blocks]
    low = torch.stack([images[block].amin((0, 2, 3)) for block in blocks]).amin(0).double()
    high = torch.stack([images[block].amax((0, 2, 3)) for block in blocks]).amax(0).double()
    scale = (torch.stack(squares).sum(0) / pixels).sqrt()
    return Statistics(low, high, mean[:, 0, 0], torch.where(high > low, scale, 1.0))
