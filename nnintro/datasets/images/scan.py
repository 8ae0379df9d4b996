"""Read a folder once, all headers and then all pixels, for its format, classes and statistics."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnintro.config.datasets.images import MIB, ImagesDataset
from nnintro.datasets.images.files import Header, Pixels, read_header, refuse
from nnintro.datasets.images.fitting import CHANNELS, ImageFormat, check_size, fit_values, load_pair
from nnintro.datasets.images.folders import Pair
from nnintro.datasets.images.masks import IGNORED_CLASS, oriented, rules_of
from nnintro.datasets.images.met import ValuesMet
from nnintro.datasets.images.store import Ahead, InMemory, OnDisk, Store
from nnintro.errors import ConfigError

LARGEST_VALUE = (1 << 16) - 1
"""Of a class in a mask, which is predicted in a PNG."""
AHEAD = 8
"""Pairs decoded in the background before they are asked for."""
ROWS_AT_A_TIME = 64


def form_of(pairs: list[Pair], dataset: ImagesDataset) -> tuple[ImageFormat, list[Pair]]:
    """What all samples will be like, from the files' headers; the masks' values are not known yet.

    The pairs have the turn that each mask needs.

    Raises:
        DataError: a file is not an image, or they do not agree with each other.
    """
    # All headers before any pixel: a folder that does not agree is refused within a moment.
    headers = [read_header(pair.image, pair.page) for pair in pairs]
    first = headers[0]
    form = ImageFormat(
        size=(dataset.size[0], dataset.size[1]) if dataset.size else first.size,
        fit=dataset.fit if dataset.size else None,
        channels={"auto": first.channels, "gray": 1, "rgb": 3}[dataset.channels],
        convert=dataset.channels != "auto",
        bits=first.bits,
        values=(),
        classes=(),
        threshold=dataset.threshold,
        point_radius=dataset.point_radius,
        masks=rules_of(dataset, objects=any(pair.mask.is_dir() for pair in pairs)),
    )
    turned = []
    for pair, header in zip(pairs, headers, strict=True):
        _require_alike(pair, header, first, form)
        turned.append(oriented(pair, header, form.masks))
        check_size(pair.image, header.size, form)
    return form, turned


def _require_alike(pair: Pair, header: Header, first: Header, form: ImageFormat) -> None:
    if header.bits != first.bits:
        raise refuse(pair.image, f"{first.bits} bits as the first image has", header.bits)
    if not form.convert and header.channels != first.channels:
        got = f"{CHANNELS[header.channels]}; dataset.channels: gray or rgb makes all alike"
        raise refuse(pair.image, f"{CHANNELS[first.channels]} as the first image is", got)


def scan(
    pairs: list[Pair], form: ImageFormat, dataset: ImagesDataset, training: Tensor
) -> tuple[Store, ImageFormat, Statistics, NDArray[np.int64]]:
    """Read all pixels once: the masks' values, the statistics of the images to train with, the pixels of each class
    in their masks.

    As many samples as ``dataset.memory`` has room for stay in memory.

    Raises:
        DataError: a file cannot be read, or the masks' values are not classes.
        ConfigError: the names of the classes are not as many as the values.
    """
    images, labels = _memory(len(pairs), form, dataset)
    histogram: Histogram | Moments = Moments() if form.bits == 32 else Histogram(form.channels, 8 * images.itemsize)
    digest = hashlib.sha256()
    counted, values = set(training.tolist()), ValuesMet(dataset.classes is not None, own=form.masks.values is None)
    pixels = np.zeros(IGNORED_CLASS + 1, np.int64)  # by numbers in the order of first meeting
    ahead = Ahead(lambda row: load_pair(pairs[row], form), lambda _: torch.arange(len(pairs)), AHEAD)
    with contextlib.closing(ahead):
        for row, pair in enumerate(pairs):
            ((image, mask),) = ahead.rows(0, row, row + 1)
            numbers = values.numbered(pair, mask)
            for part in (image, mask):
                digest.update(np.ascontiguousarray(part).data)
            numbers = fit_values(numbers, form)
            if row in counted:
                histogram.add(image)
                pixels += np.bincount(numbers.ravel(), minlength=len(pixels))
            if row < len(images):
                images[row], labels[row] = image, numbers
    values.require_one_spelling()
    known, names = _classes(pairs, values.known, form, dataset)
    form = replace(form, values=known, classes=names)
    # From numbers in the order of first meeting to classes in the order of values.
    rank = np.full(IGNORED_CLASS + 1, IGNORED_CLASS, np.uint8)
    rank[: len(values.known)] = np.searchsorted(known, values.known)
    counts = np.zeros(len(known), np.int64)
    counts[rank[: len(values.known)]] = pixels[: len(values.known)]
    sha256 = digest.hexdigest()
    kept = InMemory(torch.from_numpy(images), torch.from_numpy(rank[labels]), sha256)
    store = kept if len(kept) == len(pairs) else OnDisk(tuple(pairs), form, kept, sha256)
    return store, form, histogram.statistics(), counts


def _memory(pairs: int, form: ImageFormat, dataset: ImagesDataset) -> tuple[Pixels, NDArray[np.uint8]]:
    """Empty images and class numbers, as many as there is room for."""
    channels, (height, width) = form.channels, form.size
    kind: np.dtype[Any] = np.dtype({8: np.uint8, 16: np.uint16, 32: np.float32}[form.bits or 16])
    bytes_each = height * width * (channels * kind.itemsize + 1)
    room = min(pairs, int(dataset.memory * MIB) // bytes_each)
    return np.empty((room, channels, height, width), kind), np.empty((room, height, width), "u1")


def _classes(
    pairs: list[Pair], known: NDArray[np.int64], form: ImageFormat, dataset: ImagesDataset
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The values of the classes, rising, and their names."""
    values = sorted(known.tolist())
    if len(values) < 2:
        got = f"{values[0]} alone" if values else "what dataset.ignore names alone"
        raise refuse(pairs[0].mask.parent, "masks of at least two values", got)
    values = list(form.masks.values or values)
    if values[-1] > LARGEST_VALUE:
        got = f"{values[-1]:,}; if they number objects, there is dataset.instances: true"
        raise refuse(pairs[0].mask.parent, f"values up to {LARGEST_VALUE:,} in masks", got)
    names = dataset.classes or list(dataset.colours or ()) or _usual_names(form, values)
    if len(names) != len(values):
        shown = ", ".join(map(str, values[:8])) + (", ..." if len(values) > 8 else "")
        message = f"expected {len(values)} names, one for each value of the masks ({shown})"
        raise ConfigError.at("dataset.classes", f"{message}, got {len(names)}")
    if len(values) > 2 and dataset.point_radius is not None:
        raise ConfigError.at("dataset.point_radius", f"points need masks of two values, got {len(values)}")
    return tuple(values), tuple(names)


