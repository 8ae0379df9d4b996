"""Twenty-six signals at random moments; ``kill_runs`` says how, and sends more of them when asked."""

from __future__ import annotations

import re
import subprocess
import sys


def test_kills():
    command = [sys.executable, "-m", "tests.training.kill_runs", "--kills", "20", "--processes", "6"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"(\w+): (\d+) kills, (\d+) runs, each with the bits of an unbroken one", done.stdout)
    kills = {name: (int(kills), int(runs)) for name, kills, runs in found}
    assert kills["Fork"][0] >= 20, done.stdout
    assert kills["Process"][0] >= 6, done.stdout
    assert sum(runs for _, runs in kills.values()) >= 5
