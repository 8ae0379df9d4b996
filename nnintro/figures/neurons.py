"""What each neuron of a network built by hand adds to its output."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from nnintro.figures.canvas import (
    BLUE,
    GREY,
    INK,
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

WIDTH, LEAST, TOP, GAP, ROW, BOTTOM = 8.0, 4.5, 2.2, 0.5, 0.62, 0.5
"""Inches: of the figure, and of what stands in it from top to bottom."""
HEADING = 0.62
"""Inches above the first panel, for the title and the legend."""
TINT = 0.45


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
            _label(axes, place, weight)
        for axes in panels[:-1]:
            axes.tick_params(labelbottom=False)
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
    names = ["the neuron adds", "takes away", "sum up to it"]
    legend_above(panels[0], [up, down, line], names)


def _label(axes: Axes, place: float, weight: float) -> None:
    axes.text(
        1.015, 0.5, f"at {place:.3g}\nweight {weight:.3g}", transform=axes.transAxes, ha="left",
        va="center", fontsize=9, color=INK, parse_math=False,
    )  # fmt: skip


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
