"""Processes that share a sweep as machines do, and are killed; nothing is trained, so that many fit into a second."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import threading
import time
from pathlib import Path

from nnintro.config.sweep import Range, Sweep
from nnintro.sweeps.patience import Patience
from nnintro.sweeps.space import Space
from nnintro.sweeps.storage import open_storage
from nnintro.sweeps.study import join
from nnintro.sweeps.trial import Result, Trial
from nnintro.sweeps.work import work
from tests.support import PATIENCE

RATE = "descent.learning_rate"
GATE, GATED = "gate", 20
"""Trials from this number on wait for a file of this name: however slow a machine starts, some are left for it."""


def space(trials: int, sampler: str = "random") -> Space:
    over = {RATE: Range(low=0.1, high=1.0)}
    return Space(Sweep(over=over, sampler=sampler, trials=trials), 0, frozenset())


def result_of(trial: Trial) -> Result:
    objective = float(trial.values[RATE]) - trial.number / 1000
    return Result(trial.number, trial.values, "completed", objective, {"validation/loss": 1.0}, 0, 0.1)


def serve(address: str, name: str, trials: int, folder: Path) -> None:
    """What one machine does: its standard error and its results go into files."""
    sys.stderr = (folder / "stderr").open("w", buffering=1)
    opened, interrupted = open_storage(address), threading.Event()
    call = Patience(opened.place, interrupted, lambda line: print(line, file=sys.stderr))
    results = (folder / "results").open("w", buffering=1)
    study = join(opened, name, {"seed": 0}, maximize=False, call=call)

    def record(result: Result) -> None:
        results.write(f"{result.number} {result.values[RATE]!r} {result.objective!r}\n")

    def run(trial: Trial, stop: threading.Event) -> Result:
        time.sleep(random.uniform(0.01, 0.05))
        while trial.number >= GATED and not (folder.parent / GATE).exists():
            time.sleep(0.01)
        return result_of(trial)

    source = study.source(space(trials, "tpe"), 0, {}, record, interrupted, ordered=False)
    try:
        work(source, run, 2, interrupted)
    finally:
        source.close()
        opened.close()


class Machine:
    """A process that serves a sweep; forked from one that has loaded everything."""

    def __init__(self, folder: Path, address: str, name: str, trials: int) -> None:
        self.folder = folder
        folder.mkdir()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["optuna.storages", "psycopg", __name__])
        self.process = context.Process(target=serve, args=(address, name, trials, folder))
        self.process.start()

    @property
    def results(self) -> list[str]:
        path = self.folder / "results"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def said(self) -> str:
        return (self.folder / "stderr").read_text()

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self.results) < count:
            assert time.monotonic() < deadline
            assert self.process.exitcode is None, self.said
            time.sleep(0.01)

    def kill(self) -> None:
        if self.process.exitcode is None:
            os.kill(self.process.pid, 9)
        self.process.join()

    def end(self) -> None:
        self.process.join(timeout=PATIENCE)
        assert self.process.exitcode == 0, self.said