def _usual_names(form: ImageFormat, values: list[int]) -> list[str]:
    if form.masks.instances != "no":
        return ["background", "object", "outline"][: len(values)]
    return [str(value) for value in values]


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

    def add(self, image: Pixels) -> None:
        """Count the pixels of an image (channels, height, width)."""
        for number, channel in enumerate(image):
            self.counts[number] += np.bincount(channel.ravel(), minlength=self.counts.shape[1])

    def statistics(self) -> Statistics:
        rows = torch.tensor([_moments(counts) for counts in self.counts], dtype=torch.float64)
        low, high, mean, scale = rows.T / (self.counts.shape[1] - 1)
        return Statistics(low, high, mean, torch.where(high > low, scale, 1.0))


class Moments:
    """Extremes, mean and deviation of floating point pixels, image by image (Chan, Golub and LeVeque, 1979)."""

    def __init__(self) -> None:
        self._count = 0
        self._low = self._high = self._mean = self._squares = np.empty(0)

    def add(self, image: Pixels) -> None:
        """Count in the pixels of an image (channels, height, width)."""
        rows = image.reshape(len(image), -1).astype(np.float64)
        mean, count, low, high = rows.mean(1), rows.shape[1], rows.min(1), rows.max(1)
        squares = np.square(rows - mean[:, None]).sum(1)
        if self._count:
            apart, share = mean - self._mean, count / (self._count + count)
            squares = self._squares + squares + np.square(apart) * self._count * share
            mean, low, high = self._mean + apart * share, np.minimum(low, self._low), np.maximum(high, self._high)
        self._mean, self._squares, self._low, self._high = mean, squares, low, high
        self._count += count

    def statistics(self) -> Statistics:
        deviation = np.sqrt(self._squares / self._count)
        low, high, mean, scale = map(torch.from_numpy, (self._low, self._high, self._mean, deviation))
        return Statistics(low, high, mean, torch.where(high > low, scale, 1.0))


def _moments(counts: NDArray[np.int64]) -> tuple[int, int, float, float]:
    """Smallest and largest value, mean and deviation, from exact sums: Python's whole numbers."""
    present = [(counts.item(value), value) for value in np.flatnonzero(counts).tolist()]
    pixels = sum(count for count, _ in present)
    total = sum(count * value for count, value in present)
    squares = sum(count * value**2 for count, value in present)
    variance = (pixels * squares - total**2) / pixels**2
    return present[0][1], present[-1][1], total / pixels, math.sqrt(variance)


def statistics_of(images: Tensor, rows: Tensor) -> Statistics:
    """Of these rows of images (n, channels, height, width); of floating point numbers in two passes."""
    if images.dtype == torch.uint8:
        histogram = Histogram(images.shape[1], 8)
        for row in rows.tolist():
            histogram.add(images[row].numpy())
        return histogram.statistics()

    # Some rows at a time are taken out and widened: all of them would double the memory.
    blocks = [rows[k : k + ROWS_AT_A_TIME] for k in range(0, len(rows), ROWS_AT_A_TIME)]

    def each(reduced: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.stack([reduced(images[block].double()) for block in blocks])

    axes, pixels = (0, 2, 3), len(rows) * images.shape[2] * images.shape[3]
    mean = (each(lambda x: x.sum(axes)).sum(0) / pixels)[:, None, None]
    squares = each(lambda x: (x - mean).square().sum(axes)).sum(0)
    low, high = each(lambda x: x.amin(axes)).amin(0), each(lambda x: x.amax(axes)).amax(0)
    scale = torch.where(high > low, (squares / pixels).sqrt(), 1.0)
    return Statistics(low, high, mean[:, 0, 0], scale)
