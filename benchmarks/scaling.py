"""``python -m benchmarks.scaling``: how the time of trainings grows with width, batch, samples, seeds and workers.

Updates of 1-W-1 networks (tanh, sgd, float32) by the fused engine on one core, and a model that is fitted to them.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from typing import Any

import numpy as np
import numpy.typing as npt

import nnintro
from benchmarks.machine import describe, limit_threads, load

WIDTHS, BATCHES = (8, 32, 64, 128, 512), (1, 8, 32, 128, 512)
SAMPLES = 1024
SECONDS = 0.2
"""About what a training is to take that is timed."""


def config(width: int, batch: int, updates: int, **changes: Any) -> dict[str, Any]:
    return {
        "dataset": {"kind": "function", "formula": "lecture", "samples": changes.pop("samples", SAMPLES)},
        "model": {"kind": "mlp", "hidden": [width], "activation": "tanh"},
        "descent": {"batch_size": batch, "learning_rate": 0.001},
        "training": {"steps": updates, "engine": "fused"},
        "logging": {"scalars": "off", "figures": "off"},
        **changes,
    }


def processor_seconds(values: dict[str, Any]) -> float:
    """What one training takes of a core: whatever else runs on the machine makes it wait, and not work."""
    begun = time.thread_time()
    nnintro.fit(values)
    return time.thread_time() - begun


def update(width: int, batch: int, samples: int = SAMPLES, rounds: int = 5) -> float:
    """Microseconds of an update: what a training of twice the updates takes longer."""
    few = 1000
    once = max(processor_seconds(config(width, batch, 2 * few, samples=samples)) / few, 1e-7)
    updates = max(int(SECONDS / once), few)
    # Of each the least: caches that others fill only add to it.
    half, whole = (
        min(processor_seconds(config(width, batch, n * updates, samples=samples)) for _ in range(rounds))
        for n in (1, 2)
    )
    return 1e6 * (whole - half) / updates


def sweep_seconds(workers: int, trials: int) -> float:
    """Of a sweep of so many trainings of 6,400 updates, without what starting a sweep takes."""

    def of(count: int) -> float:
        over = {"descent.learning_rate": {"low": 1e-4, "high": 1e-3, "log": True}}
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            nnintro.sweep(
                config(64, 32, 6400), over, runs_dir=folder, trials=count, keep=0, workers=workers,
            )  # fmt: skip
            return time.perf_counter() - begun

    return of(trials) - of(workers)


def terms(width: int, batch: int) -> tuple[float, ...]:
    """What an update's time is made of: a call, each neuron's weights, each sample, each neuron of each sample."""
    return 1.0, width, batch, width * batch


def fitted(table: dict[tuple[int, int], float]) -> npt.NDArray[np.float64]:
    """The microseconds of each of ``terms``, none below zero, with the least relative errors."""
    from scipy.optimize import nnls

    rows, times = np.array([terms(*pair) for pair in table]), np.array(list(table.values()))
    found: npt.NDArray[np.float64] = nnls(rows / times[:, None], np.ones(len(times)))[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="cores of the sweeps (default 2); a training has one")
    options = parser.parse_args()
    limit_threads(options.threads)
    before = load()
    table = {pair: update(*pair, rounds=options.rounds) for pair in itertools.product(WIDTHS, BATCHES)}
    print("Microseconds of an update of 1-W-1, by width (rows) and batch (columns)\n")
    print(f"| | {' | '.join(map(str, BATCHES))} |")
    print("| ---: |" + " ---: |" * len(BATCHES))
    for width in WIDTHS:
        print(f"| {width} | {' | '.join(f'{table[width, batch]:.3g}' for batch in BATCHES)} |")
    model = fitted(table)
    off = [abs(model @ terms(*pair) - time) / time for pair, time in table.items()]
    words = ("", " * width", " * batch", " * width * batch")
    print(f"\nmicroseconds = {' + '.join(f'{one:.2g}{word}' for one, word in zip(model, words, strict=True))},")
    print(f"off by {statistics.median(off):.0%} in the median, by {max(off):.0%} at most")
    samples = {count: update(64, 32, count, options.rounds) for count in (256, 1024, 16_384, 262_144)}
    print(f"\nby samples (64, 32): {', '.join(f'{count:,}: {time:.3g} us' for count, time in samples.items())}")
    extra = [processor_seconds(config(64, 32, 1)) for _ in range(30)]
    print(f"beside its updates, a training: {1e3 * statistics.median(extra):.2g} ms")
    alone = min(sweep_seconds(1, 60) for _ in range(options.rounds))
    for workers in (2, 4):
        shared = min(sweep_seconds(workers, 60) for _ in range(options.rounds))
        print(f"{workers} workers: {alone / shared:.2f} times the trainings of one")
    print(f"\n{', '.join(f'{key} {value}' for key, value in describe().items())}; load before: {before}")


if __name__ == "__main__":
    main()
