"""dataset kind ``images``: images with a mask each that gives the class of every pixel."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from nnintro.config.datasets.masks import KEYS_OF_MASKS, MASK_RULES, MaskKeys
from nnintro.config.section import Complaint, Complaints, Count, NotNegative, Positive, Rule, exactly
from nnintro.wording import shown

Size = Annotated[
    list[Annotated[int, Field(ge=8, le=8192)]], Field(min_length=2, max_length=2), exactly(2, "[height, width]")
]

MADE_SIZE = 64
MADE_SAMPLES = 200


class ImagesDataset(MaskKeys):
    """Folders `images/` and `masks/` with files of the same names, or images made up by a rule."""

    gives: ClassVar[Literal["rows", "images"]] = "images"

    generator: Literal["cells", "sky", "tumour"] | None = None
    """In place of a path: touching blurred cells and their boundaries; point sources on a gamma-ray
    sky; a bright growth in noisy tissue. All of it is made up."""
    samples: Annotated[Count, Field(ge=2)] | None = None
    """Images in all, validation included: as many as are made (200), or at most taken (all)."""
    size: Size | None = None
    """[height, width]; that of the files by default, and 64 x 64 for a generator."""
    fit: Literal["resize", "crop"] = "resize"
    """How files become that size: scaled (masks without new values), or cut out of the middle."""
    channels: Literal["auto", "gray", "rgb"] = "auto"
    """What a pixel holds; auto takes the files as they are, and is gray of what is made up. Cells and
    tumours are made in colours too, as of stained tissue."""
    classes: Annotated[list[str], Field(min_length=2, max_length=256)] | None = None
    """Names of the mask's values, in rising order; by default the values."""
    augmentation: list[Literal["flip", "rotate", "crop"]] = Field(default=[])
    """Done to an image and its mask alike, anew each epoch: mirrored; turned by quarters; shifted,
    up to an eighth of the size, and filled by reflection."""
    noise: NotNegative = 1.0
    """generator: how noisy, in units of what is usual for it (sky: 1 is Poisson's)."""
    signal_to_noise: Positive = 8.0
    """generator sky: of the faintest source, its counts over the deviation of the background below
    it."""
    point_radius: Positive | None = None
    """Pixels within which a peak of the map is the point of the mask; given, points are judged by
    precision and recall (sky: 2)."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability from which a pixel belongs to the class."""
    standardize: Literal["none", "inputs"] = "inputs"
    """Shift and scale each channel to mean 0 and deviation 1, inside the network."""
    memory: Positive = 1024.0
    """MiB of decoded images kept in memory; what is beyond is read from disk when it is needed."""

    @property
    def pixels(self) -> tuple[int, int]:
        """Height and width of made-up images."""
        height, width = self.size or (MADE_SIZE, MADE_SIZE)
        return height, width

    @property
    def made_channels(self) -> int:
        """Of made-up images."""
        return 3 if self.channels == "rgb" else 1

    @property
    def images(self) -> int:
        """How many are made up."""
        return self.samples or MADE_SAMPLES

    @property
    def radius(self) -> float | None:
        """``point_radius`` or its default: the sources of a sky are points."""
        return self.point_radius or (2.0 if self.generator == "sky" else None)

    @property
    def source(self) -> str:
        return self.generator or self.path or ""

    @property
    def files(self) -> str | None:
        return self.path

    def resolved(self) -> dict[str, Any]:
        if self.generator is None:
            return {}
        values: dict[str, Any] = {"samples": self.images, "size": list(self.pixels)}
        return values if self.radius is None else {**values, "point_radius": self.radius}

    def few(self, samples: int) -> dict[str, Any]:
        return {"samples": min(self.samples or samples, samples)}


SMALLEST_MADE = 32
"""Pixels along each side of a made-up image: what is on it needs room."""
BYTES_OF_A_MADE_PIXEL = {"cells": 1, "sky": 4, "tumour": 1}
"""A channel of the image; its mask has one byte more."""
MIB = 1 << 20
_OF_FILES = ("fit", "channels")
_OF_GENERATORS = ("noise", "signal_to_noise")


def images_come_from_one_place(dataset: ImagesDataset) -> Complaints:
    """There is a folder or a generator, and not both."""
    if dataset.path is None and dataset.generator is None:
        yield Complaint("dataset", "expected a path (a folder with images/ and masks/) or a generator")
    elif dataset.path is not None and dataset.generator is not None:
        yield Complaint("dataset.generator", "give path or generator, not both")


