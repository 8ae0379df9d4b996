"""``python -m benchmarks.rates``: the rate that find-rate suggests, beside a grid of 60, for twelve lessons."""

from __future__ import annotations

import math
import time
from pathlib import Path

import nnintro
from nnintro.config.load import load_config
from nnintro.sweeps.find_rate import find_rate
from nnintro.training.repeated import KnownData, train_again

LESSONS = (
    "neuron/linear_regression", "neuron/logistic_regression", "descent/batch", "descent/mini_batch",
    "descent/stochastic", "real/iris", "real/diabetes", "real/breast_cancer", "tables/sales_forecast",
    "regression/friedman1", "classification/spirals", "target",
)  # fmt: skip
LOWEST, HIGHEST, POINTS = 1e-5, 10.0, 60


def loss_at(path: Path, rate: float, known: KnownData) -> float:
    """The training loss after the whole training of a config; infinite where it diverges."""
    trained = train_again(load_config(path, [f"descent.learning_rate={rate!r}"]), known)
    return trained.metrics.get("train/loss", math.inf)


def main() -> None:
    print(f"nnintro {nnintro.__version__}; train/loss after the whole training of each config\n")
    print("| lesson | suggested | its loss | best of 60 | at | ratio | trainings | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for lesson in LESSONS:
        path, known = Path("configs") / f"{lesson}.yaml", KnownData()
        begun = time.perf_counter()
        found = find_rate(path)
        seconds = time.perf_counter() - begun
        mine = loss_at(path, found.learning_rate, known)
        grid = [LOWEST * (HIGHEST / LOWEST) ** (index / (POINTS - 1)) for index in range(POINTS)]
        losses = [loss_at(path, rate, known) for rate in grid]
        best = min(losses)
        print(
            f"| {lesson} | {found.learning_rate:g} | {mine:.3g} | {best:.3g} | {grid[losses.index(best)]:.2g} "
            f"| {mine / best:.2f} | {len(found.tried)} | {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
