"""Parts of generated images: smooth random fields, blur, a camera of 8 bits.

All of it is element by element, in an order that does not depend on the number of threads: the
same stream gives the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

DEVIATION = 1.17
"""Splines between normal numbers have a smaller deviation than these, by this factor on average."""


def uniform(low: float, high: float, *shape: int, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float32)


def smooth_noise(n: int, height: int, width: int, scale: float, generator: torch.Generator) -> Tensor:
    """(n, height, width) of mean 0 and about deviation 1 that changes over ``scale`` pixels.

    Normal numbers on a grid that wide, joined by cubic splines (Catmull-Rom).
    """
    rows, columns = (math.ceil(size / scale) + 3 for size in (height, width))
    coarse = torch.randn(n, 1, rows, columns, generator=generator, dtype=torch.float32)
    fine = functional.interpolate(
        coarse, size=(math.ceil(rows * scale), math.ceil(columns * scale)), mode="bicubic", align_corners=False
    )
    # The borders repeat the grid's last numbers: cut out of the middle.
    top, left = ((size - used) // 2 for size, used in zip(fine.shape[2:], (height, width), strict=True))
    return DEVIATION * fine[:, 0, top : top + height, left : left + width]


def blur(images: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (n, height, width), reflected at the borders; rows, then columns."""
    radius = math.ceil(3 * sigma)
    taps = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(radius + 1)]
    total = taps[0] + 2 * math.fsum(taps[1:])
    for axis in (1, 2):
        size = images.shape[axis]
        places = reflected(torch.arange(-radius, size + radius), size)
        wide = images.index_select(axis, places)
        images = wide.narrow(axis, radius, size) * (taps[0] / total)
        for k in range(1, radius + 1):
            both = wide.narrow(axis, radius - k, size) + wide.narrow(axis, radius + k, size)
            images = images + both * (taps[k] / total)
    return images


def reflected(places: Tensor, size: int) -> Tensor:
    """Places beyond 0 to ``size`` - 1 mirrored at the border, which itself is not repeated."""
    if size == 1:
        return torch.zeros_like(places)
    places = places.remainder(2 * (size - 1))
    return torch.minimum(places, 2 * (size - 1) - places)


def photograph(
    scenes: Sequence[Tensor], sigma: float, unevenness: float, noise: float, generator: torch.Generator
) -> Tensor:
    """Channels (n, height, width) in [0, 1] -> (n, channels, height, width) uint8, as a camera of 8 bits shows them.

    Args:
        scenes: one for each channel, in the same light.
        sigma: pixels of the Gaussian blur.
        unevenness: deviation of the light, which is 1 on average and changes over the whole image.
        noise: deviation of the Gaussian noise of each pixel.
    """
    n, height, width = scenes[0].shape
    light = 1 + unevenness * smooth_noise(n, height, width, 1.2 * max(height, width), generator)
    images = torch.stack([blur(scene, sigma) * light for scene in scenes], dim=1)
    images = images + noise * torch.randn(n, len(scenes), height, width, generator=generator, dtype=torch.float32)
    return (images * 255).round().clamp(0, 255).to(torch.uint8)
