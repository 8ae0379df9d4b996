"""Rotate, mirror and shift images together with their masks, as a pure function of seed and row.

What is done to row i in an epoch follows from that epoch's seed and i alone, not from the rows
beside it: every block size and every resumption sees the same images.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnintro.datasets.images.made.fields import reflected

LARGEST_SHIFT = 8
"""A crop moves an image by at most this part of its height and width (an eighth)."""


class Moves(NamedTuple):
    """What is done to each of b images, in the order of these fields; (b,) int64 each."""

    down: Tensor
    """Pixels that the frame moves down over the image, continued beyond its borders by
    reflection."""
    right: Tensor
    mirrored: Tensor
    """Whether left and right are swapped: 1 or 0."""
    quarters: Tensor
    """Quarter turns, counter-clockwise: 0 to 3; of images that are not square 0 and 2."""


def moves(names: tuple[str, ...], seed: int, rows: Tensor, height: int, width: int) -> Moves:
    """What is done to these rows in the epoch of this seed, where ``names`` has it.

    Every number is drawn whatever the names: adding crop does not change the flips.
    """
    down, right = height // LARGEST_SHIFT, width // LARGEST_SHIFT
    turns = 4 if height == width else 2
    counts = np.array([[2 * down + 1], [2 * right + 1], [2], [turns]])
    drawn = (_random(seed, rows.cpu().numpy()) * counts).astype(np.int64)  # (4, b)
    drawn -= np.array([[down], [right], [0], [0]])
    drawn[3] *= 4 // turns
    wanted = [name in names for name in ("crop", "crop", "flip", "rotate")]
    return Moves(*torch.from_numpy(drawn * np.array(wanted)[:, None]))


def moved(images: Tensor, to: Moves) -> Tensor:
    """(b, channels, height, width) or (b, height, width) of any type: shifted, mirrored, turned.

    Image by image: one gather over all of them needs an index of eight bytes for each pixel, and
    takes twice as long.
    """
    # torch cannot rotate uint16; int16 has the same bits.
    bits = images.view(torch.int16) if images.dtype == torch.uint16 else images
    result = torch.empty_like(bits)
    for number, (down, right, mirrored, quarters) in enumerate(torch.stack(to, 1).tolist()):
        image = _shifted(_shifted(bits[number], down, -2), right, -1)
        image = image.flip(-1) if mirrored else image
        result[number] = torch.rot90(image, quarters, (-2, -1))
    return result.view(images.dtype)


def _shifted(image: Tensor, pixels: int, axis: int) -> Tensor:
    if pixels == 0:
        return image
    size = image.shape[axis]
    places = reflected(torch.arange(size) + pixels, size)
    return image.index_select(axis, places.to(image.device))


def _random(seed: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(4, b) numbers in [0, 1): the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).

    Number k of row i is output 4 i + k of the generator that this seed starts: counter-based, so
    that a row's numbers need neither those of the rows before it nor a generator of its own.
    """
    place = 4 * rows.astype(np.uint64) + np.arange(4, dtype=np.uint64)[:, None] + np.uint64(1)
    z = np.uint64(seed % 2**64) + place * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / 2.0**53
