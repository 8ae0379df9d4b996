"""Standardised targets: the loss is in the units of training, errors in the targets' own."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.models import Standardization, Standardized
from nnintro.training.setup import build_data
from tests.support import assembled, config

DIABETES = {"kind": "bundled", "name": "diabetes"}


def test_a_model_in_the_targets_units():
    network = torch.nn.Linear(2, 2).double()
    mean, scale = torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.5])
    model = Standardized(
        network, Standardization(mean, scale), Standardization(torch.tensor([100.0, 0.0]), torch.tensor([7.0, 3.0]))
    )
    x = torch.randn(5, 2, dtype=torch.float64)
    z = (x.numpy() - [1.0, -2.0]) / [2.0, 0.5]
    y = z @ network.weight.detach().numpy().T + network.bias.detach().numpy()
    assert np.allclose(model(x).detach(), y * [7.0, 3.0] + [100.0, 0.0], rtol=1e-14)
    assert np.allclose(model.unscaled(model.scaled(x)), x, rtol=1e-14)


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_errors_are_in_the_targets_units(engine, tmp_path):
    values = config(dataset=DIABETES, descent={"batch_size": 32}, training={"engine": engine})
    run = nnintro.train(values, runs_dir=tmp_path)
    splits = build_data(run.setup.experiment)
    x, y = splits.validation.inputs, splits.validation.targets
    predicted, metrics = run.predict(x).numpy(), run.summary["metrics"]
    assert metrics["validation/rmse"] == pytest.approx(sklearn.metrics.root_mean_squared_error(y, predicted), rel=1e-9)
    assert metrics["validation/mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(y, predicted), rel=1e-9)
    assert metrics["validation/r2"] == pytest.approx(sklearn.metrics.r2_score(y, predicted), rel=1e-9)
    scale = float(splits.train.targets.std(correction=0))
    assert metrics["validation/loss"] == pytest.approx(metrics["validation/mse"] / scale**2)
    again = nnintro.load(run.directory)
    assert torch.equal(again.predict(x), run.predict(x))


def test_the_network_learns_targets_of_mean_0_and_deviation_1():
    parts = assembled(load_config(config(dataset=DIABETES, descent={"batch_size": 32})))
    targets = parts.train.targets
    assert float(targets.mean()) == pytest.approx(0, abs=1e-12)
    assert float(targets.std(correction=0)) == pytest.approx(1)
    assert np.allclose(parts.train.inputs.mean(0), 0, atol=1e-12)


@pytest.mark.parametrize("standardize", ["none", "inputs", "both"])
def test_classes_stay_classes(standardize, tmp_path):
    dataset = {"kind": "bundled", "name": "wine", "standardize": standardize}
    run = nnintro.train(config(dataset=dataset, descent={"batch_size": 32}), runs_dir=tmp_path)
    targets = build_data(run.setup.experiment).validation.targets
    inputs = build_data(run.setup.experiment).validation.inputs
    found = (run.predict(inputs).argmax(1) == targets).double().mean()
    assert run.summary["metrics"]["validation/accuracy"] == pytest.approx(float(found))


def test_large_targets_that_differ_little(tmp_path):
    """In float32 the numbers about 1e9 are 64 apart: outputs in units are float64."""
    source = np.random.default_rng(0)
    x = source.normal(size=400)
    y = 1e9 + 3 * x
    path = tmp_path / "a.csv"
    np.savetxt(path, np.stack([x, y], 1), "%.17g", ",", header="x,y", comments="")
    values = config(
        dataset={"kind": "table", "path": str(path), "target": "y"},
        model={"hidden": []},
        descent={"learning_rate": 0.1, "batch_size": 20},
        training={"epochs": 20},
        precision="float32",
    )
    run = nnintro.train(values, runs_dir=tmp_path)
    assert run.summary["metrics"]["validation/mae"] < 0.01
    assert run.summary["metrics"]["validation/rmse"] > 0
    found = run.predict([[-1.0], [1.0]])
    assert found.dtype == torch.float64
    assert np.allclose(found[:, 0] - 1e9, [-3, 3], atol=0.01)
