"""Constructed networks: their constant pieces, each neuron's contribution, and their proved errors."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from nnintro.figures.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    RED,
    Array,
    canvas,
    legend_above,
    remark,
    span,
    tidy,
    without_infinity,
)
from nnintro.figures.function import curves

CROWDED = 60
"""More pieces than this have no marks at their ends."""
WIDTH, LEAST, TOP, GAP, ROW, BOTTOM = 8.0, 4.5, 2.2, 0.5, 0.62, 0.5
"""Inches: the figure's width, its least height, and its parts from top to bottom."""
HEADING = 0.62
"""Inches above the first panel, for the title and the legend."""
TINT = 0.45


def certified_pieces(
    grid: Array, truth: Array, starts: Array, stops: Array, values: Array, bound: Array, *, title: str = ""
) -> Figure:
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
    """Proved errors, (sizes,) each, of networks by their number of ``neurons``; both axes in powers."""
    figure = canvas(f"{title}: largest error, proved, against neurons", margins=(0.1, 0.12, 0.98, 0.86))
    axes = figure.subplots()
    tidy(axes, "hidden neurons", "largest error")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    marks = []
    for errors, color, marker in ((constructed, BLUE, "s"), (trained, ORANGE, "o"), (handed_over, RED, "^")):
        marks += axes.plot(neurons, errors, color=color, marker=marker, linewidth=1.6)
    axes.set_xticks(neurons, [f"{int(count)}" for count in neurons])
    axes.minorticks_off()
    legend_above(axes, marks, ["built by hand", "trained from torch's start", "trained from the built one"])
    return figure


def neurons(
    inputs: Array,
    targets: Array,
    grid: Array,
    prediction: Array,
    places: Array,
    weights: Array,
    contributions: Array | None = None,
    offset: Array | None = None,
    truth: Array | None = None,
    *,
    title: str = "",
) -> Figure:
    """The fit as ``curve_fit`` has it, and below a row for each neuron.

    Args:
        places, weights: (neurons,) where each switches, and what it weighs in the output.
        contributions: (neurons, m) what each adds over ``grid`` (m,); where it is left out, there
            are too many for rows, and one panel shows all weights at their places.
        offset: (1,) what the sum begins with.
    """
    rows = 0 if contributions is None else len(contributions)
    lower = max(rows * ROW, 1.0)
    height = max(LEAST, HEADING + TOP + GAP + lower + BOTTOM)
    margins = (0.09, BOTTOM / height, 0.84 if rows else 0.98, 1 - HEADING / height)
    figure = canvas(title, (WIDTH, height), margins)
    between = 2 * GAP / (TOP + lower)  # a share of the panels' mean height
    layout = figure.add_gridspec(2, 1, height_ratios=[TOP, lower], hspace=between)
    upper = figure.add_subplot(layout[0])
    tidy(upper, "", "y")
    curves(upper, (inputs, targets), grid, prediction, truth)
    if contributions is None or not rows:
        lowest = figure.add_subplot(layout[1], sharex=upper)
        _weights(lowest, places, weights)
    else:
        parts = layout[1].subgridspec(rows, 1, hspace=0.12)
        panels = parts.subplots(sharey=True, squeeze=False)[:, 0].tolist()
        lowest = panels[-1]
        _rows(panels, grid, contributions, 0.0 if offset is None else float(offset[0]))
        for axes, place, weight in zip(panels, places, weights, strict=True):
            axes.set_xlim(upper.get_xlim())
            axes.tick_params(labelbottom=axes is lowest)
            axes.text(
                1.015, 0.5, f"at {place:.3g}\nweight {weight:.3g}", transform=axes.transAxes, ha="left",
                va="center", fontsize=9, color=INK, parse_math=False,
            )  # fmt: skip
    upper.tick_params(labelbottom=False)
    lowest.set_xlabel("x")
    return figure


def _rows(panels: list[Axes], grid: Array, contributions: Array, offset: float) -> None:
    added = without_infinity(contributions)
    sums = without_infinity(offset + np.cumsum(contributions, axis=0))
    low, high = span(added, sums, np.zeros(1), margin=0.12)
    for axes, one, so_far in zip(panels, added, sums, strict=True):
        tidy(axes)
        axes.axhline(0, color=GREY, linewidth=0.6)
        color = BLUE if np.nansum(one) >= 0 else RED
        axes.fill_between(grid, one, color=color, alpha=TINT, linewidth=0)
        (line,) = axes.plot(grid, so_far, color=INK, linewidth=1.3)
        axes.yaxis.set_major_locator(MaxNLocator(2))
        axes.tick_params(labelsize=8)
    panels[0].set_ylim(low, high)
    up, down = (Patch(color=color, alpha=TINT, linewidth=0) for color in (BLUE, RED))
    legend_above(panels[0], [up, down, line], ["the neuron adds", "takes away", "sum up to it"])


def _weights(axes: Axes, places: Array, weights: Array) -> None:
    """A line for each neuron, where it switches, as long as its weight."""
    tidy(axes, "", "weight")
    shown = without_infinity(weights)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.vlines(
        without_infinity(places), 0, shown, colors=[BLUE if w >= 0 else RED for w in shown],
        linewidth=1.2 if len(shown) <= 200 else 0.5,
    )  # fmt: skip
    if not len(shown):
        remark(axes, "no neurons")
    axes.set_ylim(*span(shown, np.zeros(1), margin=0.12))
