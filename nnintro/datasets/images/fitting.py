"""The common format of a run's samples, and the conversion of images and masks to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from nnintro.config.task import STRICT, Task
from nnintro.config.typed import from_json
from nnintro.datasets.images.files import MOST_PIXELS, Pixels, read_header, read_pixels, refuse
from nnintro.datasets.images.folders import Pair
from nnintro.datasets.images.masks import MaskRules, mask_values

GRAY = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""
MOST_VALUES = 256
"""In masks: a class number is a byte."""
Side = Annotated[int, Field(ge=1, le=MOST_PIXELS)]
CHANNELS = {1: "gray", 3: "RGB"}
"""Number of channels -> its name in messages."""


@dataclass(frozen=True)
class ImageFormat:
    """Plain values, in and out of JSON by ``description`` and ``from_description``."""

    __pydantic_config__ = STRICT

    size: tuple[Side, Side]
    """Height and width of a sample."""
    fit: Literal["resize", "crop"] | None
    """How files come to that size; None where they must have it."""
    channels: int
    """1 for gray, 3 for red, green and blue."""
    convert: bool
    """Whether gray and coloured files are made into one another; else they must be alike."""
    bits: int | None
    """8 or 16: a file's numbers are divided by the largest of that many bits. 32: they stay as they are, in float32.
    None: they are counts and stay as they are, in files of any number of bits."""
    values: Annotated[tuple[Annotated[int, Field(ge=0, lt=1 << 16)], ...], Field(fail_fast=True)]
    """The values in masks, rising; class k is value k."""
    classes: Annotated[tuple[str, ...], Field(fail_fast=True)]
    threshold: Annotated[float, Field(gt=0, lt=1)]
    """Probability from which a pixel belongs to the second of two classes."""
    point_radius: Annotated[float, Field(gt=0)] | None
    """Pixels within which a peak is a point of the mask; None where points do not matter."""
    masks: MaskRules = field(default_factory=MaskRules)
    """How a mask's pixels become those values."""
    class_weights: Annotated[tuple[float, ...], Field(fail_fast=True)] | None = None
    """What a pixel of each class counts in the loss; None for 1 each."""

    @property
    def largest(self) -> float:
        """What a pixel's number is divided by."""
        return 1.0 if self.bits in (None, 32) else float(2**self.bits - 1)

    def description(self) -> dict[str, Any]:
        """As a dict of what JSON can hold; what an earlier version did not know is left out where it is not used."""
        held: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        if self.masks == MaskRules():
            del held["masks"]
        if self.class_weights is None:
            del held["class_weights"]
        return held

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> ImageFormat:
        """The inverse of ``description``; takes ``DataFacts.description``.

        Raises:
            ValueError: it is not such a description: one line, with the field.
        """
        form = from_json(cls, json.dumps(description))
        if not 2 <= len(form.values) == len(form.classes) <= MOST_VALUES or sorted(set(form.values)) != [*form.values]:
            raise ValueError("values: expected one for each class, rising")
        if form.channels not in CHANNELS or form.bits not in (8, 16, 32, None):
            raise ValueError(f"channels and bits: expected those of an image, got {form.channels} and {form.bits}")
        return form

    @property
    def task(self) -> Task:
        """What a network has to do on samples of this format."""
        count = len(self.classes)
        return Task(
            "segmentation",
            inputs=self.channels,
            outputs=1 if count == 2 else count,
            classes=self.classes,
            image=self.size,
            has_points=self.point_radius is not None,
        )


def sized(size: tuple[int, ...]) -> str:
    return f"{size[0]} x {size[1]}"


def load_pair(pair: Pair, form: ImageFormat) -> tuple[Pixels, NDArray[np.int64]]:
    """An image in that form, and the values of its mask: as the file has them, or as ``form.masks`` makes them.

    Raises:
        DataError: one cannot be read, or the two are not of one size.
    """
    pixels, values = read_pixels(pair.image, pair.page), mask_values(pair, form.masks)
    size = pixels.shape[1:]
    if values.shape != size:
        raise refuse(pair.mask, f"{sized(size)} as its image has", sized(values.shape))
    return _formed(pair.image, pixels, form), values


