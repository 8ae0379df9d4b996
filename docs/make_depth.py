"""Measures depth against width, and draws docs/images/depth.png: python docs/make_depth.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import nnintro
from nnintro.figures.canvas import COLORS, GREY, INK, canvas, legend_above, tidy
from nnintro.models import parameter_count

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
            f"{depth} hidden {hidden}: {parameter_count(runs[0].model)} parameters, "
            f"largest error {np.mean(errors):.3f} ({min(errors):.3f} to {max(errors):.3f}), "
            f"rmse {np.mean(rmse):.4f} ({min(rmse):.4f} to {max(rmse):.4f})"
        )
    draw(fitted).savefig(ROOT / "docs/images/depth.png")


def fit(depth: int, seed: int) -> nnintro.Fitted:
    return nnintro.fit(ROOT / f"configs/function/depth_{depth}.yaml", [f"seed={seed}", "training.engine=fused"])


def draw(fitted: dict[int, list[nnintro.Fitted]]):  # noqa: ANN201, a matplotlib figure
    """Left every run's error; right the curves of the run in the middle of each depth."""
    title = "The lecture's function by networks of 480 parameters"
    figure = canvas(title, (10.0, 4.4), margins=(0.08, 0.2, 0.98, 0.84))
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.6])
    tidy(left, "hidden layers", "root mean squared error")
    tidy(right, "x", "y")
    x = np.linspace(0, 1, 1001)
    truth = 0.2 + 0.4 * x**2 + 0.3 * x * np.sin(15 * x) + 0.1 * np.cos(50 * x)
    lines = right.plot(x, truth, color=GREY, linewidth=4, alpha=0.6)
    for place, runs in enumerate(fitted.values()):
        rmse = [run.metrics["validation/rmse"] for run in runs]
        color = COLORS[place]
        left.scatter([place] * len(rmse), rmse, s=26, color=color, alpha=0.8, linewidths=0)
        left.plot([place - 0.25, place + 0.25], [np.median(rmse)] * 2, color=INK, linewidth=1.2)
        middle = runs[int(np.argsort(rmse)[len(rmse) // 2])]
        lines += right.plot(x, middle.predict(x)[:, 0].numpy(), color=color, linewidth=1.3)
    left.set_yscale("log")
    left.set_yticks([0.003, 0.01, 0.03, 0.1], ["0.003", "0.01", "0.03", "0.1"])
    left.set_yticks([], minor=True)
    left.set_xticks(range(len(DEPTHS)), [f"{depth}\n{fitted[depth][0].setup.model.hidden}" for depth in DEPTHS])
    left.set_xlim(-0.6, len(DEPTHS) - 0.4)
    legend_above(right, lines, ["target", *(f"{depth} hidden" for depth in DEPTHS)])
    return figure


if __name__ == "__main__":
    main()
