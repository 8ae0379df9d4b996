"""Learning rates: the range test, and the losses of the trainings at each rate."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from nnintro.figures.canvas import BLUE, GREEN, GREY, INK, ORANGE, RED, Array, canvas, finite, legend_above, span, tidy


def learning_rates(
    test_rates: Array,
    test_losses: Array,
    start: Array,
    rates: Array,
    losses: Array,
    suggested: Array,
    *,
    title: str = "",
) -> Figure:
    """The training loss by learning rate, both on a logarithmic scale.

    Args:
        test_rates, test_losses: (m,) the range test: smoothed loss by the rate of the moment.
        start: (1,) the loss before the first update.
        rates, losses: (n,) trainings, by rate; nan is one that diverged.
        suggested: (2,) learning rate and loss.
    """
    figure = canvas(title, margins=(0.1, 0.13, 0.97, 0.85))
    axes = figure.subplots()
    tidy(axes, "learning rate", "train/loss")
    axes.set_xscale("log")
    _scale(axes, np.concatenate([finite(test_losses), finite(losses), finite(start)]))
    marks = [
        axes.axhline(start[0], color=GREY, linestyle=":", linewidth=1.2),
        *axes.plot(test_rates, test_losses, color=ORANGE, linewidth=1.5),
        *axes.plot(rates, losses, color=BLUE, marker="o", markersize=4.5, linewidth=1.2),
    ]
    names = ["before training", "range test", "at the end of a training"]
    diverged = rates[np.isnan(losses)]
    if len(diverged):
        # Where no loss is: at the upper edge, in the axes' own units.
        marks += axes.plot(
            diverged, np.full(len(diverged), 0.97), "x", color=RED, markersize=7, transform=axes.get_xaxis_transform()
        )
        names.append("diverged")
    axes.axvline(suggested[0], color=GREEN, linewidth=1, zorder=1)
    marks += axes.plot(*suggested, marker="o", markersize=11, markerfacecolor="none", markeredgewidth=2,
                       color=GREEN, linestyle="")  # fmt: skip
    names.append(f"suggested: {suggested[0]:g}")
    legend_above(axes, marks, names)
    return figure


def _scale(axes: Axes, values: Array) -> None:
    axes.xaxis.set_major_locator(LogLocator(numticks=20))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.tick_params(colors=INK)
    if len(values) and values.min() > 0:
        axes.set_yscale("log")
        low, high = span(np.log10(values))
        axes.set_ylim(10**low, 10 ** (high + 0.06 * (high - low)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
