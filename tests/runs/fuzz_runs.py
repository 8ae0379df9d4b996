"""Runs damaged and forged at random: ``python -m tests.runs.fuzz_runs --mutants 100000 --seed 0``.

Of a few small runs one file at a time is changed (``mutants``), with right SHA-256 sums where the file has some.  What
reads a run (its line in the list, load and predict, its history, evaluate, ``--resume``) has to come to the right
result, to what the changed field says, or to an error of one line that ends with exit code 6.  It may take neither much
time (measured by the clock) nor much memory (the growth of the process's peak of resident memory).
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import torch

import nnintro
from nnintro.errors import ConfigError, DataError, DivergedError, NnintroError
from nnintro.files import as_json
from nnintro.predict.evaluate import evaluate
from nnintro.runs.listing import as_table, find_runs, in_order, with_settings
from tests.runs import mutants
from tests.support import config

SETTINGS = {"threshold", "point_radius", "class_weights"}
"""Of data.json: what measurements depend on, and predictions do not."""
RECORDS = ("environment.json", "history.csv", "events")
"""What a resumed run takes nothing from."""
MEMORY = 500 << 20


def experiments(folder):
    """Name -> config: a curve (with early stopping), one by L-BFGS, a table, images."""
    rows = [
        f"{i % 7},{'' if i == 3 else i / 4},{'red' if i % 3 else 'blue'},{'yes' if i % 4 < 2 else 'no'}"
        for i in range(20)
    ]
    (folder / "table.csv").write_text("\n".join(["a,b,c,y", *rows]) + "\n")
    each = {"steps": 4, "epochs": None, "checkpoint": {"every": "2 steps"}}
    table = {"kind": "table", "path": str(folder / "table.csv"), "target": "y", "missing": "indicator",
             "class_weights": "balanced"}  # fmt: skip
    images = {"kind": "images", "generator": "cells", "size": [32, 32], "samples": 4}
    unet = {"kind": "unet", "channels": [2, 2]}
    return {
        "curve": config(descent={"optimizer": "adam"}, training={**each, "early_stopping": {"patience": 50}}),
        "lbfgs": config(descent={"optimizer": "lbfgs", "variant": "batch", "batch_size": None}, training=each),
        "table": config(dataset=table, descent={"optimizer": "rmsprop"}, training=each),
        "images": config(dataset=images, model=unet, descent={"batch_size": 2}, training=each, precision="float32"),
    }


def predicted(run):
    task = run.setup.task
    shape = (1, task.inputs, *task.image) if task.image else (3, task.inputs)
    return run.predict(torch.linspace(-1, 1, torch.Size(shape).numel()).reshape(shape))


def parameters(run):
    return {name: tensor.clone() for name, tensor in run.model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


class Base:
    """A sound run, and what it comes to."""

    def __init__(self, name, values, top):
        self.name = name
        values["training"] = {key: value for key, value in values["training"].items() if value is not None}
        values["descent"] = {key: value for key, value in values["descent"].items() if value is not None}
        self.run = nnintro.train({**values, "name": name}, runs_dir=top / "sound")
        self.folder = self.run.directory
        latest = json.loads((self.folder / "checkpoints/latest.json").read_text())
        self.newest, self.earlier = latest["file"], latest["previous"][0]["file"]
        self.state = torch.load(self.folder / "checkpoints" / self.newest, weights_only=True)
        self.metrics = [evaluate(self.folder).metrics]
        self.predictions = [predicted(nnintro.load(self.folder))]
        other = top / "earlier" / name
        shutil.copytree(self.folder, other)
        (other / "checkpoints" / self.newest).unlink()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.predictions.append(predicted(nnintro.load(other)))
            self.metrics.append(evaluate(other).metrics)
            resumed = top / "resumed" / name
            shutil.copytree(self.folder, resumed)
            self.resumed = parameters(resume(resumed))


def resume(folder):
    return nnintro.train(resume=folder, overrides=["training.steps=6"])


def changed(base, folder, source):
    """Change one thing in a copy of a run; returns the file's kind and the path in it, if it has one."""
    kind = source.choice(
        ["data.json", "summary.json", "latest.json", "environment.json", "history.csv", "events", *["checkpoint"] * 4]
    )
    checkpoints = folder / "checkpoints"
    files = {"latest.json": checkpoints / "latest.json", "events": next(folder.glob("events.*")),
             "checkpoint": checkpoints / base.newest}  # fmt: skip
    path = files.get(kind, folder / kind)
    if kind == "data.json" and not path.exists():
        kind, path = "latest.json", files["latest.json"]
    if kind == "checkpoint":
        return kind, change_checkpoint(base, path, source)
    data = path.read_bytes()
    if kind in ("history.csv", "events") or source.random() < 0.2:
        if kind == "events" and source.random() < 0.2:
            path.rename(
                folder / source.choice(["events.out.tfevents.x", "events.out.tfevents.1.2.h.3", path.name + ".bak"])
            )
        else:
            path.write_bytes(mutants.mutated_text(data, source))
        return kind, ()
    tree, where = mutants.mutated_tree(json.loads(data), source, mutants.STRANGE)
    if kind == "data.json":
        tree = mutants.sealed(tree) if source.random() < 0.9 else tree
        if source.random() < 0.7:  # and somebody has thought of the checkpoint
            state = {**base.state, "architecture": {**base.state["architecture"], "data": mutants.data_digest(tree)}}
            mutants.vouched_for(files["checkpoint"], mutants.saved(state))
    path.write_bytes(mutants.as_json(tree))
    return kind, where


