"""Segmentations: the image, the true mask and the predicted mask side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from nnintro.figures.canvas import BLUE, COLORS, GREEN, ORANGE, RED, Array, canvas, legend_beside

CELL = 2.2
"""Inches of an image."""
FOUND, MISSED, FALSE = GREEN, BLUE, RED
CLASSES = ("#E69F00", "#009E73", "#56B4E9", "#CC79A7", "#0072B2", "#D55E00", "#F0E442")
"""Okabe and Ito's palette (2008)."""


def segmentation(
    images: Array,
    truth: Array,
    predicted: Array,
    confidence: Array,
    names: list[str],
    *,
    points_true: Array | None = None,
    points_found: Array | None = None,
    title: str = "",
) -> Figure:
    """A row for each of k images: it, its mask, the map of probability, and the prediction.

    ``images`` (k, H, W) or (k, H, W, 3) in [0, 1]; ``truth`` and ``predicted`` (k, H, W) class
    numbers; ``confidence`` (k, H, W) in [0, 1].  With two classes the last column lies over the
    image: found, missed and false in a colour each.  Points (m, 3), image, row and column each, are
    marked on the images: circles are true ones, crosses those that were found.
    """
    binary = len(names) == 2
    third = "probability" if binary else "confidence"
    rows = len(images)
    figure = canvas(title, (4 * CELL + 1.6, rows * CELL + 0.6))
    axes = figure.subplots(rows, 4, squeeze=False)
    for row in range(rows):
        _show(axes[row, 0], images[row])
        _show(axes[row, 1], truth[row], classes=len(names))
        shown = axes[row, 2].imshow(confidence[row], cmap="magma", vmin=0, vmax=1)
        if binary:
            _show(axes[row, 3], overlay(images[row], truth[row] == 1, predicted[row] == 1))
        else:
            _show(axes[row, 3], predicted[row], classes=len(names))
    marks = _mark(axes, points_true, points_found)
    for one, heading in zip(axes[0], ("image", "truth", third, "prediction"), strict=True):
        one.set_title(heading, fontsize=10)
    for one in axes.flat:
        one.set(xticks=[], yticks=[])
        one.spines[:].set_visible(False)
    figure.colorbar(shown, ax=axes[:, 2], shrink=0.6, aspect=30)
    _legend(axes[0, 3], names, marks, binary=binary)
    return figure


def _mark(axes: npt.NDArray[Any], true: Array | None, found: Array | None) -> dict[str, Artist]:
    """Points on the first column; a sample of each mark for the legend."""
    marks: dict[str, Artist] = {}
    for name, points, style in (
        ("true point", true, {"marker": "o", "s": 60, "facecolors": "none", "edgecolors": ORANGE}),
        ("found point", found, {"marker": "x", "s": 22, "color": BLUE}),
    ):
        if points is None:
            continue
        for row, place in enumerate(axes[:, 0]):
            here = points[points[:, 0] == row]
            marks[name] = place.scatter(here[:, 2], here[:, 1], linewidths=1.1, **style)
    return marks


def _legend(axes: Axes, names: list[str], marks: dict[str, Artist], *, binary: bool) -> None:
    colors = [FOUND, MISSED, FALSE] if binary else _colors(len(names))
    names = ["found", "missed", "false"] if binary else names
    patches = [Patch(color=color) for color in colors]
    legend_beside(axes, [*patches, *marks.values()], [*names, *marks])


def _show(axes: Axes, image: Array, classes: int | None = None) -> None:
    if classes is None:
        axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    else:
        palette = "gray" if classes == 2 else ListedColormap(_colors(classes))
        axes.imshow(image, cmap=palette, vmin=0, vmax=classes - 1, interpolation="nearest")


def _colors(classes: int) -> list[str]:
    return [COLORS[k % len(COLORS)] for k in range(classes)]


def overlay(image: Array, truth: Array, predicted: Array) -> Array:
    """(H, W, 3): the image in grey, the class found, missed and falsely seen in colours.

    ``image`` (H, W) or (H, W, 3) in [0, 1]; ``truth`` and ``predicted`` (H, W) truth values.
    """
    tinted = _grey(image)
    for where, color in ((truth & predicted, FOUND), (truth & ~predicted, MISSED), (predicted & ~truth, FALSE)):
        _tint(tinted, where, color, 0.75)
    return tinted


def marked(image: Array, predicted: Array) -> Array:
    """(H, W, 3): the image in grey, each class but the first in a colour of its own over it."""
    tinted = _grey(image)
    for one in range(1, int(predicted.max(initial=0)) + 1):
        _tint(tinted, predicted == one, CLASSES[(one - 1) % len(CLASSES)], 0.55)
    return tinted


def _grey(image: Array) -> Array:
    grey = image if image.ndim == 2 else image.mean(-1)
    return np.repeat(grey[..., None], 3, axis=-1).astype(float)


def _tint(image: Array, where: Array, color: str, strength: float) -> None:
    image[where] = (1 - strength) * image[where] + strength * np.array(to_rgb(color))
