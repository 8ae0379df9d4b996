"""generator ``cells``: touching cells as an electron microscope shows them, and their boundaries.

Centres lie on a grid of SPACING pixels, each moved by up to JITTER of it; the plane is bent by a
smooth random displacement, and each pixel belongs to the nearest centre a. With b the second
nearest, the pixel's distance to the boundary between the two is

    d = (|x - b|^2 - |x - a|^2) / (2 |a - b|)                       (exact in the unbent plane)

The mask is d < HALF_WIDTH. The image is a cell's own gray times a texture, with spots, and darker
at the membrane by the part DEPTH exp(-(d / HALF_WIDTH)^4 ln 2), half of it where the mask ends;
blurred by a Gaussian of BLUR pixels, under uneven light, with Gaussian noise of deviation NOISE
times ``noise``, in 8 bits.
"""

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
BLUR = 0.8
UNEVENNESS = 0.12
NOISE = 0.04


def draw_cells(section: ImagesDataset, n: int, generator: torch.Generator) -> InMemory:
    height, width = section.pixels
    distance, cell_gray = _cells(n, height, width, generator)
    membrane = torch.exp(-math.log(2) * (distance / HALF_WIDTH) ** 4)
    texture = 1 + 0.06 * smooth_noise(n, height, width, 4.0, generator)
    spots = (smooth_noise(n, height, width, 5.0, generator) - 2.0).clamp(0, 1)
    tissue = cell_gray * texture * (1 - 0.35 * spots) * (1 - DEPTH * membrane)
    images = photograph(tissue, BLUR, UNEVENNESS, section.noise * NOISE, generator)
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
    distance = torch.empty(n, height * width)
    gray = torch.empty(n, height * width)
    for image in range(n):
        away, which = cKDTree(centres[image].numpy()).query(places[image].numpy(), k=2)
        first, second = torch.from_numpy(which).unbind(1)
        apart = (centres[image][first] - centres[image][second]).norm(dim=1)
        squares = torch.from_numpy(away).square()
        distance[image] = (squares[:, 1] - squares[:, 0]) / (2 * apart)
        gray[image] = grays[image][first]
    return distance.view(n, height, width), gray.view(n, height, width)
