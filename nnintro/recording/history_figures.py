"""What a run measured, over its updates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from nnintro.recording.drawing import (
    COLORS,
    Array,
    canvas,
    finite,
    legend_beside,
    remark,
    span,
    tidy,
    without_infinity,
)

STYLES = ("-", "--", ":", "-.")


def learning_curves(steps: Array, columns: Mapping[str, Array], *, title: str = "") -> Figure:
    """Each column (m,) over ``steps`` (m,): losses above, everything else below.

    Losses are those with "loss" in their name; their axis is logarithmic when all are positive.
    NaN is a gap.
    """
    losses = {name: values for name, values in columns.items() if "loss" in name}
    others = {name: values for name, values in columns.items() if name not in losses}
    groups = [(name, group) for name, group in (("loss", losses), ("metric", others)) if group]
    figure = canvas(title, margins=(0.1, 0.12, 0.75, 0.9))
    panels = figure.subplots(max(len(groups), 1), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, group) in zip(panels, groups, strict=False):
        tidy(axes, "", name)
        _lines(axes, steps, group)
        if name == "loss":
            _scale(axes, group)
    panels[-1].set_xlabel("updates")
    if not groups:
        remark(panels[0], "nothing was measured")
    return figure


def _lines(axes: Axes, steps: Array, group: Mapping[str, Array]) -> None:
    lines = []
    for number, values in enumerate(group.values()):
        gapped = without_infinity(values)
        alone = _alone(gapped)
        (line,) = axes.plot(
            steps, gapped, color=COLORS[number % len(COLORS)], linewidth=1.5,
            linestyle=STYLES[number // len(COLORS) % len(STYLES)],
            marker="o" if alone else "", markersize=3, markevery=alone,
        )  # fmt: skip
        lines.append(line)
    axes.set_xlim(*span(steps, margin=0.01))
    legend_beside(axes, lines, list(group))
    if not any(finite(values).size for values in group.values()):
        remark(axes, "no finite value")


def _alone(values: Array) -> list[int]:
    """Indices of the values between two gaps: no line reaches them, so they need a dot."""
    known = np.concatenate([[False], np.isfinite(values), [False]])
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    indices: list[int] = np.flatnonzero(alone).tolist()
    return indices


def _scale(axes: Axes, group: Mapping[str, Array]) -> None:
    values = np.concatenate([finite(column) for column in group.values()])
    if values.size and values.min() > 0:
        axes.set_yscale("log")
        low, high = span(np.log10(values))
        axes.set_ylim(10 ** max(low, -300), 10**high)
        axes.yaxis.set_minor_locator(NullLocator())  # dozens of them take longest to draw
        if high - low < 1:  # within one decade, powers of ten would label nothing
            axes.yaxis.set_major_locator(MaxNLocator(5))
            axes.yaxis.set_major_formatter("{x:g}")
