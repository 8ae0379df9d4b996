"""Least squares beside the trained neuron: numpy's solution, distances, data that do not tell."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import nnintro
from nnintro.training.closed_form import solve
from tests.conformance.test_configs import ROOT
from tests.support import config

LINEAR = {"kind": "regression", "generator": "linear", "features": 3, "samples": 60, "noise": 0.2}


def trained(tmp_path, **sections):
    values = config(**{"dataset": LINEAR, "model": {"hidden": []}, "training": {"epochs": 5}, **sections}, name="run")
    return nnintro.train(values, runs_dir=tmp_path)


def columns_of(run):
    from nnintro.training.setup import build_data

    train = build_data(run.setup.experiment).train
    return train.inputs.numpy(), train.targets.numpy()


@pytest.mark.parametrize("standardize", ["none", "inputs"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_it_is_numpys(outputs, standardize, tmp_path):
    run = trained(tmp_path, dataset={**LINEAR, "outputs": outputs, "standardize": standardize})
    found = run.summary["least_squares"]
    x, y = columns_of(run)
    best, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    np.testing.assert_allclose(found["weights"], best[:-1].T, rtol=1e-10)
    np.testing.assert_allclose(found["bias"], best[-1], rtol=1e-10)
    residual = np.column_stack([x, np.ones(len(x))]) @ best - y
    assert found["loss"] == pytest.approx(np.mean(residual**2), rel=1e-10)
    assert found["trained_loss"] == run.summary["metrics"]["train/loss"] > found["loss"]
    assert (found["rank"], found["parameters"]) == (4, 4)
    weight, bias = (p.detach().numpy() for p in run.model.parameters())
    own = np.concatenate([weight.T, bias[None]])
    inside = (x - x.mean(0)) / x.std(0) if standardize == "inputs" else x
    nearest, *_ = np.linalg.lstsq(np.column_stack([inside, np.ones(len(x))]), y, rcond=None)
    assert found["distance"] == pytest.approx(np.linalg.norm(own - nearest), rel=1e-9)


def test_targets_in_their_own_units(tmp_path):
    dataset = {"kind": "bundled", "name": "diabetes", "standardize": "both"}
    run = trained(tmp_path, dataset=dataset, training={"epochs": 1000}, descent={"variant": "batch", "batch_size": 354})
    found = run.summary["least_squares"]
    x, y = columns_of(run)
    best, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    np.testing.assert_allclose(found["weights"], best[:-1].T, rtol=1e-7)
    np.testing.assert_allclose(found["bias"], best[-1], rtol=1e-7)


def test_descent_comes_to_it(tmp_path):
    run = trained(tmp_path, training={"epochs": 600}, descent={"variant": "batch", "batch_size": 48})
    found = run.summary["least_squares"]
    assert found["distance"] < 1e-9
    assert found["trained_loss"] == pytest.approx(found["loss"], rel=1e-12)


def test_data_that_do_not_tell_the_parameters_apart(tmp_path, capsys):
    rng = np.random.default_rng(2)
    rows = ["a,b,c,y"]
    for a, c in rng.normal(size=(40, 2)).tolist():
        rows.append(f"{a!r},{2 * a + 1!r},{c!r},{a - c + 0.5!r}")
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    dataset = {"kind": "table", "path": str(tmp_path / "t.csv"), "target": "y", "standardize": "none"}
    values = config(dataset=dataset, training={"epochs": 3000}, name="run")
    values["model"] = {"kind": "mlp", "hidden": []}
    run = nnintro.train(values, runs_dir=tmp_path, quiet=False)
    found = run.summary["least_squares"]
    assert (found["rank"], found["parameters"]) == (3, 4)
    assert found["loss"] < 1e-25
    shown = " ".join(capsys.readouterr().err.split())
    assert "the data do not tell 4 parameters apart (rank 3): many reach that loss" in shown
    # It is far from the shortest solution and yet one of them.
    weight, bias = (p.detach().numpy() for p in run.model.parameters())
    shortest = np.array([*found["weights"][0], *found["bias"]])
    assert np.linalg.norm([*weight[0], *bias] - shortest) > 0.01
    assert found["distance"] < 1e-5


def test_fewer_samples_than_parameters():
    inputs = torch.randn(3, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    targets = inputs[:, :1].clone()
    found = solve(inputs, targets)
    assert (found.rank, tuple(found.parameters.shape)) == (3, (8, 1))
    assert found.loss < 1e-28
    expected = np.linalg.pinv(np.column_stack([inputs.numpy(), np.ones(3)])) @ targets.numpy()
    np.testing.assert_allclose(found.parameters.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(
    "sections",
    [
        {"model": {"hidden": [3]}},
        {"loss": "mae"},
        {"model": {"hidden": [], "output_activation": "tanh"}},
        {"dataset": {"kind": "classification", "generator": "moons", "samples": 40}, "loss": "mse"},
    ],
)
def test_what_is_no_linear_regression_has_none(sections, tmp_path):
    run = trained(tmp_path, **sections)
    assert "least_squares" not in run.summary


def test_the_table_and_the_figure(tmp_path, capsys):
    run = nnintro.train(ROOT / "configs/neuron/basis.yaml", runs_dir=tmp_path, quiet=False)
    shown = capsys.readouterr().err
    lines = [line.split() for line in shown.splitlines()]
    assert ["closed", "form", "trained"] in lines
    assert ["x*sin(15*x)", "0.3", "0.3"] in lines
    assert (run.directory / "figures/least_squares.png").exists()
    found = json.loads((run.directory / "summary.json").read_text())["least_squares"]
    np.testing.assert_allclose(found["weights"], [[0.4, 0.3, 0.1]], atol=1e-6)
    np.testing.assert_allclose(found["bias"], [0.2], atol=1e-6)
    weight, bias = (p.detach().numpy() for p in run.model.parameters())
    np.testing.assert_allclose(weight, [[0.4, 0.3, 0.1]], atol=1e-4)
    np.testing.assert_allclose(bias, [0.2], atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_units_have_no_say_in_what_is_collinear(dtype):
    """Years beside shares, and beside a column of ones: the true weights are found."""
    rng = np.random.default_rng(4)
    x = np.column_stack([np.arange(2000, 2021), rng.uniform(0, 1, 21), rng.uniform(1e6, 2e6, 21)])
    y = x @ [0.5, 3.0, 1e-6] - 1005
    found = solve(torch.from_numpy(x).to(dtype), torch.from_numpy(y)[:, None])
    assert found.rank == 4
    limit = 1e-3 if dtype == torch.float32 else 1e-8
    np.testing.assert_allclose(found.parameters[:, 0], [0.5, 3.0, 1e-6, -1005], rtol=limit)
    assert found.loss < 1e-6


def test_the_columns_of_a_table_have_their_names(tmp_path, capsys):
    rng = np.random.default_rng(3)
    rows = ["area,rooms,y", *(f"{a},{b},{a - b}" for a, b in rng.normal(size=(20, 2)).tolist())]
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    values = config(dataset={"kind": "table", "path": str(tmp_path / "t.csv"), "target": "y"}, name="run")
    values["model"] = {"kind": "mlp", "hidden": []}
    nnintro.train(values, runs_dir=tmp_path, quiet=False)
    firsts = [line.split()[:1] for line in capsys.readouterr().err.splitlines()]
    assert ["area"] in firsts
    assert ["rooms"] in firsts


def test_a_run_that_went_on_is_nearer(tmp_path):
    run = trained(tmp_path, descent={"variant": "batch", "batch_size": 48})
    again = nnintro.train(resume=run.directory, overrides=["training.epochs=50"], runs_dir=tmp_path)
    before, after = run.summary["least_squares"], again.summary["least_squares"]
    assert after["loss"] == before["loss"]
    assert after["distance"] < before["distance"] / 10
