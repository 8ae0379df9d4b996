"""Train the configs of a JSON file one after the other: ``torchrun ... -m tests.distributed.worker FILE RUNS_DIR``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nnintro
from nnintro.errors import NnintroError

if __name__ == "__main__":
    file, runs_dir = map(Path, sys.argv[1:])
    for name, config in json.loads(file.read_text()).items():
        try:
            run = nnintro.train({**config, "name": name}, runs_dir=runs_dir)
            line = f"{run.summary['status']} after {run.summary['steps']}"
        except NnintroError as error:
            line = f"{type(error).__name__}, {'silent' if error.reported else error}"
        os.write(1, f"{name}: {line}\n".encode())  # at once, or the lines of two processes run into each other
