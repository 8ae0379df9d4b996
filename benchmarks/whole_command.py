"""Whole processes, by the wall: what a user waits for, start-up and recording included.

``nnintro train`` writes its run folder (TensorBoard, figures, checkpoint), as it always does; the
peers only train.  Beside them: Python importing torch, and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.assignment import draw, save
from benchmarks.peers import PEERS
from benchmarks.results import CommandResult
from benchmarks.timing import Say, rotated
from benchmarks.works import LEARNING_RATES, WORKS, config

ROOT = Path(__file__).parents[1]
WORK = WORKS["mini-batch"]
SHORT_EPOCHS = 200
"""6,400 updates."""
LONG_EPOCHS = 31_250
"""1,000,000 updates."""
LONG_PEERS = ("jax",)
"""Those that are done within a minute or so."""
IMPORT = "import torch, nothing else"
TRAIN = "nnintro train"


def measure_commands(optimizer: str, peers: Sequence[str], rounds: int, say: Say) -> list[CommandResult]:
    """The short job by everybody; the long one by the fast ones, in fewer rounds."""
    others = [peer for peer in peers if not PEERS[peer].ours]
    fast = [peer for peer in others if peer in LONG_PEERS]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        save(draw(WORK, optimizer), data)
        yaml = Path(folder) / "job.yaml"
        sections = config(WORK, optimizer, LEARNING_RATES[optimizer])
        yaml.write_text(json.dumps(sections), encoding="utf-8")  # JSON is YAML
        return [
            _job(commands_for(optimizer, others, yaml, data, SHORT_EPOCHS), rounds, say),
            _job(commands_for(optimizer, fast, yaml, data, LONG_EPOCHS), min(rounds, 3), say),
        ]


def commands_for(
    optimizer: str, peers: Sequence[str], yaml: Path, data: Path, epochs: int
) -> tuple[str, dict[str, list[str]]]:
    """The job's title, and its commands by name."""
    python = sys.executable
    train = [python, "-m", "nnintro", "train", str(yaml), "--runs-dir", str(yaml.parent / "runs")]
    train += ["--set", f"training.epochs={epochs}", "--json", "--quiet"]
    commands = {IMPORT: [python, "-c", "import torch"], TRAIN: train}
    for peer in peers:
        job = [python, "-m", "benchmarks.job", peer, WORK.name, optimizer, str(data), str(epochs)]
        commands[PEERS[peer].label] = job
    updates = epochs * WORK.updates_per_epoch
    return f"Whole processes: {updates:,} updates of {WORK.title}, {optimizer}", commands


def _job(job: tuple[str, dict[str, list[str]]], rounds: int, say: Say) -> CommandResult:
    title, commands = job
    result = CommandResult(title, {name: [] for name in commands}, {})
    for name in commands:  # once unmeasured: files in the cache, kernels compiled
        say(f"{title}: warming up {name}")
        _run(commands[name])
    for number in range(rounds):
        say(f"{title}: round {number + 1} of {rounds}")
        for name in rotated(list(commands), number):
            seconds, output = _run(commands[name])
            result.seconds[name].append(seconds)
            if output:
                result.losses[name] = loss_in(output)
    return result


def _run(command: Sequence[str]) -> tuple[float, str]:
    """Wall seconds and stdout.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return seconds, done.stdout.strip()


def loss_in(output: str) -> float:
    """The loss in what a command printed: nnintro's summary, or a number on the last line."""
    if output.startswith("{"):
        return float(json.loads(output)["metrics"]["train/loss"])
    return float(output.splitlines()[-1])
