"""Images and masks of any size -> the size of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnintro.datasets.images.files import Format, Pair
from nnintro.datasets.images.reading import Pixels, read_pixels, read_values, refuse

GRAY = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""


def sized(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def load_pair(pair: Pair, form: Format) -> tuple[Pixels, NDArray[np.int64]]:
    """An image in that form, and the values of its mask as they stand in the file.

    Raises:
        DataError: one cannot be read, or the two are not of one size.
    """
    pixels, values = read_pixels(pair.image), read_values(pair.mask)
    height, width = pixels.shape[1:]
    if values.shape != (height, width):
        got = f"{values.shape[0]} x {values.shape[1]}"
        raise refuse(pair.mask, f"{height} x {width} as its image has", got)
    return formed(pair.image, pixels, form), values


def formed(path: Path, pixels: Pixels, form: Format) -> Pixels:
    """Pixels of a file in that form."""
    bits = 8 * pixels.itemsize
    if form.bits is not None and form.bits != bits:
        raise refuse(path, f"{form.bits} bits as the others have", f"{bits}")
    check_size(path, pixels.shape[1:], form)
    return fit_image(_with_channels(path, pixels, form), form)


def check_size(path: Path, size: tuple[int, ...], form: Format) -> None:
    """Raises:
    DataError: a file of this size cannot become a sample.
    """
    height, width = size
    if form.fit is None and (height, width) != form.size:
        wanted = f"{sized(form.size)} as the others have"
        hint = "give dataset.size, and files are resized or cropped to it"
        raise refuse(path, wanted, f"{height} x {width}; {hint}")
    if form.fit == "crop" and (height < form.size[0] or width < form.size[1]):
        raise refuse(path, f"at least {sized(form.size)} to cut out of", f"{height} x {width}")


def fit_image(pixels: Pixels, form: Format) -> Pixels:
    """Cut out of the middle, or scaled linearly (averaged where that makes it smaller)."""
    if pixels.shape[1:] == form.size:
        return pixels
    if form.fit == "crop":
        return _middle(pixels, form.size)
    from PIL import Image

    size = (form.size[1], form.size[0])
    largest = np.iinfo(pixels.dtype).max
    scaled = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
        for plane in pixels.astype(np.float32)
    ]
    return np.stack(scaled).round().clip(0, largest).astype(pixels.dtype)


def fit_values(values: NDArray[Any], form: Format) -> NDArray[Any]:
    """A mask like its image, each pixel that of the file which its middle falls into."""
    if values.shape == form.size:
        return values
    if form.fit == "crop":
        return _middle(values, form.size)
    rows, columns = (
        ((np.arange(to) + 0.5) * (size / to)).astype(np.int64)
        for to, size in zip(form.size, values.shape, strict=True)
    )
    scaled: NDArray[Any] = values[rows[:, None], columns]
    return scaled


def _middle(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    height, width = size
    top, left = (pixels.shape[-2] - height) // 2, (pixels.shape[-1] - width) // 2
    return np.ascontiguousarray(pixels[..., top : top + height, left : left + width])


def _with_channels(path: Path, pixels: Pixels, form: Format) -> Pixels:
    has = len(pixels)
    if has == form.channels:
        return pixels
    if not form.convert:
        names = {1: "gray", 3: "RGB"}
        hint = "dataset.channels: gray or rgb takes both"
        raise refuse(path, f"{names[form.channels]} as the others are", f"{names[has]}; {hint}")
    if form.channels == 3:
        return np.repeat(pixels, 3, axis=0)
    gray = np.tensordot(np.array(GRAY), pixels.astype(np.float64), axes=1)
    return gray.round().astype(pixels.dtype)[None]


def read_image(path: Path, description: Mapping[str, Any]) -> tuple[Tensor, tuple[int, int]]:
    """(channels, height, width) float32 in raw units, and the file's own height and width.

    Read as a run's own images were, but of any size where those were not scaled to one: a U-Net
    takes images of any size.

    Args:
        description: what the run found (``DataFacts.description``).

    Raises:
        DataError: the file cannot be read, or is of another kind than the run's files.
    """
    form = Format.from_description(description)
    pixels = read_pixels(path)
    height, width = pixels.shape[1:]
    if form.fit != "resize":
        form = replace(form, size=(height, width))
    found = torch.from_numpy(np.array(formed(path, pixels, form)))  # which may be read-only
    return found.float() / form.largest, (height, width)
