"""``python -m benchmarks.sweeping``: 1,000 trials of one job by ``nnintro sweep``, beside 1,000 starts and Optuna.

The job is `mini-batch` for 200 epochs: 1-64-1, batch 32 of 1,000 samples, 6,400 updates. The sweep is timed whole, as a
process; of the others a few trainings are timed, and the time of one is multiplied.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import describe, limit_threads, load

ROOT = Path(__file__).parents[1]
LOW, HIGH = 1e-3, 0.05
"""Learning rates, between which no training diverges: it would end early."""
EPOCHS = 200


def seconds_of(command: list[str]) -> tuple[float, str]:
    """A process's wall seconds, and its stdout."""
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return time.perf_counter() - begun, done.stdout


def job() -> dict[str, Any]:
    """The config of a training."""
    from benchmarks.works import WORKS, config

    return {**config(WORKS["mini-batch"], "sgd", 0.02), "training": {"epochs": EPOCHS}}


def sweep(yaml: Path, trials: int, keep: int) -> float:
    """Seconds of a whole ``nnintro sweep``."""
    words = ["--over", f"descent.learning_rate=log:{LOW}..{HIGH}", "--sampler", "random", "--trials", str(trials)]
    places = ["--runs-dir", str(yaml.parent / "runs"), "--keep", str(keep), "--json", "--quiet"]
    seconds, out = seconds_of([sys.executable, "-m", "nnintro", "sweep", str(yaml), *words, *places])
    summary = json.loads(out)
    assert summary["completed"] == summary["trials"] == trials, summary
    return seconds


def start(yaml: Path, rate: float) -> float:
    """Seconds of one ``nnintro train``, as a process."""
    words = ["--set", f"descent.learning_rate={rate!r}", "--runs-dir", str(yaml.parent / "starts"), "--json", "--quiet"]
    return seconds_of([sys.executable, "-m", "nnintro", "train", str(yaml), *words])[0]


def optuna_trials(trials: int) -> float:
    """Seconds of one trial of Optuna's random sampler over a plain training loop in torch, in this process."""
    import optuna
    import torch

    from benchmarks.assignment import draw, loss
    from benchmarks.peers.plain_torch import Sliced
    from benchmarks.works import WORKS

    torch.set_num_threads(1)  # of two, networks this small make nothing but waiting
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    assignment = draw(WORKS["mini-batch"], "sgd")

    def objective(trial: Any) -> float:
        rate = trial.suggest_float("learning_rate", LOW, HIGH, log=True)
        loop = Sliced(dataclasses.replace(assignment, learning_rate=rate))
        loop.train(EPOCHS)
        return float(loss(assignment, loop.parameters()))

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=1)  # what torch loads at its first update
    begun = time.perf_counter()
    study.optimize(objective, n_trials=trials)
    return (time.perf_counter() - begun) / trials


def in_turn(rounds: int, *timed: Callable[[], float]) -> list[list[float]]:
    """Each once a round, so that all share the weather."""
    times: list[list[float]] = [[] for _ in timed]
    for _ in range(rounds):
        for kept, measure in zip(times, timed, strict=True):
            kept.append(measure())
            print(".", end="", file=sys.stderr, flush=True)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweeping", description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=int, default=5, help="trials that the sweep trains again as runs (default 5)")
    parser.add_argument("--threads", type=int, default=2, help="cores for everybody (default 2)")
    options = parser.parse_args()
    limit_threads(options.threads)
    before = load()
    with tempfile.TemporaryDirectory() as folder:
        yaml = Path(folder) / "job.yaml"
        yaml.write_text(json.dumps(job()), encoding="utf-8")  # JSON is YAML
        start(yaml, 0.02)  # once unmeasured: files in the cache, the kernel compiled
        sweeps, starts, optuna = in_turn(
            options.rounds,
            lambda: sweep(yaml, options.trials, options.keep),
            lambda: statistics.median(start(yaml, 0.02) for _ in range(3)),
            lambda: optuna_trials(3),
        )
    whole = statistics.median(sweeps)
    print(f"\n| {options.trials:,} trainings of 6,400 updates | seconds | a training | against the sweep |")
    print("| --- | ---: | ---: | ---: |")
    print(f"| `nnintro sweep`, whole | {whole:,.1f} | {1000 * whole / options.trials:.1f} ms | 1 |")
    for name, ones in (("Optuna, plain torch, in one process", optuna), ("starts of `nnintro train`", starts)):
        one = statistics.median(ones)
        ratio = statistics.median(each * options.trials / all_ for each, all_ in zip(ones, sweeps, strict=True))
        label = f"{name} (one measured, times {options.trials:,})"
        print(f"| {label} | {one * options.trials:,.0f} | {one:.2f} s | {ratio:.0f} |")
    print(f"\n{', '.join(f'{key} {value}' for key, value in describe().items())}; load before: {before}")


if __name__ == "__main__":
    main()