def change_checkpoint(base, path, source):
    if source.random() < 0.05:
        mutants.vouched_for(path, mutants.compressed(path.read_bytes()))
        return ()
    if source.random() < 0.05:
        mutants.vouched_for(path, mutants.mutated_text(path.read_bytes(), source))
        return ("model",)  # a number of the network may be another now
    state, where = mutants.mutated_state(base.state, source)
    try:
        data = mutants.saved(state)
    except Exception:  # torch does not save everything that it loads
        return ()
    mutants.vouched_for(path, data)
    return where


def looked_at(base, folder, kind, where, source):
    """All that reads a run; what it says is right, or it raises."""
    (row,) = find_runs(folder.parent)
    table, _ = as_table(with_settings(in_order([row], source.choice(["name", "-modified"]))), folder.parent)
    table.encode()
    as_json([row]).encode()
    if kind == "history.csv":
        nnintro.load(folder).history  # noqa: B018 (the reading is the test)
    run = nnintro.load(folder)
    own = kind == "checkpoint" and where[:1] in ((), ("model",))
    assert own or any(torch.equal(predicted(run), known) for known in base.predictions), "other predictions"
    which = source.random()
    if which < 0.25:
        metrics = evaluate(folder).metrics
        free = own or (kind == "data.json" and SETTINGS & {*where})
        assert free or repr(metrics) in map(repr, base.metrics), "other metrics"
    elif which < 0.37:
        resumed = resume(folder)
        assert kind not in RECORDS or same(parameters(resumed), base.resumed), "resumed to another end"


def is_answer(error, kind):
    """Whether an error is one that such a run may end with."""
    if error.exit_code == 6:
        return True
    if isinstance(error, DataError):
        return kind == "data.json" and "has changed since the run" in str(error)
    if kind not in ("checkpoint", "data.json", "latest.json"):
        return False
    return isinstance(error, DivergedError) or (isinstance(error, ConfigError) and "the run" in str(error))


@dataclass
class Report:
    """How mutants ended."""

    ends: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    grown: int = 0
    """Bytes that the peak of resident memory grew by."""
    wrong: list[str] = field(default_factory=list)
    """What is to be mended, with the mutant's number."""


def fuzz(numbers, seed, seconds):
    """Try the mutants of these numbers, each of which says all about itself with the seed."""
    torch.set_num_threads(1)
    top = Path(tempfile.mkdtemp(prefix="nnintro-mutants-"))
    report = Report()
    try:
        bases = [Base(name, values, top) for name, values in experiments(top).items()]
        before = _peak()
        for number in numbers:
            source = random.Random(f"{seed}-{number}")
            base = source.choice(bases)
            folder = top / "mutant" / base.name
            shutil.copytree(base.folder, folder)
            kind, where = changed(base, folder, source)
            begun = time.perf_counter()
            end, wrong = ending(base, folder, kind, where, source)
            took = time.perf_counter() - begun
            report.grown = max(report.grown, _peak() - before)
            if took > seconds or report.grown > MEMORY:
                wrong, before = f"{took:.1f} s, {report.grown >> 20} MiB", _peak()
            report.slowest = max(report.slowest, took)
            report.ends[end] += 1
            if wrong:
                report.wrong.append(f"mutant {number} of seed {seed} ({base.name}, {kind} {where}): {wrong}")
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return report


def ending(base, folder, kind, where, source):
    """How a mutant ends, in words, and what is wrong with that; empty where nothing is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            looked_at(base, folder, kind, where, source)
        return "right", ""
    except NnintroError as error:
        text = str(error)
        wrong = "" if is_answer(error, kind) else f"{type(error).__name__}: {text[:300]}"
        if "\n" in text or len(text) > 2000:
            wrong = f"no line: {text[:300]!r}"
        return f"exit code {error.exit_code}", wrong
    except Exception as error:
        frames = [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        return "other", f"{type(error).__name__}: {str(error)[:300]} ({' '.join(frames[-6:])})"


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=3000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0, help="that one may take")
    wanted = parser.parse_args()
    begun = time.monotonic()
    numbers = range(wanted.first, wanted.first + wanted.mutants)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about what some mutants are made of
        report = fuzz(numbers, wanted.seed, wanted.seconds)
    print(f"{wanted.mutants} mutants: {dict(report.ends)}; the slowest {report.slowest:.2f} s, "
          f"{report.grown >> 20} MiB more; {time.monotonic() - begun:.0f} s", *report.wrong, sep="\n")  # fmt: skip
    sys.exit(1 if report.wrong else 0)


if __name__ == "__main__":
    main()
