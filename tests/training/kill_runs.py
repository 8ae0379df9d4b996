"""kill -9 at random moments, many times: ``python -m tests.training.kill_runs --kills 2000``.

Each run is a fork of this process, which has everything imported: so a run takes a tenth of a
second, and a kill meets all of it, from the making of the folder to the last file.  What is killed
is resumed, is sometimes killed again, and has to end with the bits of a run that nobody killed,
having repeated at most the updates since its last checkpoint.
"""

from __future__ import annotations

import argparse
import itertools
import mmap
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

import torch

import nnintro
from nnintro.engines.autograd import Autograd
from nnintro.engines.fused import Fused
from nnintro.errors import CheckpointError
from nnintro.runs.checkpoint import has_checkpoint, load_checkpoint
from tests.comparing import assert_same_run
from tests.support import config

INTERVALS = {"1 steps": 1, "7 steps": 7, "0.01s": None}
KINDS = list(itertools.product(INTERVALS, ("autograd", "fused")))


def experiment(every, engine):
    return config(
        dataset={"noise": 0.1},
        model={"dropout": 0.2 if engine == "autograd" else 0.0},
        descent={"optimizer": "adam", "schedule": {"kind": "cosine", "warmup_steps": 5}},
        training={"epochs": 12, "early_stopping": {"patience": 8}, "checkpoint": {"every": every}, "engine": engine},
        logging={"scalars": "every 5 steps", "histograms": "auto"},
        name="run",
    )


class Progress:
    """The first and the last update that a child began, in memory it shares with its parent."""

    def __init__(self):
        self.memory = mmap.mmap(-1, 16)
        self.clear()

    def clear(self):
        self.memory[:16] = struct.pack("qq", -1, -1)

    def note(self, step):
        first, _ = self.read()
        self.memory[:16] = struct.pack("qq", step if first < 0 else first, step)

    def read(self):
        return struct.unpack("qq", self.memory[:16])


def fork(folder, kind, progress):
    """A child that trains in ``folder``, or goes on there; returns its number."""
    progress.clear()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        update, call = Autograd._update, Fused._descend

        def noted(self, step, *, measure):
            progress.note(step)
            return update(self, step, measure=measure)

        def noted_call(self, start, stop, *, together):
            if stop > start:
                progress.note(start)
            return call(self, start, stop, together=together)

        Autograd._update, Fused._descend = noted, noted_call
        if (folder / "run").exists():
            nnintro.train(resume=folder / "run")
        else:
            nnintro.train(experiment(*kind), runs_dir=folder)
        code = 0
    finally:
        os._exit(code)


def ended(pid):
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def kill_one(folder, whole, kind, seconds, source, progress):
    """Kill a run until it has come to its end once; returns how often it was killed."""
    kills, reached = 0, -1
    while True:
        may_live = kills > 0 and source.random() < 0.7
        pid = fork(folder, kind, progress)
        if not may_live:
            time.sleep(source.uniform(0, seconds))
            os.kill(pid, signal.SIGKILL)
        code = ended(pid)
        assert code in (0, -signal.SIGKILL), f"the child ended with {code}"
        first, last = progress.read()
        interval = INTERVALS[kind[0]]
        if first >= 0 and interval is not None:
            assert first >= reached - interval, f"went back from {reached} to {first}"
        reached = max(reached, last)
        if (folder / "run").exists() and has_checkpoint(folder / "run"):
            assert load_checkpoint(folder / "run").damaged == []
        if code == 0:
            assert_same_run(folder / "run", whole)
            return kills
        kills += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    source, progress = random.Random(wanted.seed), Progress()
    top = Path(tempfile.mkdtemp(prefix="nnintro-kills-"))
    begun, kills, runs = time.monotonic(), 0, 0
    try:
        whole, seconds = {}, {}
        for kind in KINDS:
            for _ in range(2):  # the first one loads what is loaded when it is needed
                now = time.monotonic()
                run = nnintro.train(experiment(*kind), runs_dir=top / "whole")
                seconds[kind] = 1.3 * (time.monotonic() - now)
            whole[kind] = run.directory
        while kills < wanted.kills:
            kind, folder = source.choice(KINDS), top / f"{runs}"
            kills += kill_one(folder, whole[kind], kind, seconds[kind], source, progress)
            runs += 1
            shutil.rmtree(folder)
    except CheckpointError as error:
        sys.exit(f"after {kills} kills: {error}")
    finally:
        shutil.rmtree(top, ignore_errors=True)
    print(f"{kills} kills, {runs} runs, each with the bits of an unbroken one; "
          f"{time.monotonic() - begun:.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
