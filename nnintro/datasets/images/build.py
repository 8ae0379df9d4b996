"""dataset kind ``images``: from the section to training and validation images."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.section import held_out
from nnintro.config.task import DataFacts
from nnintro.datasets.images.data import ImageData
from nnintro.datasets.images.files import pairs_of, read_header, read_values
from nnintro.datasets.images.fitting import ImageFormat, sized
from nnintro.datasets.images.made import GENERATORS
from nnintro.datasets.images.scan import Statistics, form_of, scan, statistics_of
from nnintro.datasets.images.store import OnDisk, Store
from nnintro.datasets.samples import Splits, split_rows
from nnintro.models import Standardization


def build_images(
    dataset: ImagesDataset, data: torch.Generator, splitting: torch.Generator, *_: object
) -> Splits[ImageData]:
    """Generate the images, or read them, and split them at random.

    Raises:
        DataError: a file, or the folder, is not as it must be.
        ConfigError: the section asks for what the files do not have (names of classes, points).
    """
    if dataset.generator is not None:
        return _generated(dataset, dataset.generator, data, splitting)
    pairs = pairs_of(Path(dataset.path or ""))
    if dataset.samples is not None and dataset.samples < len(pairs):
        chosen = torch.randperm(len(pairs), generator=data)[: dataset.samples]
        pairs = [pairs[number] for number in chosen.sort().values.tolist()]
    rows = split_rows(len(pairs), held_out(len(pairs), dataset.validation), splitting)
    store, form, statistics = scan(pairs, form_of(pairs, dataset), dataset, rows[0])
    return _splits(dataset, store, form, rows, statistics, {})


def _generated(
    dataset: ImagesDataset, name: str, data: torch.Generator, splitting: torch.Generator
) -> Splits[ImageData]:
    generator = GENERATORS[name]
    made = generator.make(dataset, data)
    store = replace(made, sha256=_sha256(made.images.numpy().data, made.labels.numpy().data))
    form = ImageFormat(
        size=dataset.pixels,
        fit=None,
        channels=dataset.made_channels,
        convert=False,
        bits=generator.bits,
        values=(0, 1),
        classes=tuple(dataset.classes or generator.classes),
        threshold=dataset.threshold,
        point_radius=dataset.radius,
    )
    count = dataset.images
    rows = split_rows(count, held_out(count, dataset.validation), splitting)
    facts: dict[str, object] = {"data": f"made up by the generator {name}"}
    facts |= {key: getattr(dataset, key) for key in generator.stated}
    return _splits(dataset, store, form, rows, statistics_of(store.images, rows[0]), facts)


def _splits(
    dataset: ImagesDataset,
    store: Store,
    form: ImageFormat,
    rows: tuple[Tensor, Tensor],
    statistics: Statistics,
    facts: dict[str, object],
) -> Splits[ImageData]:
    """Rows of a store as training and validation data, with what is known of them."""
    count = len(form.classes)
    facts |= {"images": len(store), "size": sized(form.size), "channels": form.channels, "classes": list(form.classes)}
    standard = Standardization(statistics.mean, statistics.scale)
    return Splits(
        train=ImageData(store, rows[0], form.largest, count, tuple(dataset.augmentation)),
        validation=ImageData(store, rows[1], form.largest, count),
        low=statistics.low,
        high=statistics.high,
        facts=facts,
        standardization=standard if dataset.standardize == "inputs" else None,
        found=DataFacts(form.task, len(rows[0]), form.description()),
        # Of all images and masks, and of which are in which part.
        fingerprint=lambda: _sha256(
            "".join(_sha256(part.numpy().tobytes() + store.sha256.encode()) for part in rows).encode()
        ),
    )


def _sha256(*parts: bytes | memoryview) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def images_with_masks(folder: Path, form: ImageFormat) -> ImageData:
    """A folder's images with their masks, read as a run's own were.

    They may be of another size, all of one, where the run's were not brought to one.  Masks of
    zeros and ones, as generated images have, may say 255 for one, as ``nnintro predict`` writes it.

    Args:
        form: that of the run's images (``Run.reading``).

    Raises:
        DataError: the folder, or a file in it, is not as the run's was.
    """
    pairs = pairs_of(folder, least=1)
    # All headers before any pixel: a file of another kind is reported at once.
    headers = [read_header(pair.image) for pair in pairs]
    if form.fit is None:  # files of a size of their own, or generated
        form = replace(form, size=headers[0].size)
    if form.values == (0, 1) and any(read_values(pair.mask).max() == 255 for pair in pairs):
        form = replace(form, values=(0, 255))
    store = OnDisk(tuple(pairs), form)
    return ImageData(store, torch.arange(len(pairs)), form.largest, len(form.classes))