def read_image(path: Path, form: ImageFormat, page: int = 0) -> tuple[Tensor, tuple[int, int]]:
    """(channels, height, width) float32 in raw units, and the file's own height and width.

    Read as a run's own images were, but of any size where those were not scaled to one: a U-Net
    takes images of any size.

    Args:
        form: that of the run's images (``Run.reading``).

    Raises:
        DataError: the file cannot be read, or is of another kind than the run's files.
    """
    read_header(path, page)  # which says what Pillow warns of
    pixels = read_pixels(path, page)
    height, width = pixels.shape[1:]
    if form.fit != "resize":
        form = replace(form, size=(height, width))
    image = torch.from_numpy(np.array(_formed(path, pixels, form), np.float32))  # a copy: it may be read-only
    return image.div_(form.largest), (height, width)


def _formed(path: Path, pixels: Pixels, form: ImageFormat) -> Pixels:
    """Pixels of a file in that form."""
    bits = 8 * pixels.itemsize
    if form.bits is not None and form.bits != bits:
        raise refuse(path, f"{form.bits} bits as the others have", bits)
    check_size(path, pixels.shape[1:], form)
    return _fit_image(_with_channels(path, pixels, form), form)


def check_size(path: Path, size: tuple[int, ...], form: ImageFormat) -> None:
    """Check that a file of this size can become a sample.

    Raises:
        DataError: it cannot.
    """
    height, width = size
    if form.fit is None and size != form.size:
        got = f"{sized(size)}; give dataset.size, and files are resized or cropped to it"
        raise refuse(path, f"{sized(form.size)} as the others have", got)
    if form.fit == "crop" and (height < form.size[0] or width < form.size[1]):
        raise refuse(path, f"at least {sized(form.size)} to cut out of", sized(size))


def _with_channels(path: Path, pixels: Pixels, form: ImageFormat) -> Pixels:
    channels = len(pixels)
    if channels == form.channels:
        return pixels
    if not form.convert:
        name = CHANNELS[form.channels]
        remedy = f"convert it to {name}, or train anew with dataset.channels: {name.lower()}, which takes both"
        raise refuse(path, f"{name} as the others are", f"{CHANNELS[channels]}; {remedy}")
    if form.channels == 3:
        return np.repeat(pixels, 3, axis=0)
    gray = np.tensordot(np.array(GRAY), pixels.astype(np.float64), axes=1)
    return gray.round().astype(pixels.dtype)[None]


def _fit_image(pixels: Pixels, form: ImageFormat) -> Pixels:
    """Cut out of the middle, or scaled linearly (averaged where that makes it smaller)."""
    if pixels.shape[1:] == form.size:
        return pixels
    if form.fit == "crop":
        return _middle(pixels, form.size)
    from PIL import Image

    size = (form.size[1], form.size[0])  # Pillow's order: width, height
    # In float32 and rounded once at the end, for 8 and 16 bits alike.
    scaled = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
        for plane in pixels.astype(np.float32)
    ]
    if pixels.dtype == np.float32:
        return np.stack(scaled)
    return np.stack(scaled).round().clip(0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


def fit_values(values: NDArray[Any], form: ImageFormat) -> NDArray[Any]:
    """A mask brought to the size of its image: nearest neighbour, so that no new value appears."""
    if values.shape == form.size:
        return values
    if form.fit == "crop":
        return _middle(values, form.size)
    # Pixel k of n covers [k, k + 1) / n of the side: that of the file which its middle falls into.
    rows, columns = (
        ((np.arange(to) + 0.5) * (size / to)).astype(np.int64) for to, size in zip(form.size, values.shape, strict=True)
    )
    scaled: NDArray[Any] = values[rows[:, None], columns]
    return scaled


def _middle(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    height, width = size
    top, left = (pixels.shape[-2] - height) // 2, (pixels.shape[-1] - width) // 2
    return np.ascontiguousarray(pixels[..., top : top + height, left : left + width])
