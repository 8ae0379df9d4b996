"""dataset kind ``images``: from the section to training and validation images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.section import held_out
from nnintro.config.task import DataFacts, Task
from nnintro.datasets.images.data import ImageData
from nnintro.datasets.images.files import Format, pairs_of
from nnintro.datasets.images.made import GENERATORS
from nnintro.datasets.images.reading import header_of, read_values
from nnintro.datasets.images.scan import form_of, look
from nnintro.datasets.images.statistics import Statistics, statistics_of
from nnintro.datasets.images.store import InMemory, OnDisk, Store
from nnintro.datasets.samples import Splits
from nnintro.models import Standardization

POINT_RADIUS_OF_A_SKY = 2.0


def build_images(
    dataset: ImagesDataset, data: torch.Generator, splitting: torch.Generator, _: torch.dtype
) -> Splits[ImageData]:
    """Make the images up, or read them, and split them at random.

    Raises:
        DataError: a file, or the folder, is not as it must be.
        ConfigError: the section asks for what the files do not have (names of classes, points).
    """
    if dataset.path is None:
        return _made(dataset, data, splitting)
    return _read(dataset, Path(dataset.path), data, splitting)


def _read(
    dataset: ImagesDataset, folder: Path, data: torch.Generator, splitting: torch.Generator
) -> Splits[ImageData]:
    pairs = pairs_of(folder)
    if dataset.samples is not None and dataset.samples < len(pairs):
        chosen = torch.randperm(len(pairs), generator=data)[: dataset.samples]
        pairs = [pairs[number] for number in chosen.sort().values.tolist()]
    rows = shares(len(pairs), dataset.validation, splitting)
    store, form, known = look(pairs, form_of(pairs, dataset), dataset, rows[0])
    return splits_of(dataset, store, form, rows, known, {})


def images_with_masks(folder: Path, description: Mapping[str, Any]) -> ImageData:
    """A folder's images with their masks, read as a run's own were.

    They may be of another size, all of one, where the run's were not brought to one.  Masks of
    zeros and ones, as made-up images have, may say 255 for one, as ``nnintro predict`` writes it.

    Args:
        description: what the run found (``DataFacts.description``).

    Raises:
        DataError: the folder, or a file in it, is not as the run's was.
    """
    form = Format.from_description(description)
    pairs = pairs_of(folder, least=1)
    headers = [header_of(pair.image) for pair in pairs]
    if form.fit is None or form.bits is None:  # files of a size of their own, or made up
        form = replace(form, size=headers[0].size, fit=None)
    if form.values == (0, 1) and any(read_values(pair.mask).max() == 255 for pair in pairs):
        form = replace(form, values=(0, 255))
    channels, (height, width) = form.channels, form.size
    nothing = InMemory(
        torch.empty(0, channels, height, width, dtype=torch.uint8),
        torch.empty(0, height, width, dtype=torch.uint8),
    )
    store = OnDisk(tuple(pairs), form, nothing)
    return ImageData(store, torch.arange(len(pairs)), form.largest, len(form.classes))


def _made(
    dataset: ImagesDataset, data: torch.Generator, splitting: torch.Generator
) -> Splits[ImageData]:
    assert dataset.generator is not None
    generator = GENERATORS[dataset.generator]
    made = generator.make(dataset, dataset.images, data)
    form = Format(
        size=dataset.pixels,
        fit=None,
        channels=1,
        convert=False,
        bits=8 if generator.units == "fraction" else None,
        values=(0, 1),
        classes=tuple(dataset.classes or generator.classes),
        threshold=dataset.threshold,
        point_radius=dataset.point_radius
        or (POINT_RADIUS_OF_A_SKY if dataset.generator == "sky" else None),
    )
    training, validation = shares(dataset.images, dataset.validation, splitting)
    facts: dict[str, object] = {"data": f"made up by the generator {dataset.generator}"}
    if dataset.generator == "sky":
        facts["signal_to_noise"] = dataset.signal_to_noise
    store = InMemory(made.images, made.masks)
    known = statistics_of(store, training)
    return splits_of(dataset, store, form, (training, validation), known, facts)


def shares(images: int, fraction: float, splitting: torch.Generator) -> tuple[Tensor, Tensor]:
    """Numbers of the images to train with and to validate with, in order; one each at least."""
    validating = torch.zeros(images, dtype=torch.bool)
    chosen = torch.randperm(images, generator=splitting)[: held_out(images, fraction)]
    validating[chosen] = True
    return (~validating).nonzero()[:, 0], validating.nonzero()[:, 0]


def splits_of(
    dataset: ImagesDataset,
    store: Store,
    form: Format,
    rows: tuple[Tensor, Tensor],
    known: Statistics,
    facts: dict[str, object],
) -> Splits[ImageData]:
    """Rows of a store as training and validation data, with what is known of them."""
    training, validation = rows
    count = len(form.classes)
    task = Task(
        "segmentation",
        inputs=form.channels,
        outputs=1 if count == 2 else count,
        classes=form.classes,
        image=form.size,
        has_points=form.point_radius is not None,
    )
    size = f"{form.size[0]} x {form.size[1]}"
    more: dict[str, object] = {
        "images": len(store),
        "size": size,
        "channels": form.channels,
        "classes": list(form.classes),
    }
    train = ImageData(store, training, form.largest, count, tuple(dataset.augmentation))
    validating = ImageData(store, validation, form.largest, count)
    standard = Standardization(known.mean, known.scale)
    return Splits(
        train=train,
        validation=validating,
        low=known.low,
        high=known.high,
        facts=facts | more,
        standardization=standard if dataset.standardize == "inputs" else None,
        found=DataFacts(task, len(train), form.description()),
        fingerprint=lambda: _sha256(train.fingerprint() + validating.fingerprint()),
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
