"""Measures depth against width, and draws docs/images/depth.png: python docs/make_depth.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import nnintro

ROOT = Path(__file__).parents[1]
DEPTHS = (1, 2, 4)
SEEDS = range(5)


def main() -> None:
    fitted = {depth: [fit(depth, seed) for seed in SEEDS] for depth in DEPTHS}
    for depth, runs in fitted.items():
        errors = [run.metrics["validation/sup_error"] for run in runs]
        rmse = [run.metrics["validation/rmse"] for run in runs]
        hidden = runs[0].setup.model.hidden
        print(
            f"{depth} hidden {hidden}: {sum(p.numel() for p in runs[0].model.parameters())} parameters, "
            f"largest error {np.mean(errors):.3f} ({min(errors):.3f} to {max(errors):.3f}), "
            f"rmse {np.mean(rmse):.4f} ({min(rmse):.4f} to {max(rmse):.4f})"
        )
    draw(fitted).savefig(ROOT / "docs/images/depth.png")


def fit(depth: int, seed: int) -> nnintro.Fitted:
    return nnintro.fit(ROOT / f"configs/function/depth_{depth}.yaml", [f"seed={seed}", "training.engine=fused"])


COLORS, GREY, INK = ("#0072B2", "#E69F00", "#009E73"), "#999999", "#222222"


def draw(fitted: dict[int, list[nnintro.Fitted]]) -> Figure:
    """Left every run's error; right the curves of the run in the middle of each depth."""
    figure = Figure(figsize=(10.0, 4.4), dpi=100)
    figure.subplots_adjust(0.08, 0.2, 0.98, 0.84)
    title = "The lecture's function by three networks of 480 or 481 parameters, five seeds each; bars: medians"
    figure.suptitle(title, fontsize=11)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.6])
    x = np.linspace(0, 1, 1001)
    truth = 0.2 + 0.4 * x**2 + 0.3 * x * np.sin(15 * x) + 0.1 * np.cos(50 * x)
    right.plot(x, truth, color=GREY, linewidth=4, alpha=0.6, label="target")
    for place, (depth, runs) in enumerate(fitted.items()):
        rmse = [run.metrics["validation/rmse"] for run in runs]
        color = COLORS[place]
        left.scatter([place] * len(rmse), rmse, s=26, color=color, alpha=0.8, linewidths=0)
        left.plot([place - 0.25, place + 0.25], [np.median(rmse)] * 2, color=INK, linewidth=1.2)
        middle = runs[int(np.argsort(rmse)[len(rmse) // 2])]
        right.plot(x, middle.predict(x)[:, 0].numpy(), color=color, linewidth=1.3, label=f"{depth} hidden")
    for axes, across, up in ((left, "hidden layers", "root mean squared error"), (right, "x", "y")):
        axes.set(xlabel=across, ylabel=up)
        axes.grid(color="#EEEEEE", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_yscale("log")
    left.set_yticks([0.003, 0.01, 0.03, 0.1], ["0.003", "0.01", "0.03", "0.1"])
    left.set_yticks([], minor=True)
    left.set_xticks(range(len(DEPTHS)), [f"{depth}\n{fitted[depth][0].setup.model.hidden}" for depth in DEPTHS])
    left.set_xlim(-0.6, len(DEPTHS) - 0.4)
    right.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False, fontsize=9)
    return figure


if __name__ == "__main__":
    main()
