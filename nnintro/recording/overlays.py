"""Classes of pixels in colour over a grey image; needs no plotting library."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FOUND, MISSED, FALSE = "#009E73", "#0072B2", "#D55E00"
CLASSES = ("#E69F00", "#009E73", "#56B4E9", "#CC79A7", "#0072B2", "#D55E00", "#F0E442")
"""Okabe and Ito's palette (2008)."""


def overlay(image: Array, truth: Array, predicted: Array) -> Array:
    """(H, W, 3): the image in grey, the class found, missed and falsely seen in colours.

    ``image`` (H, W) or (H, W, 3) in [0, 1]; ``truth`` and ``predicted`` (H, W) truth values.
    """
    found = _grey(image)
    _tint(found, truth & predicted, FOUND, 0.75)
    _tint(found, truth & ~predicted, MISSED, 0.75)
    _tint(found, predicted & ~truth, FALSE, 0.75)
    return found


def marked(image: Array, predicted: Array) -> Array:
    """(H, W, 3): the image in grey, each class but the first in a colour of its own over it."""
    found = _grey(image)
    for one in range(1, int(predicted.max(initial=0)) + 1):
        _tint(found, predicted == one, CLASSES[(one - 1) % len(CLASSES)], 0.55)
    return found


def _grey(image: Array) -> Array:
    grey = image if image.ndim == 2 else image.mean(-1)
    return np.repeat(grey[..., None], 3, axis=-1).astype(float)


def _tint(image: Array, where: Array, color: str, strength: float) -> None:
    rgb = np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    image[where] = (1 - strength) * image[where] + strength * rgb
