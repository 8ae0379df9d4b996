"""The lessons on bundled data beside scikit-learn's multilayer perceptron, on the same splits.

    python -m benchmarks.real_data [--seeds 5] [--threads 1]

prints one Markdown table.  Both libraries see the training part of nnintro's split and are judged
on its validation part.  Products this small gain nothing by a second core.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import machine

if TYPE_CHECKING:
    import numpy as np

ROOT = Path(__file__).parents[1]
METRICS = {"digits": "accuracy", "breast_cancer": "accuracy", "wine": "accuracy", "diabetes": "r2"}
"""Lesson -> what it is judged by."""


@dataclass(frozen=True)
class Outcome:
    """One training."""

    metric: float
    seconds: float
    """By the wall, in a process that has loaded its libraries."""
    updates: float
    """Of them, updates alone: recording and evaluation left out."""


@dataclass(frozen=True)
class Problem:
    """A lesson with one of its seeds: nnintro's split, raw."""

    config: Path
    seed: int
    x: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
    """Training and validation inputs."""
    y: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
    hidden: tuple[int, ...]
    is_classification: bool

    @classmethod
    def of(cls, name: str, seed: int) -> Problem:
        import nnintro

        config = ROOT / f"configs/real/{name}.yaml"
        raw = ["training.epochs=0", "dataset.standardize=none", "precision=float64"]
        fitted = nnintro.fit(config, [f"seed={seed}", *raw])
        x, y = zip(*((d.inputs.numpy(), d.targets.numpy().reshape(-1))
                     for d in (fitted.training, fitted.validation)), strict=True)  # fmt: skip
        setup = fitted.setup
        return cls(config, seed, x, y, tuple(setup.model.hidden), setup.task.is_classification)


def ours(problem: Problem, metric: str) -> Outcome:
    """``nnintro train`` as it is, but in this process: folder, TensorBoard, figures and all."""
    import nnintro

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        run = nnintro.train(problem.config, [f"seed={problem.seed}"], runs_dir=folder)
        seconds = time.perf_counter() - begun
    summary = run.summary
    value = summary["metrics"][f"validation/{metric}"]
    return Outcome(value, seconds, summary["seconds"]["training"])


def with_defaults(problem: Problem, metric: str) -> Outcome:
    """scikit-learn as it comes: 100 hidden units, relu, Adam, at most 200 epochs."""
    return _scikit_learn(problem, metric)


def with_same_sizes(problem: Problem, metric: str) -> Outcome:
    """scikit-learn with the lesson's hidden layers, all else as it comes."""
    return _scikit_learn(problem, metric, hidden_layer_sizes=problem.hidden)


def _scikit_learn(problem: Problem, metric: str, **settings: Any) -> Outcome:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    kind = MLPClassifier if problem.is_classification else MLPRegressor
    begun = time.perf_counter()
    scaler = StandardScaler().fit(problem.x[0])
    network = kind(random_state=problem.seed, **settings)
    targets, answers = problem.y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 epochs are its default
        if problem.is_classification:
            network.fit(scaler.transform(problem.x[0]), targets)
        else:
            units = StandardScaler().fit(targets[:, None])
            network.fit(scaler.transform(problem.x[0]), units.transform(targets[:, None])[:, 0])
    seconds = time.perf_counter() - begun
    predicted = network.predict(scaler.transform(problem.x[1]))
    if not problem.is_classification:
        predicted = units.inverse_transform(predicted[:, None])[:, 0]
    score = {"accuracy": accuracy_score, "r2": r2_score}[metric]
    return Outcome(float(score(answers, predicted)), seconds, seconds)


CONTESTANTS: dict[str, Callable[[Problem, str], Outcome]] = {
    "nnintro, the lesson": ours,
    "scikit-learn, its defaults": with_defaults,
    "scikit-learn, the lesson's sizes": with_same_sizes,
}


def report(found: dict[tuple[str, str], Sequence[Outcome]]) -> str:
    """(lesson, contestant) -> outcomes, as Markdown."""
    from benchmarks.table import markdown

    rows = []
    for (lesson, contestant), outcomes in found.items():
        values = [outcome.metric for outcome in outcomes]
        rows.append(
            [
                f"{lesson}, {METRICS[lesson]}",
                contestant,
                f"{sum(values) / len(values):.4f}",
                f"{min(values):.4f}-{max(values):.4f}",
                f"{median(outcome.seconds for outcome in outcomes):.2f} s",
                f"{median(outcome.updates for outcome in outcomes):.2f} s",
            ]
        )
    header = ["lesson", "", "mean", "range", "seconds, median", "updates alone"]
    return markdown(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_data")
    parser.add_argument("--seeds", type=int, default=5, help="splits of each data set")
    parser.add_argument("--threads", type=int, default=1, help="cores for everybody")
    options = parser.parse_args()
    machine.limit_threads(options.threads)
    load = machine.load()
    found: dict[tuple[str, str], list[Outcome]] = {}
    for lesson, metric in METRICS.items():
        for contestant, train in CONTESTANTS.items():
            train(Problem.of(lesson, 0), metric)  # whatever is loaded at a first training
            for seed in range(options.seeds):
                print(f"{lesson}, {contestant}, seed {seed}", file=sys.stderr)
                outcome = train(Problem.of(lesson, seed), metric)
                found.setdefault((lesson, contestant), []).append(outcome)
    print(report(found))
    facts = ", ".join(f"{name} {value}" for name, value in machine.describe().items())
    print(f"\nMeasured on: {facts}, threads {options.threads}, load before {load}.")


if __name__ == "__main__":
    main()
