"""Train the configs of a JSON file one after the other: ``torchrun ... -m tests.distributed.worker FILE RUNS_DIR``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nnintro
from nnintro.errors import NnintroError

if __name__ == "__main__":
    file, runs_dir = map(Path, sys.argv[1:])
    for name, config in json.loads(file.read_text()).items():
        try:
            run = nnintro.train({**config, "name": name}, runs_dir=runs_dir)
            print(f"{name}: {run.summary['status']} after {run.summary['steps']}", flush=True)
        except NnintroError as error:
            print(f"{name}: {type(error).__name__}, {'silent' if error.reported else error}", flush=True)
