"""kill -9 at random moments of a sweep, many times: ``python -m tests.sweeps.kill_sweeps --kills 100``.

What is killed goes on, is killed again, and so on until it ends; then every trial is there exactly once, as in a sweep
that nobody killed, and nothing is left of the killed processes.  A child is a fork, which has everything imported.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import tempfile
import time
from pathlib import Path

import nnintro
import nnintro.sweeps.sweep
import nnintro.training.job
from tests.support import config

OVER = {"descent.learning_rate": {"low": 1e-3, "high": 0.5, "log": True}, "model.hidden": [[3], [4, 2]]}
TRIALS = 60
MOST_SECONDS = 0.6
"""Until a kill; an undisturbed sweep of this size takes about as long."""


def child(runs_dir: Path, *, stop_bad_trials: bool) -> int:
    """Begin the sweep, or go on with it, in a process of its own."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if (runs_dir / "s").exists():
            nnintro.sweep(resume="s", runs_dir=runs_dir, workers=2)
        else:
            section = {"over": OVER, "trials": TRIALS, "keep": 1, "stop_bad_trials": stop_bad_trials}
            nnintro.sweep(config(name="s", sweep=section), runs_dir=runs_dir, workers=2)
        code = 0
    finally:
        os._exit(code)


def without_seconds(runs_dir: Path) -> list[list[str]]:
    with (runs_dir / "s" / "trials.csv").open(newline="") as file:
        return [row[:-1] for row in csv.reader(file)]


def left_over(runs_dir: Path) -> list[str]:
    """Files and folders that do not belong there."""
    own = {"sweep.yaml", "trials.csv", "best.yaml", "summary.json", "looks.csv", "figures"}
    below = [path.name for path in (runs_dir / "s").iterdir() if path.name not in own]
    kept = [name for name in below if name.startswith("trial-")]
    return [path.name for path in runs_dir.iterdir() if path.name != "s"] + [n for n in below if n not in kept[:1]]


def kill_until_done(runs_dir: Path, rng: random.Random, most: int, *, stop_bad_trials: bool = False) -> int:
    """How many kills it took until the sweep ended by itself; at most ``most``."""
    kills = 0
    while True:
        pid = child(runs_dir, stop_bad_trials=stop_bad_trials)
        if kills == most:
            _, status = os.waitpid(pid, 0)
            assert status == 0, status
            return kills
        time.sleep(rng.uniform(0, MOST_SECONDS))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0, status
            return kills
        kills += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, kills, sweeps = random.Random(options.seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        wanted = []
        for stop in (False, True):
            undisturbed = Path(folder) / f"undisturbed-{stop}"
            undisturbed.mkdir()
            kill_until_done(undisturbed, rng, 0, stop_bad_trials=stop)
            wanted.append(without_seconds(undisturbed))
        while kills < options.kills:
            runs_dir = Path(folder) / str(sweeps)
            runs_dir.mkdir()
            stop = bool(sweeps % 2)
            kills += kill_until_done(runs_dir, rng, 12, stop_bad_trials=stop)
            sweeps += 1
            assert without_seconds(runs_dir) == wanted[stop]
            assert left_over(runs_dir) == []
            print(f"{kills} kills of {sweeps} sweeps: every trial once", flush=True)


if __name__ == "__main__":
    main()
