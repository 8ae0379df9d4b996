"""Shared by all figures: a canvas without a window, a colour-blind-safe palette, plain text.

Everything uses matplotlib's objects directly. ``pyplot`` would keep each figure in a global list
and might open a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

Array = npt.NDArray[Any]
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, GREY, FAINT = "#222222", "#8A8A8A", "#D9D9D9"
COLORS = (BLUE, ORANGE, GREEN, RED, "#CC79A7", "#56B4E9", "#882255", "#999933", "#332288", GREY)
"""Okabe and Ito's palette (2008), then Tol's muted colours."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
LARGEST = 1e100
"""Values beyond are drawn here: matplotlib computes margins and powers from them."""
MOST_POINTS = 2000
"""More samples than this are a blot; a scatter shows this number of them."""


def canvas(
    title: str, size: tuple[float, float] = (8.0, 4.5), margins: tuple[float, float, float, float] | None = None
) -> Figure:
    """An empty figure with ``title``; ``size`` in inches, 100 pixels each.

    Without ``margins`` (left, bottom, right, top; fractions of the figure) the axes are fitted to
    their labels, which takes as long as drawing them: a run waits for its last figures.
    """
    layout = None if margins else ConstrainedLayoutEngine(w_pad=0.07, h_pad=0.07)
    figure = Figure(figsize=size, dpi=100, layout=layout)
    if margins:
        left, bottom, right, top = margins
        figure.subplots_adjust(left, bottom, right, top, hspace=0.12)
    FigureCanvasAgg(figure)
    heading = short(title, 180)
    # Left to itself, the title stands at a share of the height; a layout engine has to move it.
    place = {"y": 1 - 0.09 / size[1]} if margins else {}
    figure.suptitle(heading, fontsize=11 if len(heading) < 90 else 9, wrap=True, parse_math=False, **place)
    return figure


def tidy(axes: Axes, x: str = "", y: str = "") -> None:
    """Label the axes and take away what says nothing."""
    axes.set_xlabel(short(x, 40), parse_math=False)
    axes.set_ylabel(short(y, 40), parse_math=False)
    # Long numbers would run out of the margin; their power of ten goes to the end of the axis.
    axes.ticklabel_format(scilimits=(-3, 4))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=FAINT, linewidth=0.6, alpha=0.6)
    axes.set_axisbelow(True)


def legend_above(axes: Axes, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """A legend in one row between the title and the axes, where it hides no data.

    It ends at the right: a power of ten for the y axis may stand at the left.
    """
    _legend(axes, handles, names, loc="lower right", ncols=len(names), fontsize=9, borderaxespad=0.2)


def legend_beside(axes: Axes, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """A legend right of the axes, one entry below the other."""
    _legend(axes, handles, names, loc="upper left", fontsize=9 if len(names) <= 10 else 7, borderaxespad=0.4)


def _legend(axes: Axes, handles: Sequence[Artist], names: Sequence[str], **style: Any) -> None:
    legend = axes.legend(handles, [""] * len(names), bbox_to_anchor=(1, 1), frameon=False, **style)
    # The names are set afterwards, as they are: ``legend`` drops those that begin with "_".
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(short(name, 28))
    # Dots are larger than in a crowded scatter, where their colour could not be made out.
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([28])
            handle.set_alpha(1)


def short(text: str, length: int) -> str:
    """One line of at most ``length`` characters; the end stays, for names often differ there."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    tail = length // 3
    return f"{line[: length - tail - 1]}…{line[-tail:]}"


def some(count: int) -> npt.NDArray[np.int64]:
    """Indices of at most MOST_POINTS of ``count`` samples, always the same ones, in order.

    They are drawn at random: every tenth sample of a periodic function may well miss its peaks.
    """
    if count <= MOST_POINTS:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, MOST_POINTS, replace=False))


def span(*arrays: Array | None, margin: float = 0.05) -> tuple[float, float]:
    """The range of all finite values, a little widened; (0, 1) where there are none."""
    parts = [finite(array) for array in arrays if array is not None]
    values = np.concatenate(parts) if parts else np.empty(0)
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    # A constant needs room around it whatever the margin.
    room = margin * (high - low) if high > low else 0.1 * abs(high) or 1.0
    return low - room, high + room


def finite(array: Array) -> npt.NDArray[np.float64]:
    """The finite values of ``array``, flat; clipped to what a plot can scale without overflow."""
    flat = np.asarray(array, dtype=np.float64).ravel()
    return np.clip(flat[np.isfinite(flat)], -LARGEST, LARGEST)


def without_infinity(array: Array) -> npt.NDArray[np.float64]:
    """The same with NaN, which leaves a gap, in place of infinities."""
    values = np.asarray(array, dtype=np.float64)
    return np.where(np.isfinite(values), np.clip(values, -LARGEST, LARGEST), np.nan)


def remark(axes: Axes, text: str) -> None:
    """Say in the middle of the axes why there is nothing to see, or not all of it."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=RED,
        fontsize=10, parse_math=False, bbox={"facecolor": "white", "edgecolor": RED, "alpha": 0.9},
    )  # fmt: skip
