"""Generate images whose masks are exact by construction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images.made.sky import draw_sky
from nnintro.datasets.images.made.tissue import draw_cells, draw_tumour
from nnintro.datasets.images.store import InMemory

PIXELS_AT_A_TIME = 1 << 20
"""Of all images together; what a generator needs besides its result stays below 200 MB."""


@dataclass(frozen=True)
class Generator:
    """How images are made, and what their numbers mean."""

    draw: Callable[[ImagesDataset, int, torch.Generator], InMemory]
    """(section, images, stream) -> images, uint8 or float32, and masks of ``section.pixels``."""
    classes: tuple[str, str]
    """What 0 and 1 in a mask mean."""
    bits: int | None
    """8 for gray as a camera has it, None for counts."""
    stated: tuple[str, ...] = ()
    """Settings that a reader of the run should know."""

    def make(self, section: ImagesDataset, stream: torch.Generator) -> InMemory:
        """The images of a section, some at a time: memory is bounded, whatever their number."""
        some = chunks(section.images, *section.pixels)
        parts = [self.draw(section, count, stream) for count in some]
        images, labels = zip(*((part.images, part.labels) for part in parts), strict=True)
        return InMemory(torch.cat(images), torch.cat(labels))


def chunks(images: int, height: int, width: int) -> list[int]:
    """``images`` as a sum of numbers that can be made in one go."""
    most = max(1, PIXELS_AT_A_TIME // (height * width))
    return [min(most, images - start) for start in range(0, images, most)]


GENERATORS = {
    "cells": Generator(draw_cells, ("inside", "boundary"), bits=8),
    "sky": Generator(draw_sky, ("background", "source"), bits=None, stated=("signal_to_noise",)),
    "tumour": Generator(draw_tumour, ("tissue", "growth"), bits=8),
}
