"""A segmentation beside the truth: what was seen, what is there, what was answered."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from nnintro.recording.drawing import COLORS, Array, canvas, legend_beside
from nnintro.recording.overlays import FALSE, FOUND, MISSED, overlay

CELL = 2.2
"""Inches of an image."""
TWO_CLASSES = ("image", "truth", "probability", "prediction")
MORE_CLASSES = ("image", "truth", "confidence", "prediction")


def segmentation(
    images: Array,
    truth: Array,
    predicted: Array,
    confidence: Array,
    names: list[str],
    *,
    title: str = "",
) -> Figure:
    """A row for each of k images: it, its mask, the map of probability, and the prediction.

    ``images`` (k, H, W) or (k, H, W, 3) in [0, 1]; ``truth`` and ``predicted`` (k, H, W) class
    numbers; ``confidence`` (k, H, W) in [0, 1].  With two classes the last column lies over the
    image: found, missed and false in a colour each.
    """
    binary = len(names) == 2
    rows, columns = len(images), TWO_CLASSES if binary else MORE_CLASSES
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
    for column, heading in enumerate(columns):
        axes[0, column].set_title(heading, fontsize=10)
    for one in axes.flat:
        one.set(xticks=[], yticks=[])
        one.spines[:].set_visible(False)
    figure.colorbar(shown, ax=axes[:, 2], shrink=0.6, aspect=30)
    _legend(axes[0, 3], names, binary=binary)
    return figure


def _legend(axes: Axes, names: list[str], *, binary: bool) -> None:
    if binary:
        marks = [Patch(color=color) for color in (FOUND, MISSED, FALSE)]
        legend_beside(axes, marks, ["found", "missed", "false"])
        return
    colours = [COLORS[k % len(COLORS)] for k in range(len(names))]
    legend_beside(axes, [Patch(color=color) for color in colours], names)


def _show(axes: Axes, image: Array, classes: int | None = None) -> None:
    if classes is None:
        axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    elif classes == 2:
        axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    else:
        palette = ListedColormap([COLORS[k % len(COLORS)] for k in range(classes)])
        axes.imshow(image, cmap=palette, vmin=0, vmax=classes - 1, interpolation="nearest")
