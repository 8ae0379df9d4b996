"""dataset kind ``images``: images, and for each a mask that says what its pixels belong to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from nnintro.config.section import Count, Fraction, NotNegative, Positive, exactly
from nnintro.config.task import FromFiles

Size = Annotated[
    list[Annotated[int, Field(ge=8, le=8192)]],
    Field(min_length=2, max_length=2),
    exactly(2, "[height, width]"),
]


MADE_SIZE = 64

MADE_SAMPLES = 200


class ImagesDataset(FromFiles):
    """Folders `images/` and `masks/` with files of the same names, or images made up by a rule."""

    kind: Literal["images"]
    path: Annotated[str, Field(min_length=1)] | None = None
    """The folder that holds images/ and masks/, relative to the config."""
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
    """What a pixel holds; auto takes the files as they are."""
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
    validation: Annotated[Fraction, Field(gt=0)] = 0.2
    """The fraction of the images kept for validation."""
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
    def images(self) -> int:
        """How many are made up."""
        return self.samples or MADE_SAMPLES


def resolved(dataset: ImagesDataset) -> dict[str, Any]:
    """The values that were left to the generator, written out."""
    if dataset.generator is None:
        return {}
    found: dict[str, Any] = {"samples": dataset.images, "size": list(dataset.pixels)}
    if dataset.generator == "sky":
        found["point_radius"] = dataset.point_radius or 2.0
    return found
