"""Learning curves: what a run measured, by update."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from nnintro.config.task import grows
from nnintro.figures.canvas import COLORS, Array, canvas, finite, legend_beside, remark, span, tidy, without_infinity

LOWEST_SCORE = -0.05
"""r2 begins anywhere below zero, and what matters happens between zero and one."""
STYLES = ("-", "--", ":", "-.")


def learning_curves(steps: Array, columns: Mapping[str, Array], *, title: str = "") -> Figure:
    """Each column (m,) over ``steps`` (m,): losses and errors above, scores below.

    Scores are better when larger (accuracy, r2, ...).  The axis of losses is logarithmic when all
    are positive; a score far below zero leaves the picture.  NaN is a gap.
    """
    groups: dict[str, dict[str, Array]] = {}
    for name in sorted(columns, key=grows):
        groups.setdefault("score" if grows(name) else "loss", {})[name] = columns[name]
    figure = canvas(title, margins=(0.1, 0.12, 0.72, 0.9))
    panels = figure.subplots(max(len(groups), 1), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, group) in zip(panels, groups.items(), strict=False):
        tidy(axes, "", name)
        _lines(axes, steps, group)
        if name == "loss":
            _scale(axes, group)
        else:
            axes.set_ylim(max(axes.get_ylim()[0], LOWEST_SCORE), None)
    panels[-1].set_xlabel("updates")
    panels[-1].xaxis.set_major_formatter("{x:,.0f}")
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
        axes.yaxis.set_major_formatter("{x:g}")  # 10^-3 as mathematics takes a tenth of a second
        if high - low < 1:  # within one decade, powers of ten would label nothing
            axes.yaxis.set_major_locator(MaxNLocator(5))
