"""Rules between the keys of a dataset of kind ``images`` (see ``rules``)."""

from __future__ import annotations

from collections.abc import Iterator

from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.experiment import Experiment
from nnintro.config.section import Complaint
from nnintro.wording import shown

Complaints = Iterator[Complaint]

SMALLEST_MADE = 32
"""Pixels along each side of a made-up image: what is on it needs room."""
BYTES_OF_A_MADE_PIXEL = {"cells": 2, "sky": 5, "tumour": 2}
"""Image and mask."""
MIB = 1 << 20


def images_come_from_one_place(experiment: Experiment) -> Complaints:
    """There is a folder or a generator, and not both."""
    dataset = experiment.dataset
    if not isinstance(dataset, ImagesDataset):
        return
    if dataset.path is None and dataset.generator is None:
        yield Complaint(
            "dataset", "expected a path (a folder with images/ and masks/) or a generator"
        )
    elif dataset.path is not None and dataset.generator is not None:
        yield Complaint("dataset.generator", "give path or generator, not both")


def image_keys_go_with_their_place(experiment: Experiment) -> Complaints:
    """Files have no settings of generators, and generators none of files.

    A default may stand in the config: that of a finished run has them all written out.
    """
    dataset = experiment.dataset
    if not isinstance(dataset, ImagesDataset) or (dataset.path is None) == (
        dataset.generator is None
    ):
        return
    for key in _changed(dataset, ("noise", "signal_to_noise") if dataset.path else _OF_FILES):
        other = "a generator" if dataset.path else "a path"
        value = shown(getattr(dataset, key))
        default = shown(ImagesDataset.model_fields[key].default)
        yield Complaint(
            f"dataset.{key}", f"goes with {other} only; expected {default}, got {value}"
        )
    if dataset.generator in ("cells", "tumour"):
        for key in _changed(dataset, ("signal_to_noise",)):
            yield Complaint(f"dataset.{key}", f"goes with generator: sky, not {dataset.generator}")


_OF_FILES = ("fit", "channels")


def _changed(dataset: ImagesDataset, keys: tuple[str, ...]) -> list[str]:
    fields = ImagesDataset.model_fields
    return [key for key in keys if getattr(dataset, key) != fields[key].default]


def made_images_have_two_classes(experiment: Experiment) -> Complaints:
    """Made-up masks are of zeros and ones."""
    dataset = experiment.dataset
    if not isinstance(dataset, ImagesDataset) or dataset.generator is None:
        return
    if dataset.classes is not None and len(dataset.classes) != 2:
        yield Complaint(
            "dataset.classes",
            f"{dataset.generator} has masks of two classes; expected 2 names, "
            f"got {len(dataset.classes)}",
        )


def points_need_two_classes(experiment: Experiment) -> Complaints:
    """A point is a spot of the one class on the ground of the other."""
    dataset = experiment.dataset
    if not isinstance(dataset, ImagesDataset) or dataset.point_radius is None:
        return
    if dataset.classes is not None and len(dataset.classes) > 2:
        yield Complaint(
            "dataset.point_radius",
            f"points need masks of two classes, got {len(dataset.classes)} names in classes",
        )


def class_names_differ(experiment: Experiment) -> Complaints:
    """Every class of a mask has its own name."""
    dataset = experiment.dataset
    if not isinstance(dataset, ImagesDataset) or dataset.classes is None:
        return
    for name in dict.fromkeys(dataset.classes):
        if dataset.classes.count(name) > 1:
            yield Complaint("dataset.classes", f"expected different names, got {shown(name)} twice")


def made_images_have_room(experiment: Experiment) -> Complaints:
    """What is made up is of a size that it shows on, and fits into memory."""
    dataset = experiment.dataset
    if not isinstance(dataset, ImagesDataset) or dataset.generator is None:
        return
    height, width = dataset.pixels
    if min(height, width) < SMALLEST_MADE:
        yield Complaint(
            "dataset.size",
            f"{dataset.generator} needs at least {SMALLEST_MADE} pixels along each side, "
            f"got {shown(dataset.size)}",
        )
    needed = dataset.images * height * width * BYTES_OF_A_MADE_PIXEL[dataset.generator] / MIB
    if needed > dataset.memory:
        yield Complaint(
            "dataset.memory",
            f"{dataset.images:,} images of {height} x {width} are made in memory; "
            f"expected at least {needed:,.0f} (MiB), got {dataset.memory:g}",
        )
