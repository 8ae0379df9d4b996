"""Sweeps: what became of the objective by the value of each key, and over two keys as a map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter

from nnintro.figures.canvas import BLUE, GREEN, GREY, RED, Array, canvas, legend_above, remark, short, some, tidy

COLUMNS, MOST_PANELS = 3, 9
DIVERGED = "#D9D2CC"
"""A flat colour that the scale of the objective does not have."""
OUTLIERS = 95.0
"""Percentile of the objectives at which the scale of colours ends: one that nearly diverged would take all of it."""


def objective_by_key(
    objective: Array,
    diverged: Array,
    columns: Mapping[str, Array],
    *,
    title: str = "",
    name: str = "",
    best: Sequence[str] = (),
    logarithmic: Sequence[str] = (),
    grows: Sequence[str] = (),
) -> Figure:
    """One panel for each key: the objective of each trial by its value.

    Args:
        objective: (n,) nan where there is none.
        diverged: (n,) whether a trial diverged: it is marked at the upper edge.
        columns: key -> (n,) its values; texts are shown as categories, in the order of their first trials.
        name: of the objective.
        best: number of the best trial's row, or nothing.
        logarithmic: keys with a logarithmic axis.
        grows: not empty where a large objective is good; its axis is not logarithmic then.
    """
    shown = list(columns)[:MOST_PANELS]
    rows, wide = math.ceil(len(shown) / COLUMNS), min(len(shown), COLUMNS)
    said = [*(["x: diverged"] if diverged.any() else []), *(["ring: the best"] if best else [])]
    title = f"{title} ({', '.join(said)})" if said else title
    figure = canvas(title, (max(3.6 * wide, 6.0), 0.5 + 3.3 * rows))
    panels = figure.subplots(rows, wide, sharey=True, squeeze=False)
    known = np.isfinite(objective)
    for axes, key in zip(panels.flat, shown, strict=False):  # all of them first: the scale of y is of all
        tidy(axes, key, name if axes in panels[:, 0] else "")
    for axes, key in zip(panels.flat, shown, strict=False):
        x = _positions(axes, "x", columns[key], key in logarithmic, spread=0.15)
        if not grows and known.any() and objective[known].min() > 0:
            axes.set_yscale("log")
        picked = some(len(objective))
        axes.scatter(x[picked], objective[picked], s=14, color=BLUE, alpha=0.5, linewidths=0)
        across = axes.get_xaxis_transform()
        gone = picked[diverged[picked].astype(bool)]
        axes.plot(x[gone], np.full(len(gone), 0.985), "x", color=RED, markersize=5, alpha=0.6, transform=across)
        for row in map(int, best):
            axes.plot(
                x[row], objective[row], "o", markersize=10, markerfacecolor="none", color=GREEN, markeredgewidth=2
            )
        if not known.any():
            remark(axes, "no trial came to its end")
    for axes in panels.flat[len(shown) :]:
        axes.set_visible(False)
    return figure


def objective_map(
    x: Array,
    y: Array,
    objective: Array,
    diverged: Array,
    *,
    title: str = "",
    name: str = "",
    keys: Sequence[str] = ("x", "y"),
    logarithmic: Sequence[str] = (),
    grows: Sequence[str] = (),
) -> Figure:
    """The objective over two keys in colours, on a logarithmic scale; what diverged in one flat colour.

    Args:
        x, y: (n,) values of the two keys; texts are categories.
        objective, diverged, name, logarithmic, grows: as ``objective_by_key`` has them.
        keys: the names of the two.
    """
    figure = canvas(title, (8.0, 5.6), margins=(0.12, 0.11, 0.97, 0.86))
    axes = figure.subplots()
    tidy(axes, *keys)
    axes.grid(visible=False)
    across, up = (
        _positions(axes, side, values, key in logarithmic) for side, values, key in zip("xy", (x, y), keys, strict=True)
    )
    known, gone = np.isfinite(objective), diverged.astype(bool)
    if not known.any():
        remark(axes, "no trial came to its end")
        return figure
    norm = _norm(objective[known], bool(grows))
    colours: dict[str, Any] = {"norm": norm, "cmap": "viridis" if grows else "viridis_r"}
    columns, rows = np.unique(across), np.unique(up)
    if (
        len(columns) * len(rows) == len(np.unique(np.stack([across, up]), axis=1).T)
        and min(len(columns), len(rows)) > 1
    ):
        drawn = _cells(axes, (columns, rows), (across, up), objective, gone, colours)
    else:
        axes.scatter(across[gone], up[gone], s=16, color=DIVERGED, linewidths=0)
        drawn = axes.scatter(across[known], up[known], c=objective[known], s=22, linewidths=0, **colours)
    bar = figure.colorbar(drawn, ax=axes, extend="neither" if grows else "max", pad=0.02)
    bar.set_label(short(name, 40), parse_math=False)
    best = int(np.nanargmax(objective) if grows else np.nanargmin(objective))
    star = axes.plot(
        across[best], up[best], marker="*", markersize=15, color=RED, markeredgecolor="white", linestyle=""
    )
    marks: list[Any] = [*star]
    names = [f"best: {objective[best]:.3g} at {_shown(x[best])}, {_shown(y[best])}"]
    if gone.any():
        marks.append(Patch(facecolor=DIVERGED, edgecolor=GREY, linewidth=0.5))
        names.append("diverged")
    legend_above(axes, marks, names)
    return figure


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, str) else f"{value:.3g}"


def _cells(
    axes: Axes,
    edges_of: tuple[Array, Array],
    at: tuple[Array, Array],
    objective: Array,
    gone: Array,
    colours: Mapping[str, Any],
) -> Any:
    """A grid as cells that meet half way to their neighbours."""
    columns, rows = edges_of
    place = np.searchsorted(rows, at[1]), np.searchsorted(columns, at[0])
    values, is_gone = np.full((2, len(rows), len(columns)), np.nan)
    values[place], is_gone[place] = objective, np.where(gone, 0.0, np.nan)
    edges = _edges(columns, axes.get_xscale() == "log"), _edges(rows, axes.get_yscale() == "log")
    axes.pcolormesh(*edges, is_gone, cmap=_flat(DIVERGED), vmin=0, vmax=1)
    return axes.pcolormesh(*edges, values, **colours)


def _flat(colour: str) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap([colour])


def _edges(values: Array, logarithmic: bool) -> Array:
    """The borders of cells around ascending values, half way to their neighbours (on the axis's scale)."""
    places = np.log(values) if logarithmic else values
    between = (places[1:] + places[:-1]) / 2
    edges = np.concatenate([[2 * places[0] - between[0]], between, [2 * places[-1] - between[-1]]])
    return np.exp(edges) if logarithmic else edges


def _norm(values: Array, grows: bool) -> Normalize:
    low, high = float(values.min()), float(values.max())
    if grows or low <= 0:
        return Normalize(float(np.percentile(values, 100 - OUTLIERS)) if grows else low, high)
    top = float(np.percentile(values, OUTLIERS))
    return LogNorm(low, top if top > low else low * 10)


def _positions(axes: Axes, side: str, values: Array, logarithmic: bool, spread: float = 0.0) -> Array:
    """Where values stand on an axis, which is set up for them: numbers where they are, texts in a row."""
    axis, set_scale = (axes.xaxis, axes.set_xscale) if side == "x" else (axes.yaxis, axes.set_yscale)
    if values.dtype.kind in "US":
        texts = list(dict.fromkeys(values.tolist()))
        axis.set_ticks(range(len(texts)), [short(text, 16) for text in texts], parse_math=False)
        if side == "x" and sum(map(len, texts)) > 30:
            axes.tick_params(axis="x", rotation=30)
        # Beside each other, where hundreds of dots would be one; always the same way.
        aside = np.random.default_rng(0).uniform(-spread, spread, len(values))
        return np.array([texts.index(text) for text in values.tolist()], dtype=np.float64) + aside
    if logarithmic:
        set_scale("log")
        decades = np.log10(values.max() / values.min())
        axis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2 else (1.0, 2.0, 5.0)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    return values.astype(np.float64)
