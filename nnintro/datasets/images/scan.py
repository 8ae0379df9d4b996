"""The first look at a folder: all headers, then all pixels once, for what is known only of all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images.files import Format, Pair
from nnintro.datasets.images.fitting import check_size, fit_values, load_pair, sized
from nnintro.datasets.images.reading import Header, header_of, place, refuse
from nnintro.datasets.images.statistics import Histogram, Statistics
from nnintro.datasets.images.store import Ahead, InMemory, OnDisk, Store
from nnintro.errors import ConfigError, DataError

MOST_VALUES = 256


MOST_VALUES_WITHOUT_NAMES = 16
"""More of them are rather a mask that was blurred than so many classes."""


AHEAD = 8


MIB = 1 << 20


NAMES = {1: "gray", 3: "RGB"}


def form_of(pairs: list[Pair], dataset: ImagesDataset) -> Format:
    """What all samples will be like, from the files' headers; the masks' values are not known yet.

    Raises:
        DataError: a file is no image, or they do not agree with each other.
    """
    headers = [header_of(pair.image) for pair in pairs]
    first = headers[0]
    wanted = {"auto": first.channels, "gray": 1, "rgb": 3}[dataset.channels]
    form = Format(
        size=(dataset.size[0], dataset.size[1]) if dataset.size else first.size,
        fit=dataset.fit if dataset.size else None,
        channels=wanted,
        convert=dataset.channels != "auto",
        bits=first.bits,
        values=(),
        classes=(),
        threshold=dataset.threshold,
        point_radius=dataset.point_radius,
    )
    for pair, header in zip(pairs, headers, strict=True):
        _require_alike(pair, header, first, form)
        _require_same_size(pair, header, header_of(pair.mask))
        check_size(pair.image, header.size, form)
    return form


def _require_alike(pair: Pair, header: Header, first: Header, form: Format) -> None:
    if header.bits != first.bits:
        raise refuse(pair.image, f"{first.bits} bits as the first image has", header.bits)
    if not form.convert and header.channels != first.channels:
        hint = "dataset.channels: gray or rgb makes all alike"
        got = f"{NAMES[header.channels]}; {hint}"
        raise refuse(pair.image, f"{NAMES[first.channels]} as the first image is", got)


def _require_same_size(pair: Pair, image: Header, mask: Header) -> None:
    if image.size == mask.size:
        return
    turned = image.turned and mask.size == image.size[::-1]
    why = ", the size before EXIF turns the image; turn the mask too" if turned else ""
    raise refuse(pair.mask, f"{sized(image.size)} as its image has", f"{sized(mask.size)}{why}")


@dataclass
class _Values:
    """The values met in masks, numbered as they come."""

    most: int
    named: bool
    known: NDArray[np.int64]

    def numbered(self, pair: Pair, values: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Values of one mask -> numbers in the order of first meeting."""
        self.known = np.concatenate([self.known, np.setdiff1d(values, self.known)])
        jpeg = pair.mask.suffix.lower() in (".jpg", ".jpeg")
        most = 2 if jpeg and not self.named else self.most
        if len(self.known) > most:
            raise self._too_many(pair, most, jpeg)
        order = np.argsort(self.known)
        found = order[np.searchsorted(self.known, values, sorter=order)]
        return found.astype(np.uint8)

    def _too_many(self, pair: Pair, most: int, jpeg: bool) -> DataError:
        got = str(len(self.known))
        if jpeg:
            got = f"{got}; JPEG blurs the values, save masks as PNG"
        elif not self.named:
            got = f"{got}; name them in dataset.classes, for up to {MOST_VALUES}"
        return refuse(pair.mask, f"at most {most} values in all masks", got)


def look(
    pairs: list[Pair], form: Format, dataset: ImagesDataset, training: Tensor
) -> tuple[Store, Format, Statistics]:
    """Read all pixels once: the masks' values, the statistics of the images to train with.

    As many samples as ``dataset.memory`` has room for stay in memory.

    Raises:
        DataError: a file cannot be read, or the masks' values are no classes.
        ConfigError: the names of the classes are not as many as the values.
    """
    channels, (height, width) = form.channels, form.size
    assert form.bits is not None
    bytes_each = height * width * (channels * form.bits // 8 + 1)
    room = min(len(pairs), int(dataset.memory * MIB) // bytes_each)
    kind = np.uint8 if form.bits == 8 else np.uint16
    images = np.empty((room, channels, height, width), kind)
    numbers = np.empty((room, height, width), np.uint8)
    histogram = Histogram(channels, form.bits)
    counted = set(training.tolist())
    named = dataset.classes is not None
    most = MOST_VALUES if named else MOST_VALUES_WITHOUT_NAMES
    values = _Values(most, named, np.empty(0, np.int64))
    contents = hashlib.sha256()

    reader = Ahead(
        lambda row: load_pair(pairs[row], form), lambda _: torch.arange(len(pairs)), AHEAD
    )
    try:
        for row, pair in enumerate(pairs):
            ((image, mask),) = reader.rows(0, row, row + 1)
            found = values.numbered(pair, mask)
            contents.update(np.ascontiguousarray(image).data)
            contents.update(np.ascontiguousarray(mask).data)
            if row in counted:
                histogram.add(image)
            if row < room:
                images[row], numbers[row] = image, fit_values(found, form)
    finally:
        reader.close()
    classes, names = _classes(pairs, values.known, dataset)
    form = replace(form, values=classes, classes=names)
    rank = np.argsort(np.argsort(values.known)).astype(np.uint8)
    known = contents.hexdigest()
    kept = InMemory(torch.from_numpy(images), torch.from_numpy(rank[numbers]), known)
    store = kept if room == len(pairs) else OnDisk(tuple(pairs), form, kept, known)
    return store, form, histogram.statistics()


def _classes(
    pairs: list[Pair], known: NDArray[np.int64], dataset: ImagesDataset
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The values of the classes, rising, and their names."""
    values = sorted(known.tolist())
    if len(values) < 2:
        folder = place(pairs[0].mask.parent)
        raise DataError(f"{folder}: expected masks of at least two values, got {values[0]} alone")
    names = dataset.classes or [str(value) for value in values]
    if len(names) != len(values):
        shown = ", ".join(map(str, values[:8])) + (", ..." if len(values) > 8 else "")
        message = f"expected {len(values)} names, one for each value of the masks ({shown})"
        raise ConfigError.at("dataset.classes", f"{message}, got {len(names)}")
    if len(values) > 2 and dataset.point_radius is not None:
        message = f"points need masks of two values, got {len(values)}"
        raise ConfigError.at("dataset.point_radius", message)
    return tuple(values), tuple(names)
