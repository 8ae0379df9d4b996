"""What training takes of the memory: a child process for each, for the peak never goes down."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT

pytest.importorskip("resource")


MEASURE = """
import json, resource, sys
import torch
from nnintro.config.load import load_config
from tests.support import assembled
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
values = json.loads(sys.argv[1])
small = {**values, "model": {"kind": "mlp", "hidden": [2]}}
small["dataset"] = {**values["dataset"], "samples": 64}
small["descent"] = {**values["descent"], "batch_size": 8, "variant": "mini-batch"}
def train(values):
    parts = assembled(load_config(values))
    parts.engine.advance(0, 3, lambda: False)
    return parts
train(small)  # everything is loaded now
before = peak()
parts = train(values)
count = sum(p.numel() for p in parts.network.parameters())
print(json.dumps({"MB": peak() - before, "parameters": 4 * count / 2**20}))
"""


def measured(**sections):
    import json

    values = {"training": {"steps": 10, "engine": "fused"}, **sections}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(values)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_parameters():
    """Parameters, gradients of at most two threads, adam's memories, and a copy to go back to."""
    found = measured(
        dataset={"kind": "regression", "features": 500, "samples": 80},
        model={"kind": "mlp", "hidden": [3000, 1500]},
        descent={"optimizer": "adam", "learning_rate": 1e-4, "batch_size": 8},
    )
    assert found["parameters"] > 20
    assert found["MB"] < 9.5 * found["parameters"]


def test_a_batch_of_all_samples():
    """400,000 rows of 200 neurons would be 300 MB: they go through the network by the tile."""
    found = measured(
        dataset={"kind": "function", "formula": "x", "samples": 400_000},
        model={"kind": "mlp", "hidden": [200]},
        descent={"variant": "batch", "batch_size": 400_000, "learning_rate": 0.1},
    )
    assert found["MB"] < 60
