"""Sixteen hundred runs, damaged or forged; ``fuzz_runs`` says how, and does it more often when asked."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest
import torch

from tests.runs.fuzz_runs import fuzz


@pytest.mark.parametrize("first", [0, 800])
def test_only_right_results_or_exit_code_6(first):
    """In a process of its own, whose memory is nobody else's."""
    command = [sys.executable, "-m", "tests.runs.fuzz_runs", "--mutants", "800", "--first", str(first)]
    done = subprocess.run([*command, "--seconds", "30"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("800 mutants: {")
    assert "'right'" in done.stdout
    assert "'exit code 6'" in done.stdout


FOUND = {0: [8, 89, 114, 189, 198, 418, 1652, 2068], 1: [811, 1929, 4375, 7886]}
"""Seed -> mutants that were once not answered."""


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_once(seed):
    count = torch.get_num_threads()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = fuzz(FOUND[seed], seed, 30)
    finally:
        torch.set_num_threads(count)
    assert report.wrong == []
    assert report.ends.total() == len(FOUND[seed])
