"""Standardised targets: the loss is in the units of training, errors in the targets' own."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.models import Standardized
from nnintro.training.assemble import assemble, build_data
from tests.support import config

DIABETES = {"kind": "bundled", "name": "diabetes"}


def test_a_model_in_the_targets_units():
    network = torch.nn.Linear(2, 2).double()
    mean, scale = torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.5])
    model = Standardized(network, mean, scale, torch.tensor([100.0, 0.0]), torch.tensor([7.0, 3.0]))
    x = torch.randn(5, 2, dtype=torch.float64)
    z = (x.numpy() - [1.0, -2.0]) / [2.0, 0.5]
    y = z @ network.weight.detach().numpy().T + network.bias.detach().numpy()
    assert np.allclose(model(x).detach(), y * [7.0, 3.0] + [100.0, 0.0], rtol=1e-14)
    assert np.allclose(model.unscaled(model.scaled(x)), x, rtol=1e-14)


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_errors_are_in_the_targets_units(engine, tmp_path):
    values = config(dataset=DIABETES, descent={"batch_size": 32}, training={"engine": engine})
    run = nnintro.train(values, runs_dir=tmp_path)
    splits = build_data(run.experiment)
    x, y = splits.validation.inputs, splits.validation.targets
    predicted, metrics = run.predict(x).numpy(), run.summary["metrics"]
    assert metrics["validation/rmse"] == pytest.approx(
        sklearn.metrics.root_mean_squared_error(y, predicted), rel=1e-9
    )
    assert metrics["validation/mae"] == pytest.approx(
        sklearn.metrics.mean_absolute_error(y, predicted), rel=1e-9
    )
    assert metrics["validation/r2"] == pytest.approx(
        sklearn.metrics.r2_score(y, predicted), rel=1e-9
    )
    scale = float(splits.train.targets.std(correction=0))
    assert metrics["validation/loss"] == pytest.approx(metrics["validation/mse"] / scale**2)
    again = nnintro.load(run.directory)
    assert torch.equal(again.predict(x), run.predict(x))


def test_the_network_learns_targets_of_mean_0_and_deviation_1():
    parts = assemble(load_config(config(dataset=DIABETES, descent={"batch_size": 32})).experiment)
    targets = parts.train.targets
    assert float(targets.mean()) == pytest.approx(0, abs=1e-12)
    assert float(targets.std(correction=0)) == pytest.approx(1)
    assert np.allclose(parts.train.inputs.mean(0), 0, atol=1e-12)


@pytest.mark.parametrize("standardize", ["none", "inputs", "both"])
def test_classes_stay_classes(standardize, tmp_path):
    dataset = {"kind": "bundled", "name": "wine", "standardize": standardize}
    run = nnintro.train(config(dataset=dataset, descent={"batch_size": 32}), runs_dir=tmp_path)
    targets = build_data(run.experiment).validation.targets
    inputs = build_data(run.experiment).validation.inputs
    found = (run.predict(inputs).argmax(1) == targets).double().mean()
    assert run.summary["metrics"]["validation/accuracy"] == pytest.approx(float(found))
