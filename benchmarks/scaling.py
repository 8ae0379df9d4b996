"""``python -m benchmarks.scaling``: how the time of trainings grows with width, batch, samples, seeds and workers.

Updates of 1-W-1 networks (tanh, sgd, float32) by the fused engine, and a model of two numbers that is fitted to them.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from typing import Any

import numpy as np

import nnintro
from benchmarks.machine import describe, limit_threads, load

WIDTHS, BATCHES = (8, 32, 64, 128, 512), (1, 8, 32, 128, 512)
SAMPLES = 1024
SECONDS = 0.15
"""About what a training is to take that is timed."""


def config(width: int, batch: int, updates: int, **changes: Any) -> dict[str, Any]:
    return {
        "dataset": {"kind": "function", "formula": "lecture", "samples": changes.pop("samples", SAMPLES)},
        "model": {"kind": "mlp", "hidden": [width], "activation": "tanh"},
        "descent": {"batch_size": batch, "learning_rate": 0.001},
        "training": {"steps": updates, "engine": "fused"},
        **changes,
    }


def seconds(values: dict[str, Any]) -> tuple[float, float]:
    """Of one training: those of its updates, and all."""
    begun = time.perf_counter()
    trained = nnintro.fit(values)
    return trained.seconds, time.perf_counter() - begun


def update(width: int, batch: int, samples: int = SAMPLES, rounds: int = 5) -> float:
    """Microseconds of an update: the least of the rounds, as whatever else runs on the machine only adds to it."""
    few = 200
    once = min(seconds(config(width, batch, few, samples=samples))[0] for _ in range(2)) / few
    updates = max(int(SECONDS / max(once, 1e-8)), few)
    return 1e6 * min(seconds(config(width, batch, updates, samples=samples))[0] / updates for _ in range(rounds))


def sweep_seconds(workers: int, trials: int) -> float:
    """Of a sweep of so many trainings of 6,400 updates, without what starting a sweep takes."""

    def of(count: int) -> float:
        over = {"descent.learning_rate": {"low": 1e-4, "high": 1e-3, "log": True}}
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            nnintro.sweep(
                {**config(64, 32, 6400), "logging": {"figures": "off"}},
                over, runs_dir=folder, trials=count, keep=0, workers=workers,
            )  # fmt: skip
            return time.perf_counter() - begun

    return of(trials) - of(workers)


def fitted(table: dict[tuple[int, int], float]) -> tuple[float, float]:
    """c and d of microseconds = c + d * width * batch, with the least relative errors."""
    rows = np.array([[1.0, width * batch] for width, batch in table])
    times = np.array(list(table.values()))
    (fixed, each), *_ = np.linalg.lstsq(rows / times[:, None], np.ones(len(times)), rcond=None)
    return float(fixed), float(each)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="cores (default 2)")
    options = parser.parse_args()
    limit_threads(options.threads)
    before = load()
    table = {pair: update(*pair, rounds=options.rounds) for pair in itertools.product(WIDTHS, BATCHES)}
    print("Microseconds of an update of 1-W-1, by width (rows) and batch (columns)\n")
    print(f"| | {' | '.join(map(str, BATCHES))} |")
    print("| ---: |" + " ---: |" * len(BATCHES))
    for width in WIDTHS:
        print(f"| {width} | {' | '.join(f'{table[width, batch]:.3g}' for batch in BATCHES)} |")
    fixed, each = fitted(table)
    off = [abs(fixed + each * width * batch - time) / time for (width, batch), time in table.items()]
    print(f"\nmicroseconds = {fixed:.3g} + {each:.3g} * width * batch,")
    print(f"off by {statistics.median(off):.0%} in the median, by {max(off):.0%} at most")
    samples = {count: update(64, 32, count, options.rounds) for count in (256, 1024, 16_384, 262_144)}
    print(f"\nby samples (64, 32): {', '.join(f'{count:,}: {time:.3g} us' for count, time in samples.items())}")
    extra = [whole - updates for updates, whole in (seconds(config(64, 32, 64)) for _ in range(30))]
    print(f"beside the updates, a training: {1e3 * statistics.median(extra):.2g} ms")
    alone = min(sweep_seconds(1, 60) for _ in range(options.rounds))
    for workers in (2, 4):
        shared = min(sweep_seconds(workers, 60) for _ in range(options.rounds))
        print(f"{workers} workers: {alone / shared:.2f} times the trainings of one")
    print(f"\n{', '.join(f'{key} {value}' for key, value in describe().items())}; load before: {before}")


if __name__ == "__main__":
    main()
