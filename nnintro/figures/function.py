"""A network beside its target function: over one input, over two, and as predicted against true values."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnintro.figures.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    RED,
    Array,
    canvas,
    finite,
    legend_above,
    remark,
    short,
    some,
    span,
    tidy,
    without_infinity,
)

TICKS = 4
"""Few enough for the numbers to keep their distance under a narrow panel."""


def curve_fit(
    inputs: Array, targets: Array, grid: Array, prediction: Array, truth: Array | None = None, *, title: str = ""
) -> Figure:
    """Samples ``inputs``, ``targets`` (n,) and, over ``grid`` (m,), ``prediction`` and ``truth``.

    With ``truth`` (m,), a second panel shows \\|prediction - truth\\| and its maximum.
    """
    figure = canvas(title, margins=(0.1, 0.11, 0.98, 0.86))
    if truth is None:
        upper = figure.subplots()
        tidy(upper, "x", "y")
    else:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
        tidy(upper, "", "y")
        tidy(lower, "x", "|error|")
        _residual(lower, grid, np.abs(without_infinity(prediction) - truth))
    curves(upper, (inputs, targets), grid, prediction, truth)
    return figure


def curves(axes: Axes, samples: tuple[Array, Array], grid: Array, prediction: Array, truth: Array | None) -> None:
    """Target, samples and network in one panel, with their legend above it."""
    inputs, targets = samples
    shown = some(len(inputs))
    marks: list[Any] = []
    names = []
    if truth is not None:
        marks += axes.plot(grid, truth, color=ORANGE, linewidth=4, alpha=0.55)
        names.append("target")
    crowded = len(shown) > 200
    marks.append(
        axes.scatter(
            inputs[shown], targets[shown], s=4 if crowded else 16, color=GREY,
            alpha=0.5 if crowded else 0.9, linewidths=0, zorder=1.5,
        )
    )  # fmt: skip
    names.append("samples" if len(shown) == len(inputs) else f"samples ({len(shown)} of them)")
    marks += axes.plot(grid, without_infinity(prediction), color=BLUE, linewidth=1.6)
    names.append("network")
    axes.set_xlim(*span(grid, margin=0.01))
    axes.set_ylim(*_height(prediction, targets, truth))
    legend_above(axes, marks, names)
    low, high = axes.get_ylim()
    if not np.isfinite(prediction).all():
        remark(axes, "the network's output is not finite everywhere")
    elif not ((low <= prediction) & (prediction <= high)).any():
        remark(axes, "the network's output is far outside this picture")


def _height(prediction: Array, *wanted: Array | None) -> tuple[float, float]:
    """The range of the data; a prediction far outside leaves the picture, not flattens the rest."""
    low, high = span(*wanted, margin=0.08)
    least, most = span(prediction, np.array([low, high]), margin=0)
    room, edge = high - low, 0.04 * (most - least)
    least, most = least - edge * (least < low), most + edge * (most > high)
    return max(least, low - room), min(most, high + room)


def _residual(axes: Axes, grid: Array, error: Array) -> None:
    """|error| (m,) with its maximum marked."""
    axes.fill_between(grid, error, color=RED, alpha=0.25, linewidth=0)
    axes.plot(grid, error, color=RED, linewidth=1)
    values = finite(error)
    axes.set_ylim(0, 1.35 * (values.max(initial=0) or 1))
    if values.size == 0:
        remark(axes, "no finite error")
        return
    top = int(np.nanargmax(error))
    axes.plot(grid[top], error[top], "o", color=RED, markersize=5)
    # Written towards the middle, so that it never leaves the panel.
    left = grid[top] < (np.min(grid) + np.max(grid)) / 2
    axes.annotate(
        f"largest: {error[top]:.3g} at x = {grid[top]:.3g}", (grid[top], error[top]),
        xytext=(8 if left else -8, 2), textcoords="offset points", ha="left" if left else "right",
        fontsize=9, color=INK, parse_math=False,
    )  # fmt: skip


def surface_fit(
    x1: Array,
    x2: Array,
    prediction: Array,
    truth: Array | None = None,
    *,
    inputs: Array,
    targets: Array | None = None,
    title: str = "",
) -> Figure:
    """``truth``, ``prediction`` and \\|error\\| over the grid ``x1`` (k,) by ``x2`` (k,).

    Surfaces are (k, k), [i, j] standing at (x1[j], x2[i]) as ``numpy.meshgrid`` has it. The
    samples at ``inputs`` (n, 2) are dots on the first panel, coloured by their ``targets`` (n,) if
    those are given.
    """
    figure = canvas(title)
    surfaces = [*([] if truth is None else [("target", truth)]), ("network", prediction)]
    low, high = span(surfaces[0][1], margin=0)
    count = 1 if truth is None else 3
    panels = figure.subplots(1, count, sharex=True, sharey=True, squeeze=False)[0].tolist()
    for axes, (name, surface) in zip(panels, surfaces, strict=False):
        mesh = _surface(axes, x1, x2, surface, name, cmap="viridis", vmin=low, vmax=high)
    figure.colorbar(mesh, ax=panels[: len(surfaces)], location="bottom", aspect=40, ticks=MaxNLocator(TICKS))
    colors = "white" if targets is None else mesh.cmap(mesh.norm(targets[some(len(inputs))]))
    _samples(panels[0], inputs, colors)
    panels[0].set_ylabel("x2")
    if truth is None and np.ptp(x1) == np.ptp(x2):
        panels[0].set_aspect("equal")  # a line of 45 degrees looks like one
    if truth is not None:
        _error_surface(panels[2], x1, x2, np.abs(without_infinity(prediction) - truth))
    return figure


def _error_surface(axes: Axes, x1: Array, x2: Array, error: Array) -> None:
    values = finite(error)
    most = values.max(initial=0)
    name = f"|error|, largest {most:.3g}" if values.size else "|error|"
    mesh = _surface(axes, x1, x2, error, name, cmap="magma_r", vmin=0, vmax=most or 1)
    axes.figure.colorbar(mesh, ax=axes, location="bottom", aspect=20, ticks=MaxNLocator(TICKS))


def _surface(axes: Axes, x1: Array, x2: Array, surface: Array, name: str, **colors: Any) -> Any:
    """One panel; where the surface is not finite, the grey ground shows."""
    axes.set_title(name, fontsize=10, parse_math=False)
    axes.set_xlabel("x1")
    axes.set_facecolor("#E8E8E8")
    if not np.isfinite(surface).all():
        remark(axes, "not finite everywhere")
    return axes.pcolormesh(x1, x2, without_infinity(surface), shading="nearest", **colors)


def _samples(axes: Axes, inputs: Array, colors: Any) -> None:
    shown = inputs[some(len(inputs))]
    size, edge, width = (60, "white", 1.2) if len(shown) <= 20 else (9 if len(shown) <= 200 else 2, INK, 0.3)
    axes.scatter(shown[:, 0], shown[:, 1], s=size, color=colors, edgecolors=edge, linewidths=width)


def predicted_against_actual(targets: Array, predictions: Array, *, title: str = "") -> Figure:
    """Each sample's prediction over its target, both (n,); on the diagonal they agree."""
    figure = canvas(title)
    axes = figure.subplots()
    tidy(axes, "actual", "predicted")
    shown = some(len(targets))
    low, high = span(targets, predictions)
    (diagonal,) = axes.plot([low, high], [low, high], color=ORANGE, linewidth=1.6, zorder=1)
    dots = axes.scatter(
        targets[shown], without_infinity(predictions)[shown], s=18 if len(shown) <= 500 else 6,
        color=BLUE, alpha=0.6, linewidths=0,
    )  # fmt: skip
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    legend_above(axes, [dots, diagonal], ["samples", "predicted = actual"])
    if not np.isfinite(predictions).all():
        remark(axes, "not every prediction is finite")
    return figure


