"""generator ``sky``: counts of a gamma-ray telescope, with point sources as the mask.

    expected counts = BACKGROUND (1 + 0.2 smooth) + BAND exp(-(distance to a line)^2 / (2 w^2))
                      + sum over sources of flux_k PSF(pixel - place_k)
    counts          = Poisson(expected counts)

PSF is a Gaussian of PSF pixels, integrated over each pixel. Within the aperture, a disc of APERTURE
pixels about the source, lies the fraction 1 - exp(-APERTURE^2 / (2 PSF^2)) of its flux. A flux is
F u^(-1), u uniform in (0, 1], at most BRIGHTEST F: a power law whose counts of sources brighter
than S fall as 1/S. F, the faintest, follows from ``signal_to_noise``: its counts in the aperture by
the square root of the background's there. Where the band is bright, F is larger.

``noise`` other than 1 makes Poisson's deviation from the expected counts that much larger.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images.made.fields import smooth_noise, uniform
from nnintro.datasets.images.store import InMemory

PSF = 1.5
APERTURE = 2.4
"""About 1.6 PSF, where a Gaussian stands out most from a flat background."""
BACKGROUND = 5.0
BAND = 10.0
BRIGHTEST = 20.0
APART = 6.0
"""Pixels between any two sources, and between a source and the border."""
MASK_RADIUS = 1.5
FEWEST, MOST = 3, 9
"""Sources on a sky of 64 x 64; in proportion on others."""
TRIES = 20


def draw_sky(section: ImagesDataset, n: int, generator: torch.Generator) -> InMemory:
    height, width = section.pixels
    background = sky_background(n, height, width, generator)
    places, there = draw_places(n, height, width, generator)
    fluxes = there * draw_fluxes(background, places, section.signal_to_noise, generator)
    expected = add_sources(background, places, fluxes)
    counts = torch.poisson(expected, generator=generator)
    counts = expected + section.noise * (counts - expected) if section.noise != 1 else counts
    return InMemory(counts[:, None], discs(places, there, height, width))


def sky_background(n: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """(n, height, width): expected counts without sources."""
    side = max(height, width)
    diffuse = 1 + 0.2 * smooth_noise(n, height, width, side / 2, generator).clamp(-3, 3)
    angle = uniform(0, math.pi, n, 1, 1, generator=generator)
    offset = uniform(-0.3, 0.3, n, 1, 1, generator=generator) * side
    breadth = uniform(0.06, 0.12, n, 1, 1, generator=generator) * side
    y = torch.arange(height, dtype=torch.float32)[:, None] - (height - 1) / 2
    x = torch.arange(width, dtype=torch.float32) - (width - 1) / 2
    distance = y * angle.cos() + x * angle.sin() - offset
    return BACKGROUND * diffuse + BAND * torch.exp(-0.5 * (distance / breadth).square())


def draw_places(n: int, height: int, width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Places (n, most, 2) of the sources, (row, column), and which of them are there (n, most).

    Each is drawn anew until it is APART from the border and from those before it, TRIES times;
    where that is in vain there is a source less.
    """
    share = height * width / 64**2
    fewest, most = max(1, round(FEWEST * share)), max(1, round(MOST * share))
    wanted = torch.randint(fewest, most + 1, (n,), generator=generator)
    room = torch.tensor([height - 1, width - 1], dtype=torch.float32) - 2 * APART
    places = torch.full((n, most, 2), math.inf, dtype=torch.float32)
    there = torch.zeros(n, most, dtype=torch.bool)
    for source in range(most):
        for _ in range(TRIES):
            drawn = APART + room * torch.rand(n, 2, generator=generator, dtype=torch.float32)
            squared = (places - drawn[:, None]).square().sum(2)  # inf where there is none yet
            free = (squared >= APART**2).all(1)
            new = free & ~there[:, source] & (source < wanted)
            places[:, source] = torch.where(new[:, None], drawn, places[:, source])
            there[:, source] |= new
    return torch.where(there[:, :, None], places, 0.0), there


def draw_fluxes(background: Tensor, places: Tensor, signal_to_noise: float, generator: torch.Generator) -> Tensor:
    """(n, most): counts of each source, of which a part falls into the aperture."""
    n, height, width = background.shape
    pixel = places.round().long()
    flat = pixel[:, :, 0].clamp(0, height - 1) * width + pixel[:, :, 1].clamp(0, width - 1)
    below = background.reshape(n, -1).gather(1, flat) * (math.pi * APERTURE**2)
    faintest = signal_to_noise * below.sqrt() / (1 - math.exp(-0.5 * (APERTURE / PSF) ** 2))
    law = 1 / (1 - torch.rand(places.shape[:2], generator=generator, dtype=torch.float32))
    return faintest * law.clamp(max=BRIGHTEST)


def add_sources(background: Tensor, places: Tensor, fluxes: Tensor) -> Tensor:
    """The background with each source's flux spread by the PSF, integrated over each pixel."""
    _, height, width = background.shape
    expected = background.clone()
    reach = math.ceil(6 * PSF)
    for image, source in fluxes.nonzero().tolist():
        row, column = places[image, source].tolist()
        rows = range(max(0, round(row) - reach), min(height, round(row) + reach + 1))
        columns = range(max(0, round(column) - reach), min(width, round(column) + reach + 1))
        down = torch.tensor([_within(pixel, row) for pixel in rows], dtype=torch.float32)
        right = torch.tensor([_within(pixel, column) for pixel in columns], dtype=torch.float32)
        patch = fluxes[image, source] * down[:, None] * right
        expected[image, rows.start : rows.stop, columns.start : columns.stop] += patch
    return expected


def _within(pixel: int, centre: float) -> float:
    """The part of a Gaussian about ``centre`` between the two edges of a pixel."""
    root = PSF * math.sqrt(2)
    return 0.5 * (math.erf((pixel + 0.5 - centre) / root) - math.erf((pixel - 0.5 - centre) / root))


def discs(places: Tensor, there: Tensor, height: int, width: int) -> Tensor:
    """(n, height, width) uint8: 1 at pixels within MASK_RADIUS of a source."""
    masks = torch.zeros(len(places), height, width, dtype=torch.uint8)
    steps = torch.arange(-2, 3)
    offsets = torch.cartesian_prod(steps, steps)  # (25, 2)
    pixels = places.round().long()[:, :, None] + offsets  # (n, most, 25, 2)
    near = (pixels - places[:, :, None]).square().sum(3) <= MASK_RADIUS**2
    image, source, offset = (near & there[:, :, None]).nonzero(as_tuple=True)
    row, column = pixels[image, source, offset].unbind(1)
    masks[image, row, column] = 1
    return masks
