"""Kill a worker of torchrun at random moments: ``python -m tests.distributed.kill_workers [TIMES]``.

Each time a training is begun, one of its processes is killed, and the parameters in the end have to be those of an
unbroken run to the bit.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import nnintro
from tests.distributed.launching import ROOT, command, environment
from tests.support import PATIENCE, config

LONG = config(
    dataset={"samples": 40},
    descent={"optimizer": "adam"},
    training={"epochs": 60, "checkpoint": {"every": "50 steps"}},
)  # fmt: skip


def started(file: Path, folder: Path, processes: int = 2, restarts: int = 3) -> subprocess.Popen[str]:
    """torchrun training the file's config in ``folder``; what it shows goes to a file beside that."""
    arguments = command(
        processes, "nnintro", "train", file, "--runs-dir", folder, options=("--max-restarts", str(restarts))
    )
    with folder.with_suffix(".log").open("w") as log:
        return subprocess.Popen(arguments, env=environment(), cwd=ROOT, stdout=log, stderr=log, text=True)


def workers(torchrun: int) -> list[int]:
    """The processes that torchrun has started, by their rank."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            variables = (status.parent / "environ").read_bytes().split(b"\0") if parent == torchrun else []
        except OSError:
            continue  # it has ended meanwhile
        found |= {int(text[5:]): int(status.parent.name) for text in variables if text.startswith(b"RANK=")}
    return [found[rank] for rank in sorted(found)]


def parameters(folder: Path) -> dict[str, torch.Tensor]:
    run = nnintro.load(folder / "run")
    assert run.summary["status"] == "completed", run.summary
    return run.model.state_dict()


def main(times: int) -> None:
    place = Path(tempfile.mkdtemp())
    file = place / "run.yaml"
    file.write_text(json.dumps({**LONG, "name": "run"}))
    unbroken = started(file, place / "unbroken")
    while len(workers(unbroken.pid)) < 2:
        time.sleep(0.01)
    began = time.monotonic()
    assert unbroken.wait(PATIENCE) == 0
    length, wanted = time.monotonic() - began, parameters(place / "unbroken")
    for number in range(times):
        folder, moment = place / f"killed-{number}", random.uniform(0.0, length)
        training = started(file, folder)
        while len(there := workers(training.pid)) < 2:
            time.sleep(0.01)
        time.sleep(moment)
        rank = random.randrange(2)
        with contextlib.suppress(ProcessLookupError):  # it is over already
            os.kill(there[rank], signal.SIGKILL)
        assert training.wait(PATIENCE) == 0, folder.with_suffix(".log").read_text()
        ours, runs = parameters(folder), sorted(path.name for path in folder.iterdir())
        resumed = nnintro.load(folder / "run").summary.get("resumed")
        equal = all(torch.equal(ours[key], wanted[key]) for key in wanted)
        print(f"{number}: rank {rank} after {moment:.1f} s of {length:.1f}: {equal=} {runs} {resumed=}", flush=True)
        assert equal
        assert runs == ["run"]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
