"""Take a large image through a network tile by tile, so that the layers on all of it need not fit into memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, TypeGuard

from torch import Tensor, nn
from torch.nn import functional

from nnintro.models.unet import Unet

LARGEST_WHOLE = 2048 * 2048
"""Pixels up to which an image goes through the network as a whole."""
CORE = 1024
"""Side of a tile, of a network of 16 channels at the full resolution; of more channels less."""
REACH = 10
"""Times 2^L pixels beyond a tile that its answer depends on, at most: two 3 x 3 convolutions at each level below L on
the way down and on the way up reach 4 (2^L - 1), the four at level L reach 4 * 2^L, and pooling 2^L."""
Place = tuple[slice, slice]
"""Rows and columns."""


class Tile(NamedTuple):
    """A part of an image that goes through the network by itself."""

    part: Tensor
    """(n, channels, height, width): the tile, and a margin around it."""
    inside: Place
    """Where the tile is in the part."""
    place: Place
    """Where it is in the image."""


def is_large(height: int, width: int) -> bool:
    return height * width > LARGEST_WHOLE


def takes_tiles(network: nn.Module, image: Tensor) -> TypeGuard[Unet]:
    """Whether an image (n, channels, height, width) is large, and its tiles have the answers that all of it has.

    Group normalization looks at all of an image: its tiles have other answers, and it goes through as a whole.
    """
    return is_large(*image.shape[-2:]) and isinstance(network, Unet) and network.normalization != "group"


def padded(network: Unet, image: Tensor) -> tuple[Tensor, Place]:
    """The image as the network pads it, to multiples of 2^L, and where it is in that."""
    height, width = image.shape[-2:]
    left, _, top, _ = padding = network.padding(height, width)
    if any(padding):
        image = functional.pad(image, padding, mode="replicate")
    return image, (slice(top, top + height), slice(left, left + width))


def tiles_of(network: Unet, image: Tensor) -> Iterator[Tile]:
    """The tiles of a padded image.

    Their answers are those of the image as a whole, to rounding: they begin at multiples of 2^L, as pooling does,
    and have margins beyond which nothing is seen.
    """
    for rows, part_rows in _stretches(image.shape[-2], network):
        for columns, part_columns in _stretches(image.shape[-1], network):
            inside = _within(rows, part_rows), _within(columns, part_columns)
            yield Tile(image[..., part_rows, part_columns], inside, (rows, columns))


def outputs_in_tiles(network: Unet, image: Tensor) -> Tensor:
    """(n, channels, height, width) -> (n, outputs, height, width): those of the network in the mode that it is in."""
    image, inner = padded(network, image)
    outputs: Tensor | None = None
    for part, inside, place in tiles_of(network, image):
        found = network(part)
        if outputs is None:
            outputs = found.new_empty(*found.shape[:2], *image.shape[-2:])
        outputs[..., place[0], place[1]] = found[..., inside[0], inside[1]]
    assert outputs is not None
    return outputs[..., inner[0], inner[1]]


def _stretches(side: int, network: Unet) -> Iterator[tuple[slice, slice]]:
    """Of an axis: the tile, and the part with its margins."""
    divisor = network.divisor
    margin = REACH * divisor
    step = max(1, round(CORE * math.sqrt(16 / max(16, network.channels[0])) / divisor)) * divisor
    for start in range(0, side, step):
        stop = min(start + step, side)
        yield slice(start, stop), slice(max(0, start - margin), min(side, stop + margin))


def _within(tile: slice, part: slice) -> slice:
    return slice(tile.start - part.start, tile.stop - part.start)