def image_keys_go_with_their_place(dataset: ImagesDataset) -> Complaints:
    """Files have no settings of generators, and generators none of files.

    Defaults may be written out: the config of a finished run has them all.
    """
    if (dataset.path is None) == (dataset.generator is None):
        return
    of_files = (*(_OF_FILES if dataset.generator == "sky" else ("fit",)), *KEYS_OF_MASKS)
    if dataset.generator and not isinstance(dataset.validation, float):
        yield Complaint("dataset.validation", "a folder goes with a path only; expected a fraction")
    for key in _changed(dataset, _OF_GENERATORS if dataset.path else of_files):
        other = "a generator" if dataset.path else "a path"
        value = shown(getattr(dataset, key))
        default = shown(ImagesDataset.model_fields[key].default)
        yield Complaint(f"dataset.{key}", f"goes with {other} only; expected {default}, got {value}")
    if dataset.generator in ("cells", "tumour"):
        for key in _changed(dataset, ("signal_to_noise",)):
            yield Complaint(f"dataset.{key}", f"goes with generator: sky, not {dataset.generator}")


def _changed(dataset: ImagesDataset, keys: tuple[str, ...]) -> list[str]:
    fields = ImagesDataset.model_fields
    return [key for key in keys if getattr(dataset, key) != fields[key].default]


def made_images_have_two_classes(dataset: ImagesDataset) -> Complaints:
    """Made-up masks are of zeros and ones."""
    if dataset.generator is None:
        return
    if dataset.classes is not None and len(dataset.classes) != 2:
        yield Complaint(
            "dataset.classes",
            f"{dataset.generator} has masks of two classes; expected 2 names, got {len(dataset.classes)}",
        )


def points_need_two_classes(dataset: ImagesDataset) -> Complaints:
    """A point is a spot of the one class on the ground of the other."""
    if dataset.point_radius is None:
        return
    if dataset.classes is not None and len(dataset.classes) > 2:
        yield Complaint(
            "dataset.point_radius", f"points need masks of two classes, got {len(dataset.classes)} names in classes"
        )


def class_names_differ(dataset: ImagesDataset) -> Complaints:
    """Every class of a mask has its own name."""
    if dataset.classes is None:
        return
    for name in dict.fromkeys(dataset.classes):
        if dataset.classes.count(name) > 1:
            yield Complaint("dataset.classes", f"expected different names, got {shown(name)} twice")


def made_images_have_room(dataset: ImagesDataset) -> Complaints:
    """What is made up is of a size that it shows on, and fits into memory."""
    if dataset.generator is None:
        return
    height, width = dataset.pixels
    if min(height, width) < SMALLEST_MADE:
        yield Complaint(
            "dataset.size",
            f"{dataset.generator} needs at least {SMALLEST_MADE} pixels along each side, got {shown(dataset.size)}",
        )
    pixel = BYTES_OF_A_MADE_PIXEL[dataset.generator] * dataset.made_channels + 1
    needed = dataset.images * height * width * pixel / MIB
    if needed > dataset.memory:
        yield Complaint(
            "dataset.memory",
            f"{dataset.images:,} images of {height} x {width} are made in memory; "
            f"expected at least {needed:,.0f} (MiB), got {dataset.memory:g}",
        )


def classes_are_named_once(dataset: ImagesDataset) -> Complaints:
    """Colours name their classes; instances and a threshold make two or three."""
    if dataset.classes is None:
        return
    made = 3 if dataset.instances == "outline" else 2 if dataset.instances or dataset.threshold_mask else None
    if dataset.colours is not None:
        yield Complaint("dataset.classes", "dataset.colours names the classes; give one of the two")
    elif made is not None and len(dataset.classes) != made:
        yield Complaint("dataset.classes", f"expected {made} names, got {len(dataset.classes)}")


ImagesDataset.rules = (
    *MASK_RULES,
    Rule(classes_are_named_once, ("dataset.classes", "dataset.colours", "dataset.instances", "dataset.threshold_mask")),
    Rule(images_come_from_one_place, ("dataset.path", "dataset.generator")),
    Rule(
        image_keys_go_with_their_place,
        (
            *("dataset.path", "dataset.generator", "dataset.fit", "dataset.channels"),
            *("dataset.noise", "dataset.signal_to_noise", "dataset.validation"),
            *(f"dataset.{key}" for key in KEYS_OF_MASKS),
        ),
    ),
    Rule(made_images_have_two_classes, ("dataset.generator", "dataset.classes")),
    Rule(points_need_two_classes, ("dataset.point_radius", "dataset.classes")),
    Rule(class_names_differ, ("dataset.classes",)),
    Rule(
        made_images_have_room,
        ("dataset.generator", "dataset.size", "dataset.samples", "dataset.memory", "dataset.channels"),
    ),
)
