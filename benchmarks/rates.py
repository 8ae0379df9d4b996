"""``python -m benchmarks.rates``: the rate that find-rate suggests, beside a grid of 60, for twelve lessons."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path

import nnintro

LESSONS = (
    "neuron/linear_regression", "neuron/logistic_regression", "descent/batch", "descent/mini_batch",
    "descent/stochastic", "real/iris", "real/diabetes", "real/breast_cancer", "tables/sales_forecast",
    "regression/friedman1", "classification/spirals", "target",
)  # fmt: skip
GRID = {"low": 1e-5, "high": 10.0, "log": True, "points": 60}


def best_of_grid(path: Path) -> tuple[float, float]:
    """The least training loss after the whole training of a config, and the learning rate that reaches it."""
    with tempfile.TemporaryDirectory() as folder:
        over = {"descent.learning_rate": GRID}
        swept = nnintro.sweep(path, over, ["logging.figures=off"], folder, sampler="grid", keep=0)
        losses = [(trial.metrics.get("train/loss", math.inf), trial.values) for trial in swept.trials]
    loss, values = min(losses, key=lambda one: one[0])
    return loss, values["descent.learning_rate"]


def main() -> None:
    print(f"nnintro {nnintro.__version__}; train/loss after the whole training of each config\n")
    print("| lesson | suggested | its loss | best of 60 | at | ratio | trainings | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for lesson in LESSONS:
        path = Path("configs") / f"{lesson}.yaml"
        begun = time.perf_counter()
        found = nnintro.find_rate(path)
        seconds = time.perf_counter() - begun
        rate = found.learning_rate
        mine = nnintro.fit(path, [f"descent.learning_rate={rate!r}"]).metrics["train/loss"]
        best, at = best_of_grid(path)
        print(
            f"| {lesson} | {rate:g} | {mine:.3g} | {best:.3g} | {at:.2g} | {mine / best:.2f} "
            f"| {len(found.tried)} | {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
