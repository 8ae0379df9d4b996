"""Images made up by a rule, with masks that are right by construction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images.made.cells import make_cells
from nnintro.datasets.images.made.fields import Made
from nnintro.datasets.images.made.sky import make_sky
from nnintro.datasets.images.made.tumour import make_tumour

__all__ = ["GENERATORS", "Generator", "Made"]


@dataclass(frozen=True)
class Generator:
    """How images are made, what the two values of their masks mean, and in what they measure."""

    make: Callable[[ImagesDataset, int, torch.Generator], Made]
    """(section, images, stream) -> images and masks of ``section.size``."""
    classes: tuple[str, str]
    units: str


GENERATORS = {
    "cells": Generator(make_cells, ("inside", "boundary"), "fraction"),
    "sky": Generator(make_sky, ("background", "source"), "counts"),
    "tumour": Generator(make_tumour, ("tissue", "growth"), "fraction"),
}
