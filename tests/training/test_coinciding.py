"""Inputs that are one number in float32 are said; those that the network can tell apart are not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnintro.config.load import load_config
from nnintro.datasets.samples import coinciding
from nnintro.training.setup import assemble, build_data
from nnintro.training.words import notes

FAR = [1_700_000_000 + k for k in range(1000)]
MODEL = {"kind": "mlp", "hidden": [2]}
LEFT = len(set(np.array(FAR, np.float32).tolist()))


def table(tmp_path, **keys):
    rows = [f"{x},{k % 7}.5" for k, x in enumerate(FAR)]
    (tmp_path / "a.csv").write_text("\n".join(["time,y", *rows]))
    return {"kind": "table", "path": str(tmp_path / "a.csv"), "target": "y", "validation": 0.01, **keys}


def parts_of(dataset, precision="float32"):
    loaded = load_config({"dataset": dataset, "model": MODEL, "precision": precision, "training": {"epochs": 1}})
    splits = build_data(loaded.experiment)
    return assemble(loaded.setup(splits.found), splits)


@pytest.mark.parametrize(
    ("standardize", "precision"), [("none", "float64"), ("both", "float32"), ("inputs", "float32")]
)
def test_a_table_whose_inputs_stay_apart(standardize, precision, tmp_path):
    assert parts_of(table(tmp_path, standardize=standardize), precision).coinciding == {}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_table_of_unix_times(precision, tmp_path):
    ((name, (values, left)),) = parts_of(table(tmp_path, standardize="none"), precision).coinciding.items()
    assert (name, values) == ("time", 990)
    assert left <= LEFT < 20


def test_a_function_far_from_zero():
    far = {"kind": "function", "formula": "sin(x)", "domain": [[1e8, 1e8 + 10]], "samples": 200, "standardize": "none"}
    ((name, (values, left)),) = parts_of(far).coinciding.items()
    assert (name, values) == ("x", 200)
    assert left <= 3
    assert parts_of({**far, "standardize": "inputs"}).coinciding == {}
    assert parts_of({**far, "domain": [[0, 10]]}).coinciding == {}


def test_the_note(tmp_path):
    parts = parts_of(table(tmp_path, standardize="none"))
    left = parts.coinciding["time"][1]
    assert notes(parts.setup, parts) == [
        f"990 different values of input 'time' become {left} when they are rounded to float32: the network cannot tell "
        "them apart; write precision: float64 or dataset.standardize: inputs"
    ]


def test_a_few_of_many_random_numbers_may_coincide():
    inputs = torch.rand(200_000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert len(inputs.float().unique()) < len(inputs.unique())
    assert coinciding(inputs, ["x"], torch.float32) == {}
