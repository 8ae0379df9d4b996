"""kill -9, sixty times; ``kill_runs`` says how, and does it more often when asked."""

from __future__ import annotations

import re
import subprocess
import sys


def test_sixty_kills():
    command = [sys.executable, "-m", "tests.training.kill_runs", "--kills", "60"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    found = re.match(r"(\d+) kills, (\d+) runs, each with the bits of an unbroken one", done.stdout)
    assert found, done.stdout
    assert int(found[1]) >= 60
    assert int(found[2]) >= 12
