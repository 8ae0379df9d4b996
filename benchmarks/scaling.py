"""``python -m benchmarks.scaling``: how the time of trainings grows with width, batch, samples, seeds and workers.

Updates of 1-W-1 networks (tanh, sgd, float32) by the fused engine, and a model of two numbers that is fitted to them.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import threading
import time
from typing import Any

import numpy as np

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


class Trainings:
    """Trainings in memory as a sweep makes them, the data built once."""

    def __init__(self) -> None:
        from nnintro.training.repeated import KnownData

        self.known = KnownData()

    def seconds(self, values: dict[str, Any]) -> tuple[float, float]:
        """Of one training: those of its updates, and all."""
        from nnintro.config.load import load_config
        from nnintro.training.repeated import train_again

        loaded, begun = load_config(values), time.perf_counter()
        trained = train_again(loaded, self.known)
        return trained.seconds, time.perf_counter() - begun

    def update(self, width: int, batch: int, samples: int = SAMPLES, rounds: int = 5) -> float:
        """Microseconds of an update: the least of the rounds, as whatever else runs on the machine only adds to it."""
        few = 200
        once = min(self.seconds(config(width, batch, few, samples=samples))[0] for _ in range(2)) / few
        updates = max(int(SECONDS / max(once, 1e-8)), few)
        ones = [self.seconds(config(width, batch, updates, samples=samples))[0] / updates for _ in range(rounds)]
        return 1e6 * min(ones)

    def together(self, workers: int, each: int, updates: int) -> float:
        """Seconds of ``workers * each`` trainings, shared among so many threads."""

        def work() -> None:
            for _ in range(each):
                self.seconds(config(64, 32, updates))

        threads = [threading.Thread(target=work) for _ in range(workers)]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - begun


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
    before, trainings = load(), Trainings()
    table = {pair: trainings.update(*pair, rounds=options.rounds) for pair in itertools.product(WIDTHS, BATCHES)}
    print("Microseconds of an update of 1-W-1, by width (rows) and batch (columns)\n")
    print(f"| | {' | '.join(map(str, BATCHES))} |")
    print("| ---: |" + " ---: |" * len(BATCHES))
    for width in WIDTHS:
        print(f"| {width} | {' | '.join(f'{table[width, batch]:.3g}' for batch in BATCHES)} |")
    fixed, each = fitted(table)
    off = [abs(fixed + each * width * batch - time) / time for (width, batch), time in table.items()]
    print(f"\nmicroseconds = {fixed:.3g} + {each:.3g} * width * batch,")
    print(f"off by {statistics.median(off):.0%} in the median, by {max(off):.0%} at most")
    samples = {count: trainings.update(64, 32, count, options.rounds) for count in (256, 1024, 16_384, 262_144)}
    print(f"\nby samples (64, 32): {', '.join(f'{count:,}: {time:.3g} us' for count, time in samples.items())}")
    extra = [whole - updates for updates, whole in (trainings.seconds(config(64, 32, 64)) for _ in range(30))]
    print(f"beside the updates, a training: {1e3 * statistics.median(extra):.2g} ms")
    each_of = 20
    alone = [trainings.together(1, each_of, 6400) for _ in range(3)]
    for workers in (2, 4):
        shared = [trainings.together(workers, each_of, 6400) for _ in range(3)]
        gain = workers * min(alone) / min(shared)
        print(f"{workers} workers: {gain:.2f} times the trainings of one")
    print(f"\n{', '.join(f'{key} {value}' for key, value in describe().items())}; load before: {before}")


if __name__ == "__main__":
    main()
