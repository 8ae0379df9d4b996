"""A network of constant pieces beside its formula, and its error within the proved bound."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nnintro.figures.canvas import BLUE, GREY, INK, ORANGE, RED, Array, canvas, legend_above, tidy

CROWDED = 60
"""More pieces than this have no marks at their ends."""


def certified_pieces(
    grid: Array, truth: Array, starts: Array, stops: Array, values: Array, bound: Array,
    *, title: str = "",
) -> Figure:  # fmt: skip
    """Pieces (starts, stops], (pieces,), of ``values`` over a formula; below, formula - network.

    Args:
        grid, truth: (points,) where the formula is drawn, and its values.
        bound: (1,) the proved error.
    """
    figure = canvas(title, size=(8.0, 5.5), margins=(0.1, 0.1, 0.98, 0.87))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 1])
    tidy(upper, "", "y")
    tidy(lower, "x", "formula - network")
    marks = upper.plot(grid, truth, color=ORANGE, linewidth=3, alpha=0.6)
    lines = [[(a, v), (b, v)] for a, b, v in zip(starts, stops, values, strict=True)]
    marks.append(upper.add_collection(LineCollection(lines, colors=BLUE, linewidths=1.6)))
    if len(values) <= CROWDED:
        upper.vlines(stops[:-1], values[:-1], values[1:], color=BLUE, linewidth=0.7, alpha=0.6)
    legend_above(upper, marks, ["formula", "network"])
    pieces = np.minimum(np.searchsorted(stops, grid, side="left"), len(values) - 1)
    lower.axhspan(-bound[0], bound[0], color=GREY, alpha=0.18, linewidth=0)
    lower.plot(grid, truth - values[pieces], color=RED, linewidth=0.9)
    for edge in (-bound[0], bound[0]):
        lower.axhline(edge, color=INK, linewidth=0.9, linestyle="--")
    lower.set_ylim(-1.6 * bound[0] or -1, 1.6 * bound[0] or 1)
    text = f"proved: nowhere beyond {bound[0]:.4g}"
    lower.text(0.005, 0.97, text, transform=lower.transAxes, va="top", color=INK, fontsize=9)
    return figure


def certified_boxes(lows: Array, highs: Array, values: Array, *, title: str = "") -> Figure:
    """Boxes (lows, highs], (boxes, 2), in the colours of their ``values``, (boxes,)."""
    figure = canvas(title, size=(6.4, 5.4))
    axes = figure.subplots()
    tidy(axes, "x1", "x2")
    sizes = highs - lows
    boxes = [Rectangle((a, c), w, h) for (a, c), (w, h) in zip(lows, sizes, strict=True)]
    thin = 0.4 if len(values) <= 2000 else 0.0
    drawn = PatchCollection(boxes, cmap="viridis", edgecolor="white", linewidths=thin)
    drawn.set_array(values)
    axes.add_collection(drawn)
    axes.set_xlim(lows[:, 0].min(), highs[:, 0].max())
    axes.set_ylim(lows[:, 1].min(), highs[:, 1].max())
    figure.colorbar(drawn, ax=axes, label="network")
    return figure


def error_against_neurons(
    neurons: Array, constructed: Array, trained: Array, handed_over: Array, *, title: str = ""
) -> Figure:
    """Proved errors, (sizes,) each, of networks with so many ``neurons``; both axes in powers."""
    figure = canvas(f"{title}: largest error, proved, against neurons", margins=(0.1, 0.12, 0.98, 0.86))
    axes = figure.subplots()
    tidy(axes, "hidden neurons", "largest error")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    marks = []
    for errors, color, marker in (
        (constructed, BLUE, "s"), (trained, ORANGE, "o"), (handed_over, RED, "^"),
    ):  # fmt: skip
        marks += axes.plot(neurons, errors, color=color, marker=marker, linewidth=1.6)
    axes.set_xticks(neurons, [f"{int(count)}" for count in neurons])
    axes.minorticks_off()
    names = ["built by hand", "trained from torch's start", "trained from the built one"]
    legend_above(axes, marks, names)
    return figure
