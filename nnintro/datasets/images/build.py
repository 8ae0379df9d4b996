"""dataset kind ``images``: from the section to training and validation images."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.datasets.masks import Folders, ValidationFolder
from nnintro.config.section import held_out
from nnintro.config.task import DataFacts
from nnintro.datasets.images.data import ImageData
from nnintro.datasets.images.files import read_header
from nnintro.datasets.images.fitting import ImageFormat, sized
from nnintro.datasets.images.folders import Pair, pairs_of
from nnintro.datasets.images.made import GENERATORS
from nnintro.datasets.images.masks import mask_values, oriented
from nnintro.datasets.images.scan import Statistics, form_of, scan, statistics_of
from nnintro.datasets.images.store import OnDisk, Store
from nnintro.datasets.samples import Splits, split_rows
from nnintro.models import Standardization
from nnintro.wording import counted, listed

RARE = 0.001
"""The part of the training pixels below which a class is named in a note."""


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
    own = dataset.validation if isinstance(dataset.validation, ValidationFolder) else None
    pairs, left_out = pairs_of(Path(dataset.path or ""), dataset, least=1 if own else 2)
    if dataset.samples is not None and dataset.samples < len(pairs):
        chosen = torch.randperm(len(pairs), generator=data)[: dataset.samples]
        pairs = [pairs[number] for number in chosen.sort().values.tolist()]
    if own is None:
        rows = split_rows(len(pairs), held_out(len(pairs), _fraction(dataset)), splitting)
    else:
        others, unpaired = pairs_of(Path(own.path), dataset, least=1, folders=own.folders)
        others, left_out = others[: dataset.samples], left_out + unpaired
        rows = torch.arange(len(pairs)), torch.arange(len(pairs), len(pairs) + len(others))
        pairs = [*pairs, *others]
    form, pairs = form_of(pairs, dataset)
    store, form, statistics, counts = scan(pairs, form, dataset, rows[0])
    notes = (*_unpaired(left_out), *_odd_values(form, dataset), *_rare(counts, form))
    return replace(_splits(dataset, store, form, rows, statistics, counts, {}), notes=notes)


def balanced_pixels(counts: NDArray[np.int64]) -> tuple[float, ...]:
    """n / (K n_k) of each of the K classes that have pixels; 1 of those that have none, which no loss has."""
    present = counts > 0
    weights = np.ones(len(counts))
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return tuple(weights.tolist())


def _fraction(dataset: ImagesDataset) -> float:
    assert isinstance(dataset.validation, float)
    return dataset.validation


def _unpaired(left_out: int) -> tuple[str, ...]:
    return (f"{counted(left_out, 'file')} without a partner left out (dataset.unpaired)",) if left_out else ()


def _odd_values(form: ImageFormat, dataset: ImagesDataset) -> tuple[str, ...]:
    """A note on values beside 0 and 255 that may not be meant as classes, where nobody has named them."""
    values = form.values
    if len(values) < 3 or dataset.classes or form.masks.values or values[-1] != 255:
        return ()
    classes = f"the masks' {len(values)} values, {', '.join(map(str, values))}, are taken as classes"
    remedies = "if 255 means ignored, give dataset.ignore: 255; if the values between are edges, dataset.threshold_mask"
    return (f"{classes}; {remedies}",)


def _rare(counts: NDArray[np.int64], form: ImageFormat) -> tuple[str, ...]:
    """A note on classes that hardly a training pixel has."""
    parts = counts / max(1, counts.sum())
    rare = [f"{name} ({part:.2g})" for name, part in zip(form.classes, parts.tolist(), strict=True) if part < RARE]
    if not rare:
        return ()
    remedy = "if they are edges or leftovers rather than classes, dataset.threshold_mask or dataset.ignore is for them"
    return (f"part of the training pixels below {RARE:g}: {listed(rare)}; {remedy}",)


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
    rows = split_rows(count, held_out(count, _fraction(dataset)), splitting)
    facts: dict[str, object] = {"data": f"made up by the generator {name}"}
    facts |= {key: getattr(dataset, key) for key in generator.stated}
    counts = np.bincount(store.labels[rows[0]].numpy().ravel(), minlength=len(form.classes))
    return _splits(dataset, store, form, rows, statistics_of(store.images, rows[0]), counts, facts)


def _splits(
    dataset: ImagesDataset,
    store: Store,
    form: ImageFormat,
    rows: tuple[Tensor, Tensor],
    statistics: Statistics,
    counts: NDArray[np.int64],
    facts: dict[str, object],
) -> Splits[ImageData]:
    """Rows of a store as training and validation data, with what is known of them.

    Args:
        counts: (classes,) training pixels.
    """
    weights = None
    if dataset.class_weights == "balanced":
        form = replace(form, class_weights=balanced_pixels(counts))
        weights = torch.tensor(form.class_weights, dtype=torch.float64)
    count = len(form.classes)
    facts |= {"images": len(store), "size": sized(form.size), "channels": form.channels, "classes": list(form.classes)}
    standard = Standardization(statistics.mean, statistics.scale)
    return Splits(
        train=ImageData(
            store, rows[0], form.largest, count, tuple(dataset.augmentation), ignores=dataset.ignores_pixels
        ),
        validation=ImageData(store, rows[1], form.largest, count, ignores=dataset.ignores_pixels),
        low=statistics.low,
        high=statistics.high,
        facts=facts,
        class_weights=weights,
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


def images_with_masks(folder: Path, form: ImageFormat, dataset: ImagesDataset) -> ImageData:
    """A folder's images with their masks, read as a run's own were.

    They may be of another size, all of one, where the run's were not brought to one.  Masks of
    zeros and ones, as generated images have, may say 255 for one, as ``nnintro predict`` writes it.

    Args:
        form: that of the run's images (``Run.reading``).
        dataset: the run's section, whose names the folder and its files have.

    Raises:
        DataError: the folder, or a file in it, is not as the run's was.
    """
    plain = (folder / "images").is_dir() and (folder / "masks").is_dir()
    pairs, _ = pairs_of(folder, dataset, least=1, folders=Folders() if plain else None)
    # All headers before any pixel: a file of another kind is reported at once.
    headers = [read_header(pair.image, pair.page) for pair in pairs]
    pairs = [oriented(pair, header, form.masks) for pair, header in zip(pairs, headers, strict=True)]
    if form.fit is None:  # files of a size of their own, or generated
        form = replace(form, size=headers[0].size)
    if form.values == (0, 1) and form.masks.values is None and _has_255(pairs, form):
        form = replace(form, values=(0, 255))
    store = OnDisk(tuple(pairs), form)
    rows = torch.arange(len(pairs))
    return ImageData(store, rows, form.largest, len(form.classes), ignores=bool(form.masks.ignore))


def _has_255(pairs: list[Pair], form: ImageFormat) -> bool:
    return any(mask_values(pair, form.masks).max() == 255 for pair in pairs)
