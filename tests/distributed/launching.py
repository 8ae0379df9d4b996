"""Start torchrun, on this host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support import PATIENCE

ROOT = Path(__file__).parents[2]


def torchrun(processes: int, *arguments: str | Path, options: tuple[str, ...] = (), **variables: str):
    """The finished process; stdout has what all workers print."""
    return subprocess.run(
        command(processes, *arguments, options=options),
        env=environment(**variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def command(processes: int, *arguments: str | Path, options: tuple[str, ...] = ()) -> list[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [*start, *options, "-m", *map(str, arguments)]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **variables}


def train_all(processes: int, configs: dict[str, dict], folder: Path) -> list[str]:
    """Train each config in so many processes into ``folder``; what every worker printed, sorted."""
    file = folder / "configs.json"
    file.write_text(json.dumps(configs))
    done = torchrun(processes, "tests.distributed.worker", file, folder)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.splitlines())
