"""A classifier's decision regions, and its confusion matrix."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nnintro.figures.canvas import (
    COLORS,
    GREY,
    INK,
    MARKERS,
    Array,
    canvas,
    finite,
    legend_beside,
    short,
    some,
    span,
    tidy,
)


def decision_regions(
    x1: Array,
    x2: Array,
    classes: Array,
    confidence: Array,
    *,
    inputs: Array,
    labels: Array,
    names: list[str],
    truth: Array | None = None,
    title: str = "",
) -> Figure:
    """The class of every point of the grid ``x1`` (k,) by ``x2`` (k,), and the samples on it.

    ``classes`` (k, k) integers and ``confidence`` (k, k) in [0, 1] at (x1[j], x2[i]): the more
    confident, the stronger the colour. Samples at ``inputs`` (n, 2) with ``labels`` (n,). Where
    ``truth`` (k, k) changes its sign, the classes' own boundary is drawn.
    """
    figure = canvas(title)
    axes = figure.subplots()
    tidy(axes, "x1", "x2")
    axes.grid(visible=False)
    axes.pcolormesh(x1, x2, _tints(classes, confidence), shading="nearest")
    _boundaries(axes, x1, x2, classes)
    values = np.zeros(0) if truth is None else finite(truth)
    has_truth = bool(values.size and values.min() < 0 < values.max())
    if has_truth:
        axes.contour(x1, x2, truth, levels=[0.0], colors=INK, linewidths=1.8, linestyles="--")
    _labelled(axes, inputs, labels, names, has_truth=has_truth)
    axes.set(xlim=span(x1, margin=0), ylim=span(x2, margin=0))
    if 0.5 <= np.ptp(x1) / (np.ptp(x2) or 1) <= 2:
        axes.set_aspect("equal")
    return figure


def _tints(classes: Array, confidence: Array) -> Array:  # (k, k, 3)
    """Each class's colour, mixed with white: a quarter of it at no confidence, 60 % at full."""
    palette = np.array([to_rgb(color) for color in COLORS])
    strength = 0.1 + 0.5 * np.clip(np.nan_to_num(confidence, nan=0.0), 0, 1)[..., None]
    tints: Array = 1 - strength * (1 - palette[classes % len(COLORS)])
    return tints


def _boundaries(axes: Axes, x1: Array, x2: Array, classes: Array) -> None:
    present = np.unique(classes)
    if len(present) == 1 or min(classes.shape) < 2:
        return
    for one in present:
        axes.contour(x1, x2, classes == one, levels=[0.5], colors=INK, linewidths=0.7, alpha=0.7)


def _labelled(axes: Axes, inputs: Array, labels: Array, names: list[str], *, has_truth: bool) -> None:
    """The samples, each class with its colour and its shape."""
    shown = some(len(inputs))
    size = 26 if len(shown) <= 400 else 16
    marks: list[Artist] = []
    for one in range(len(names)):
        members = shown[labels[shown] == one]
        marks.append(
            axes.scatter(
                inputs[members, 0], inputs[members, 1], s=size, color=COLORS[one % len(COLORS)],
                marker=MARKERS[one % len(MARKERS)], edgecolors="white", linewidths=0.5,
            )
        )  # fmt: skip
    if has_truth:
        marks.append(Line2D([], [], color=INK, linewidth=1.8, linestyle="--"))
        names = [*names, "formula = 0"]
    legend_beside(axes, marks, names)


def confusion_matrix(counts: Array, names: list[str], *, title: str = "") -> Figure:
    """``counts`` (K, K): how many samples of each true class (row) were put into each (column).

    Colours show the fraction of the row, so that rare classes are seen as well as common ones.
    """
    size = len(names)
    figure = canvas(title, (8.0, 4.5 if size <= 10 else 7.0))
    axes = figure.subplots()
    totals = counts.sum(axis=1, keepdims=True)
    fractions = counts / np.maximum(totals, 1)
    image = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    figure.colorbar(image, ax=axes, label="fraction of the true class")
    _name_cells(axes, names)
    _write_counts(axes, counts, fractions)
    return figure


def _name_cells(axes: Axes, names: list[str]) -> None:
    size = len(names)
    labels = [short(name, 18) for name in names]
    font = 9 if size <= 10 else 7
    flat = max(map(len, labels), default=0) * size <= 60
    axes.set_xticks(range(size), labels, fontsize=font, parse_math=False)
    if not flat:
        for label in axes.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(size), labels, fontsize=font, parse_math=False)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _write_counts(axes: Axes, counts: Array, fractions: Array) -> None:
    """The number in each cell: white on dark blue, black on light, grey where it is zero.

    At 0.72 of the blue scale both white and black have a contrast of 4.5 (WCAG 2).
    """
    digits = len(str(counts.max(initial=0)))
    font = min(11.0, 580 / (len(counts) * max(digits, 2)))
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if fractions[row, column] > 0.72 else "black" if count else GREY
        text = axes.text(column, row, str(count), color=color, fontsize=font)
        # The numbers stay inside the cells: measuring 400 of them would take a second.
        text.set(ha="center", va="center", in_layout=False)
