"""Signals at random moments, many times: ``python -m tests.training.kill_runs --kills 500 --processes 500``.

Two kinds of children train.  A fork of this process, which has everything imported, takes a tenth of a second, and a
kill -9 meets all of it, from the making of the folder to the last file.  A process of its own takes seconds: it is met
from the first line of Python on, by any of the signals that end a process, while it draws figures in a process of
its own.  What is killed is resumed, is sometimes killed again, and has to end with the bits of a run that nobody
killed; a fork repeats at most the updates since its last checkpoint, and after a process nothing is left: no other
process, no temporary file, no hidden folder.
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
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import yaml

import nnintro
from nnintro.engines.autograd import Autograd
from nnintro.engines.compiled import cache_folder
from nnintro.engines.fused import Fused
from nnintro.errors import CheckpointError
from nnintro.runs.checkpoint import has_checkpoint, load_checkpoint
from tests.comparing import assert_same_run
from tests.support import config

ROOT = Path(__file__).parents[2]
INTERVALS = {"1 steps": 1, "7 steps": 7, "0.01s": None}
DATA = (
    ("function", "autograd"),
    ("function", "fused"),
    ("table", "autograd"),
    ("table", "fused"),
    ("images", "autograd"),
)
KINDS = list(itertools.product(INTERVALS, DATA))
ENDINGS = (signal.SIGKILL, signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PATIENCE = 10.0
"""Seconds in which a child of a killed process has to notice that and to end."""


def experiment(every, of, figures, table):
    data, engine = of
    values = config(
        dataset={"noise": 0.1},
        model={"dropout": 0.2 if engine == "autograd" else 0.0},
        descent={"optimizer": "adam", "schedule": {"kind": "cosine", "warmup_steps": 5}},
        training={"epochs": 12, "early_stopping": {"patience": 8}, "checkpoint": {"every": every}, "engine": engine},
        logging={"scalars": "every 5 steps", "histograms": "auto", "figures": figures},
        name="run",
    )
    if data == "table":
        values["dataset"] = {"kind": "table", "path": str(table), "target": "price"}
    elif data == "images":
        values["dataset"] = {"kind": "images", "generator": "cells", "samples": 8, "size": [32, 32]}
        values["model"] = {"kind": "unet", "channels": [2, 4]}
        values |= {"precision": "float32"}
        values["training"]["epochs"] = 6
    return values


def write_table(path):
    source = np.random.default_rng(0)
    rows = [
        f"{a:.3f},{'red' if b else 'blue'},{3 * a + b:.3f}"
        for a, b in zip(source.random(30), source.random(30) > 0.5, strict=True)
    ]
    path.write_text("\n".join(["area,colour,price", *rows]) + "\n")
    return path


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


class Fork:
    """A copy of this process that trains in ``folder``, or goes on there."""

    endings = (signal.SIGKILL,)
    figures = "off"

    def __init__(self):
        self.progress = Progress()

    def start(self, folder, values):
        self.progress.clear()
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            self._note_updates()
            if (folder / "run").exists():
                nnintro.train(resume=folder / "run")
            else:
                nnintro.train(values, runs_dir=folder)
            code = 0
        finally:
            os._exit(code)

    def _note_updates(self):
        update, call, progress = Autograd._update, Fused._descend, self.progress

        def noted(self, step, *, measure):
            progress.note(step)
            return update(self, step, measure=measure)

        def noted_call(self, start, stop, *, together):
            if stop > start:
                progress.note(start)
            return call(self, start, stop, together=together)

        Autograd._update, Fused._descend = noted, noted_call

    def require_nothing_left(self, folder):
        """It has no children, and its temporary files are looked at in processes."""


class Process:
    """``nnintro train`` in a process of its own."""

    endings = ENDINGS
    figures = "auto"

    def __init__(self, top):
        self.scratch, self.mark = top / "scratch", f"kill-runs-{os.getpid()}"
        self.scratch.mkdir()

    def start(self, folder, values):
        folder.mkdir(exist_ok=True)
        (folder.parent / "config.yaml").write_text(yaml.safe_dump(values))
        run = folder / "run"
        what = (
            ["--resume", str(run)] if run.exists() else [str(folder.parent / "config.yaml"), "--runs-dir", str(folder)]
        )
        marked = {"TMPDIR": str(self.scratch), "KILL_RUNS": self.mark, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "nnintro", "train", *what, "--quiet"],
            env={**os.environ, **marked}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return process.pid

    def require_nothing_left(self, folder):
        deadline = time.monotonic() + PATIENCE
        while left := [*self._processes(), *self.scratch.iterdir()]:
            assert time.monotonic() < deadline, f"left behind: {left}"
            time.sleep(0.05)
        hidden = [path for path in folder.rglob("*") if path.name.startswith(".")]
        assert not hidden, f"left behind: {hidden}"

    def _processes(self):
        """Those that have the mark in their environment."""
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if self.mark.encode() in path.read_bytes():
                    yield path
            except OSError:
                continue  # it ended meanwhile


def ended(pid):
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def kill_one(child, folder, whole, kind, seconds, source, values):
    """Kill a run until it has come to its end once; returns how often it was killed."""
    kills, reached = 0, -1
    while True:
        number = None if kills > 0 and source.random() < 0.7 else source.choice(child.endings)
        pid = child.start(folder, values)
        if number is not None:
            time.sleep(source.uniform(0, seconds))
            os.kill(pid, number)
        code = ended(pid)
        assert code == 0 or (number and code in (-number, 128 + number)), f"the child ended with {code}, not {number}"
        if isinstance(child, Fork):
            reached = require_progress(child, kind, reached)
        if (folder / "run").exists() and has_checkpoint(folder / "run"):
            assert load_checkpoint(folder / "run").damaged == []
        if code == 0:
            assert_same_run(folder / "run", whole)
            child.require_nothing_left(folder)
            return kills
        kills += 1


def require_progress(child, kind, reached):
    first, last = child.progress.read()
    interval = INTERVALS[kind[0]]
    if first >= 0 and interval is not None:
        assert first >= reached - interval, f"went back from {reached} to {first}"
    return max(reached, last)


class Unbroken:
    """Runs that nobody kills: made once for each kind, by a fork."""

    def __init__(self, top):
        self.top, self.table, self.child = top, write_table(top / "table.csv"), Fork()
        self._runs, self._seconds = {}, {}

    def run(self, kind):
        if kind not in self._runs:
            folder = self.top / f"whole-{KINDS.index(kind)}"
            assert ended(self.child.start(folder, self.values(kind, self.child))) == 0
            self._runs[kind] = folder / "run"
        return self._runs[kind]

    def values(self, kind, child):
        return experiment(*kind, child.figures, self.table)

    def seconds(self, kind, child):
        """How long such a child lives that nobody kills; of processes all of the same data are alike."""
        key = kind if isinstance(child, Fork) else kind[1][0]
        if (child, key) not in self._seconds:
            begun, folder = time.monotonic(), self.top / "timed"
            assert ended(child.start(folder, self.values(kind, child))) == 0
            self._seconds[child, key] = 1.3 * (time.monotonic() - begun)
            shutil.rmtree(folder)
        return self._seconds[child, key]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="of forks")
    parser.add_argument("--processes", type=int, default=20, help="kills of processes of their own")
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    source = random.Random(wanted.seed)
    top = Path(tempfile.mkdtemp(prefix="nnintro-kills-"))
    begun, counts = time.monotonic(), {}
    before = set(cache_folder().parent.iterdir()) if cache_folder().parent.is_dir() else set()
    try:
        unbroken = Unbroken(top)
        for child, most in ((Fork(), wanted.kills), (Process(top), wanted.processes)):
            kills, runs = 0, 0
            while kills < most:
                kind = source.choice(KINDS)
                run, seconds, folder = unbroken.run(kind), unbroken.seconds(kind, child), top / "killed"
                kills += kill_one(child, folder, run, kind, seconds, source, unbroken.values(kind, child))
                runs += 1
                shutil.rmtree(folder)
            counts[type(child).__name__] = kills, runs
        left = {path for path in set(cache_folder().parent.iterdir()) - before if path.name.startswith(".")}
        assert not left, f"left behind: {left}"
    except CheckpointError as error:
        sys.exit(f"after {counts} kills: {error}")
    finally:
        shutil.rmtree(top, ignore_errors=True)
    for name, (kills, runs) in counts.items():
        print(f"{name}: {kills} kills, {runs} runs, each with the bits of an unbroken one")
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
