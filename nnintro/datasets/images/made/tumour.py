"""generator ``tumour``: a bright irregular growth in noisy textured tissue; now and then none.

With the polar angle t about a centre the growth reaches to

    r(t) = r0 (1 + sum over k = 2..6 of a_k cos(k t + p_k)),     a_k normal with deviation 0.3 / k

and its mask is where the distance from the centre is less. The image is a tissue of three smooth
textures, brighter by CONTRAST within the growth over an edge of EDGE pixels, with a texture of the
growth's own, blurred, under uneven light, with Gaussian noise of deviation NOISE times ``noise``,
in 8 bits. One image in ten has no growth, and an empty mask.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images.made.fields import photograph, smooth_noise, uniform
from nnintro.datasets.images.store import InMemory

CONTRAST = 0.28
EDGE = 1.0
BLUR = 0.7
UNEVENNESS = 0.1
NOISE = 0.07
WITHOUT = 0.1


def draw_tumour(section: ImagesDataset, n: int, generator: torch.Generator) -> InMemory:
    height, width = section.pixels
    inside = _depth(n, height, width, generator)
    present = torch.rand(n, 1, 1, generator=generator) >= WITHOUT
    tissue = 0.4 + sum(
        strength * smooth_noise(n, height, width, scale, generator)
        for strength, scale in ((0.06, 24.0), (0.05, 8.0), (0.03, 3.0))
    )
    growth = CONTRAST * (1 + 0.15 * smooth_noise(n, height, width, 6.0, generator))
    tissue = tissue + present * growth * torch.sigmoid(inside / (EDGE / 2))
    images = photograph(tissue, BLUR, UNEVENNESS, section.noise * NOISE, generator)
    return InMemory(images, (present & (inside > 0)).to(torch.uint8))


def _depth(n: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """(n, height, width): pixels that a place lies within the growth; negative outside."""
    side = min(height, width)
    place = uniform(0.25, 0.75, 2, n, 1, 1, generator=generator)
    y = torch.arange(height)[:, None] - place[0] * (height - 1)
    x = torch.arange(width) - place[1] * (width - 1)
    angle = torch.atan2(y, x)
    wave = torch.zeros_like(angle)
    for k in range(2, 7):
        strength = 0.3 / k * torch.randn(n, 1, 1, generator=generator)
        phase = uniform(0, 2 * math.pi, n, 1, 1, generator=generator)
        wave = wave + strength * torch.cos(k * angle + phase)
    radius = uniform(0.1, 0.24, n, 1, 1, generator=generator) * side
    return radius * (1 + wave).clamp(min=0.3) - torch.hypot(y, x)
