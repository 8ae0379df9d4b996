"""Shared settings of the tests, and runs that several of them use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import config

# A deadline would make a busy machine fail tests; a fixed seed makes every run the same run.
settings.register_profile("nnintro", deadline=None, derandomize=True)
settings.load_profile("nnintro")

MOONS = {"kind": "classification", "generator": "moons", "samples": 60, "noise": 0.1}
TRAINED = {
    "curve": config(precision="float32"),
    "exact": config(),
    "bfloat16": config(precision="bfloat16"),
    "vector": config(
        dataset={"kind": "regression", "generator": "linear", "features": 3, "outputs": 2,
                 "samples": 50, "standardize": "inputs"},
    ),
    "blobs": config(
        dataset={"kind": "classification", "generator": "blobs", "classes": 3, "samples": 90,
                 "standardize": "inputs"},
        precision="float32",
    ),
    "moons": config(dataset=MOONS, training={"epochs": 20}),
    "moons_mse": config(dataset=MOONS, loss="mse", training={"epochs": 20}),
    "blobs_mse": config(
        dataset={"kind": "classification", "generator": "blobs", "classes": 3, "samples": 60},
        loss="mse",
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> dict[str, Path]:
    """Name -> folder of a small trained run, of every kind of task."""
    import nnintro

    folder = tmp_path_factory.mktemp("runs")
    return {name: nnintro.train(sections, runs_dir=folder, name=name).directory for name, sections in TRAINED.items()}
