"""kill -9, a hundred times; ``kill_runs`` says how, and does it more often when asked."""

from __future__ import annotations

import re
import subprocess
import sys


def test_a_hundred_kills():
    command = [sys.executable, "-m", "tests.training.kill_runs", "--kills", "100"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    found = re.match(r"(\d+) kills, (\d+) runs, each with the bits of an unbroken one", done.stdout)
    assert found, done.stdout
    assert int(found[1]) >= 100
    assert int(found[2]) >= 20
