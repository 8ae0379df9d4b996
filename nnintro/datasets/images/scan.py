"""Read a folder once, all headers and then all pixels, for its format, classes and statistics."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnintro.config.datasets.images import MIB, ImagesDataset
from nnintro.datasets.images.files import Header, read_header, refuse
from nnintro.datasets.images.fitting import CHANNELS, MOST_VALUES, ImageFormat, check_size, fit_values, load_pair
from nnintro.datasets.images.folders import Pair
from nnintro.datasets.images.masks import IGNORED_CLASS, oriented, rules_of
from nnintro.datasets.images.store import Ahead, InMemory, OnDisk, Store
from nnintro.errors import ConfigError
from nnintro.objectives.losses import IGNORED

MOST_VALUES_WITHOUT_NAMES = 16
"""More of them are rather a mask that was blurred than classes."""
SMOOTH = 4
"""Times the pixels of a gray between 0 and 255 that 255 has in a mask whose grays look like smooth edges."""
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
    histogram, digest = Histogram(form.channels, 8 * images.itemsize), hashlib.sha256()
    counted, values = set(training.tolist()), _Values(dataset.classes is not None)
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


def _memory(
    pairs: int, form: ImageFormat, dataset: ImagesDataset
) -> tuple[NDArray[np.unsignedinteger], NDArray[np.uint8]]:
    """Empty images and class numbers, as many as there is room for."""
    channels, (height, width) = form.channels, form.size
    kind = np.dtype(np.uint8 if form.bits == 8 else np.uint16)
    bytes_each = height * width * (channels * kind.itemsize + 1)
    room = min(pairs, int(dataset.memory * MIB) // bytes_each)
    return np.empty((room, channels, height, width), kind), np.empty((room, height, width), "u1")


class _Values:
    """The values met in masks, numbered as they come: which there are is known only after all."""

    def __init__(self, named: bool) -> None:
        self.named, self.known, self.ignores = named, np.empty(0, np.int64), False

    def numbered(self, pair: Pair, values: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Values of one mask -> numbers in the order of first meeting, of what is ignored IGNORED_CLASS."""
        ignored = values == IGNORED
        some = bool(ignored.any())
        self.ignores |= some
        new = np.setdiff1d(values, self.known)
        self.known = np.concatenate([self.known, new[new != IGNORED]])
        jpeg = pair.mask.suffix.lower() in (".jpg", ".jpeg")
        most = MOST_VALUES - self.ignores if self.named else 2 if jpeg else MOST_VALUES_WITHOUT_NAMES
        if len(self.known) > most:
            hint = "" if self.named else f"; {_looks(values[~ignored])}"
            hint = "; JPEG blurs the values, save masks as PNG, or give dataset.threshold_mask: 128" if jpeg else hint
            raise refuse(pair.mask, f"at most {most} values in all masks", f"{len(self.known)}{hint}")
        if not len(self.known):
            return np.full(values.shape, IGNORED_CLASS, np.uint8)
        order = np.argsort(self.known)
        numbers = order[np.searchsorted(self.known, values, sorter=order).clip(max=len(order) - 1)]
        numbers = np.where(ignored, IGNORED_CLASS, numbers) if some else numbers
        return numbers.astype(np.uint8)


def _looks(values: NDArray[np.int64]) -> str:
    """What so many values in a mask are like, and the key for such masks."""
    counts = np.bincount(values)
    present = np.flatnonzero(counts)
    named = f"if they are classes, name them in dataset.classes, for up to {MOST_VALUES}"
    largest, between = counts[present[-1]], counts[present[1:-1]]
    # The last object is about as large as the others; the inside of all objects is larger than each gray of an edge.
    if largest >= between.sum() or (present[-1] == 255 and largest > SMOOTH * between.mean()):
        middle = (int(present.min()) + int(present.max()) + 1) // 2
        return f"they look like smooth edges, for which there is dataset.threshold_mask: {middle}; {named}"
    return f"they look like numbers of objects, for which there is dataset.instances: true; {named}"


def _classes(
    pairs: list[Pair], known: NDArray[np.int64], form: ImageFormat, dataset: ImagesDataset
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The values of the classes, rising, and their names."""
    values = sorted(known.tolist())
    if len(values) < 2:
        got = f"{values[0]} alone" if values else "what dataset.ignore names alone"
        raise refuse(pairs[0].mask.parent, "masks of at least two values", got)
    values = list(form.masks.values or values)
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

    def add(self, image: NDArray[np.unsignedinteger]) -> None:
        """Count the pixels of an image (channels, height, width)."""
        for number, channel in enumerate(image):
            self.counts[number] += np.bincount(channel.ravel(), minlength=self.counts.shape[1])

    def statistics(self) -> Statistics:
        rows = torch.tensor([_moments(counts) for counts in self.counts], dtype=torch.float64)
        low, high, mean, scale = rows.T / (self.counts.shape[1] - 1)
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
