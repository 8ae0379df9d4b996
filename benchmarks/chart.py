"""The README's picture: updates a second of everybody at every work, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.results import Timed, WorkResult
from benchmarks.table import best_peer, factor, median
from benchmarks.timing import median_ratio

# Okabe and Ito's colours, told apart with every kind of colour vision; the marks differ too.
LOOKS = {
    "fused": ("#D55E00", "o"),
    "autograd": ("#E69F00", "o"),
    "jax": ("#0072B2", "s"),
    "sliced": ("#009E73", "^"),
    "dataloader": ("#009E73", "v"),
    "sklearn": ("#56B4E9", "D"),
    "keras": ("#CC79A7", "P"),
    "lightning": ("#000000", "X"),
    "skorch": ("#777777", "<"),
}


def draw_chart(works: Sequence[WorkResult], path: Path) -> None:
    """A row for each work, from the slowest contestant to the fastest."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 1.5 + 0.62 * len(works)), dpi=150)
    for row, work in enumerate(works):
        _row(axes, row, work)
    axes.set_xscale("log")
    axes.set_yticks(range(len(works)), [_lines(work) for work in works])
    axes.set_ylim(len(works) - 0.5, -0.5)
    axes.set_xlabel(f"updates a second ({works[0].optimizer}), more is better")
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.12)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    _legend(figure, axes, works)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.6 / figure.get_figheight()))
    figure.savefig(path)
    pyplot.close(figure)


def _row(axes: Any, row: int, work: WorkResult) -> None:
    """A line from the slowest to the fastest, a mark for everybody, our ratio above ours."""
    rates = [median(timed) for timed in work.contestants]
    axes.plot([min(rates), max(rates)], [row, row], color="#cccccc", linewidth=1, zorder=1)
    for timed in work.contestants:
        colour, mark = LOOKS[timed.peer]
        size = 110 if timed.peer == "fused" else 40
        axes.scatter(
            median(timed), row, s=size, color=colour, marker=mark, edgecolor="white",
            linewidth=0.7, zorder=2 if timed.peer == "fused" else 3,
        )  # fmt: skip
    fused = next((timed for timed in work.contestants if timed.peer == "fused"), None)
    best = best_peer(work)
    if fused is not None and best is not None:
        _ratio(axes, row, fused, best)


def _ratio(axes: Any, row: int, fused: Timed, best: Timed) -> None:
    text = f"{factor(median_ratio(fused.rates, best.rates))}x the best peer"
    axes.annotate(
        text, (median(fused), row), xytext=(0, 9), textcoords="offset points",
        ha=_side(median(fused)), fontsize=8, color=LOOKS["fused"][0],
    )  # fmt: skip


def _side(rate: float) -> str:
    """Where the text lies about the mark so that it stays within the axes."""
    if rate > 1e5:
        return "right"
    return "left" if rate < 100 else "center"


def _lines(work: WorkResult) -> str:
    """The title in two lines: the widths, the batch."""
    widths, batch = work.title.split(", ", 1)
    return f"{widths}\n{batch}"


def _legend(figure: Any, axes: Any, works: Sequence[WorkResult]) -> None:
    present = {timed.peer: timed.label for work in works for timed in work.contestants}
    for peer in (peer for peer in PEERS if peer in present):
        colour, mark = LOOKS[peer]
        axes.scatter([], [], s=40, color=colour, marker=mark, label=present[peer])
    figure.legend(loc="upper center", ncol=3, frameon=False, fontsize=8.5, labelspacing=0.3)
