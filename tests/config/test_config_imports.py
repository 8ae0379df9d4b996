"""Checking a config loads neither torch nor numpy, and is quick."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
CHECK = """
import sys
from nnintro.config.load import load_config
for path in sys.argv[1:]:
    load_config(path).setup().notes()
heavy = {"torch", "numpy", "sklearn", "matplotlib", "rich", "tensorboard", "numba", "difflib"}
print(sorted(heavy & set(sys.modules)))
"""


def run() -> tuple[str, float]:
    """What the check printed, and the seconds it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", CHECK, *map(str, CONFIGS[:1])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time: a busy machine makes a command wait, not work.
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, used


def test_nothing_heavy_is_imported_and_it_is_quick():
    assert CONFIGS
    runs = [run() for _ in range(3)]
    assert {printed for printed, _ in runs} == {"[]\n"}
    assert min(seconds for _, seconds in runs) < 0.6
