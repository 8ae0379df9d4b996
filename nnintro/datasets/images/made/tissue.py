"""Generators ``cells`` and ``tumour``: textured tissue as a camera of 8 bits shows it, with masks."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images.made.fields import photograph, smooth_noise, uniform
from nnintro.datasets.images.store import InMemory

SPACING = 15.0
JITTER = 0.32
BENDING = 1.5
"""Pixels, over 12 pixels."""
HALF_WIDTH = 1.5
DEPTH = 0.5
COLOURS = (1.05, 0.72, 0.95)
"""Of stained tissue: how much of red, green and blue light it lets through, beside a gray one."""
MEMBRANES = (0.5, 0.85, 0.35)
"""What the membranes take of each; a gray image has DEPTH."""
CONTRAST = 0.28
EDGE = 1.0
GROWTH = (1.0, 0.6, 0.5)
"""The share of CONTRAST in red, green and blue."""
WITHOUT = 0.1
"""The part of images without a growth."""


def draw_cells(section: ImagesDataset, n: int, generator: torch.Generator) -> InMemory:
    """Touching cells as an electron microscope shows them, and their boundaries.

    Centres lie on a grid of SPACING pixels, each moved by up to JITTER of it; the plane is bent by a smooth random
    displacement, and each pixel belongs to the nearest centre a. With b the second nearest, the pixel's distance to
    the boundary between the two is

        d = (|x - b|^2 - |x - a|^2) / (2 |a - b|)                       (exact in the unbent plane)

    The mask is d < HALF_WIDTH. The image is a cell's own gray times a texture, with spots, and darker at the membrane
    by the part DEPTH exp(-(d / HALF_WIDTH)^4 ln 2), half of it where the mask ends; then photographed. In colours
    each channel is that gray times one of COLOURS, with one of MEMBRANES for DEPTH.
    """
    height, width = section.pixels
    distance, cell_gray = _cells(n, height, width, generator)
    membrane = torch.exp(-math.log(2) * (distance / HALF_WIDTH) ** 4)
    texture = 1 + 0.06 * smooth_noise(n, height, width, 4.0, generator)
    spots = (smooth_noise(n, height, width, 5.0, generator) - 2.0).clamp(0, 1)
    tissue = cell_gray * texture * (1 - 0.35 * spots)
    stains = zip(COLOURS, MEMBRANES, strict=True) if section.made_channels == 3 else [(1.0, DEPTH)]
    channels = [colour * tissue * (1 - depth * membrane) for colour, depth in stains]
    images = photograph(channels, 0.8, 0.12, section.noise * 0.04, generator)  # blur, light, noise
    return InMemory(images, (distance < HALF_WIDTH).to(torch.uint8))


def _cells(n: int, height: int, width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Distance to the nearest boundary, and the gray of the cell; (n, height, width) each."""
    from scipy.spatial import cKDTree

    # Two more cells on each side than fit, so that none at the border lacks a neighbour.
    rows, columns = (math.ceil(size / SPACING) + 5 for size in (height, width))
    moved = uniform(-JITTER, JITTER, n, rows, columns, 2, generator=generator)
    grays = uniform(0.55, 0.75, n, rows * columns, generator=generator)
    shift = uniform(1.5, 2.5, n, 1, 1, 2, generator=generator)  # of the image in the grid
    bent = [smooth_noise(n, height, width, 12.0, generator) for _ in range(2)]
    grid = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).view(rows, columns, 2)
    pixels = torch.cartesian_prod(torch.arange(height), torch.arange(width)).view(height, width, 2)
    centres = SPACING * (grid + moved).reshape(n, -1, 2).double()
    places = (pixels + SPACING * shift + BENDING * torch.stack(bent, 3)).reshape(n, -1, 2).double()
    distance = torch.empty(n, height * width, dtype=torch.float32)
    gray = torch.empty(n, height * width, dtype=torch.float32)
    for image in range(n):
        away, which = cKDTree(centres[image].numpy()).query(places[image].numpy(), k=2)
        first, second = torch.from_numpy(which).unbind(1)
        apart = (centres[image][first] - centres[image][second]).norm(dim=1)
        squares = torch.from_numpy(away).square()
        distance[image] = (squares[:, 1] - squares[:, 0]) / (2 * apart)
        gray[image] = grays[image][first]
    return distance.view(n, height, width), gray.view(n, height, width)


def draw_tumour(section: ImagesDataset, n: int, generator: torch.Generator) -> InMemory:
    """A bright irregular growth in noisy textured tissue; one image in ten has none, and an empty mask.

    With the polar angle t about a centre the growth reaches to

        r(t) = r0 (1 + sum over k = 2..6 of a_k cos(k t + p_k)),     a_k normal with deviation 0.3 / k

    and its mask is where the distance from the centre is less. The image is a tissue of three smooth textures, brighter
    by CONTRAST within the growth over an edge of EDGE pixels, with a texture of the growth's own; then photographed.
    In colours the tissue is that times COLOURS, and the growth as bright in red, less in the others.
    """
    height, width = section.pixels
    inside = _depth(n, height, width, generator)
    present = torch.rand(n, 1, 1, generator=generator, dtype=torch.float32) >= WITHOUT
    tissue = 0.4 + sum(
        strength * smooth_noise(n, height, width, scale, generator)
        for strength, scale in ((0.06, 24.0), (0.05, 8.0), (0.03, 3.0))
    )
    growth = CONTRAST * (1 + 0.15 * smooth_noise(n, height, width, 6.0, generator))
    growth = present * growth * torch.sigmoid(inside / (EDGE / 2))
    pairs = zip(COLOURS, GROWTH, strict=True) if section.made_channels == 3 else [(1.0, 1.0)]
    images = photograph(
        [colour * tissue + share * growth for colour, share in pairs], 0.7, 0.1, section.noise * 0.07, generator
    )  # blur, light, noise
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
        strength = 0.3 / k * torch.randn(n, 1, 1, generator=generator, dtype=torch.float32)
        phase = uniform(0, 2 * math.pi, n, 1, 1, generator=generator)
        wave = wave + strength * torch.cos(k * angle + phase)
    radius = uniform(0.1, 0.24, n, 1, 1, generator=generator) * side
    return radius * (1 + wave).clamp(min=0.3) - torch.hypot(y, x)