MOST_NAMED_ROWS = 30
"""Coefficients that have a name beside them; more are rows of dots."""


def coefficients(trained: Array, optimal: Array, names: list[str], *, title: str = "") -> Figure:
    """A row for each coefficient: the closed form's value as a ring, the trained one as a dot; (n, 1) each."""
    figure = canvas(title, margins=(0.24, 0.11, 0.98, 0.86))
    axes = figure.subplots()
    tidy(axes, "coefficient", "")
    rows = np.arange(len(names))[::-1]  # the first on top
    axes.axvline(0.0, color=GREY, linewidth=0.8, zorder=0)
    rings = axes.scatter(optimal[:, 0], rows, s=110, facecolors="none", edgecolors=ORANGE, linewidths=2.2)
    dots = axes.scatter(without_infinity(trained[:, 0]), rows, s=22, color=BLUE, zorder=3)
    axes.set_xlim(*span(optimal, trained, np.zeros(1)))
    axes.set_ylim(-0.6, len(names) - 0.4)
    if len(names) <= MOST_NAMED_ROWS:
        axes.set_yticks(rows, [short(name, 24) for name in names], parse_math=False)
    else:
        axes.set_yticks([])
    legend_above(axes, [rings, dots], ["closed form", "trained"])
    if not np.isfinite(trained).all():
        remark(axes, "not every trained coefficient is finite")
    return figure
