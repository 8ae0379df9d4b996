"""Three thousand runs, damaged or forged; ``fuzz_runs`` says how, and does it more often when asked."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("first", [0, 1500])
def test_only_right_results_or_exit_code_6(first):
    """In a process of its own, whose memory is nobody else's."""
    command = [sys.executable, "-m", "tests.runs.fuzz_runs", "--mutants", "1500", "--first", str(first)]
    done = subprocess.run([*command, "--seconds", "30"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("1500 mutants: {")
    assert "'right'" in done.stdout
    assert "'exit code 6'" in done.stdout
