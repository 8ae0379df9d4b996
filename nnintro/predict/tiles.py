"""Segment a large image tile by tile, so that the network's layers on all of it need not fit into memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from nnintro.errors import DataError
from nnintro.models.unet import Unet
from nnintro.objectives.segmentation import answers
from nnintro.runs.run import Run

LARGEST_WHOLE = 2048 * 2048
"""Pixels up to which an image goes through the network as a whole."""
CORE = 1024
"""Side of a tile, of a network of 16 channels at the full resolution; of more channels less."""
REACH = 10
"""Times 2^L pixels beyond a tile that its answer depends on, at most: two 3 x 3 convolutions at each level below L on
the way down and on the way up reach 4 (2^L - 1), the four at level L reach 4 * 2^L, and pooling 2^L."""


class Tile(NamedTuple):
    """A part of an image along one axis."""

    start: int
    stop: int
    first: int
    """Of the part that goes through the network, which has a margin around the tile."""
    last: int


def takes_tiles(run: Run, image: Tensor) -> bool:
    """Whether an image (1, channels, height, width) is large, and its tiles have the answers that all of it has.

    Group normalization looks at all of an image: its tiles have other answers, and it goes through as a whole.
    """
    model = run.model
    large = image.shape[-2] * image.shape[-1] > LARGEST_WHOLE
    return large and isinstance(model, Unet) and model.normalization != "group"


def tiled_answers(run: Run, image: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Confidence (height, width) and class numbers (height, width) uint8 of an image (1, channels, height, width).

    They are those of the image as a whole, to rounding: tiles begin at multiples of 2^L, as pooling does, and have
    margins beyond which nothing is seen.

    Raises:
        DataError: the network has no finite answer.
    """
    model = run.model
    assert isinstance(model, Unet)
    height, width = image.shape[-2:]
    left, _, top, _ = padding = model.padding(height, width)
    if any(padding):  # as the network does it for the whole
        image = functional.pad(image, padding, mode="replicate")
    confidence = torch.empty(image.shape[-2:])
    classes = torch.empty(image.shape[-2:], dtype=torch.uint8)
    for rows in _tiles(image.shape[-2], model):
        for columns in _tiles(image.shape[-1], model):
            part = image[..., rows.first : rows.last, columns.first : columns.last]
            logits = run.predict(part).float()
            if not bool(logits.isfinite().all()):
                raise DataError("the network has no finite answer for this image")
            inside = (
                slice(rows.start - rows.first, rows.stop - rows.first),
                slice(columns.start - columns.first, columns.stop - columns.first),
            )
            found = answers(logits[..., inside[0], inside[1]], threshold)
            place = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
            confidence[place], classes[place] = found[0][0], found[1][0].to(torch.uint8)
    inner = slice(top, top + height), slice(left, left + width)
    return confidence[inner], classes[inner]


def _tiles(side: int, model: Unet) -> Iterator[Tile]:
    divisor = model.divisor
    margin = REACH * divisor
    step = max(1, round(CORE * math.sqrt(16 / max(16, model.channels[0])) / divisor)) * divisor
    for start in range(0, side, step):
        stop = min(start + step, side)
        yield Tile(start, stop, max(0, start - margin), min(side, stop + margin))
