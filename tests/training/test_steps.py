"""A network given by hand as a run: the lecture's figures, training, and what is left behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import nnintro
from nnintro.config.load import load_config
from nnintro.engines.choose import choose_engine
from nnintro.errors import CheckpointError, ConfigError
from nnintro.exports import FORMATS
from nnintro.exports.export import export
from nnintro.runs.run import architecture
from tests.engines.twin import work_of
from tests.support import assembled, config

LESSONS = Path(__file__).parents[2] / "configs/steps"
FIGURES = {
    "figure-1": (0.0, 1.0, 1.0),
    "figure-2": (0.0, 0.8, 0.8),
    "figure-3": (0.0, 0.8, 0.0),
    "figure-4": (0.0, 0.8, 1.5),
    "figure-5": (0.4, 0.8, 1.5),
}
"""The lecture's: the output over (0, 0.35], (0.35, 0.7] and beyond."""
BUMPS = [{"at": 0.2, "height": 0.5}, {"from": 0.35, "to": 0.7, "height": 0.8}]
TOWER = {"from": [0, 0], "to": [0.5, 0.5], "height": 1.0}
PLANE = {"kind": "function", "formula": "x1*x2", "domain": [[0, 1], [0, 1]], "samples": 100}


def experiment(steps=BUMPS, **sections):
    model = {"kind": "steps", "steps": steps, **sections.pop("model", {})}
    return config(model=model, **{"name": "run", **sections})


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize("name", FIGURES)
def test_the_lectures_figures(name, tmp_path):
    run = nnintro.train(LESSONS / f"{name}.yaml", runs_dir=tmp_path)
    assert (run.summary["steps"], run.summary["status"]) == (0, "completed")
    first, second, third = FIGURES[name]
    x = [-1.0, 0.0, 0.001, 0.2, 0.35, 0.351, 0.5, 0.7, 0.701, 1.0, 2.0]
    wanted = [0.0] * 2 + [first] * 3 + [second] * 3 + [third] * 3
    np.testing.assert_allclose(run.predict(x)[:, 0], wanted, atol=1e-7)
    assert size_of(run.directory / "figures/neurons.png")[0] == 800
    again = nnintro.train(run.directory / "config.yaml", runs_dir=tmp_path / "again")
    assert torch.equal(again.predict(x), run.predict(x))


def test_the_error_of_a_figure_is_that_of_its_steps(tmp_path):
    run = nnintro.train(LESSONS / "figure-5.yaml", runs_dir=tmp_path)
    x = np.linspace(0, 1, 2001)
    f = 0.2 + 0.4 * x**2 + 0.3 * x * np.sin(15 * x) + 0.1 * np.cos(50 * x)
    # The run is in float32, where a number of the grid and a place are one number or two.
    beyond = [x.astype(np.float32) > np.float32(place) for place in (0, 0.35, 0.7)]
    y = np.where(beyond[2], 1.5, np.where(beyond[1], 0.8, np.where(beyond[0], 0.4, 0.0)))
    metrics = run.summary["metrics"]
    assert metrics["validation/sup_error"] == pytest.approx(np.abs(f - y).max(), rel=1e-6)
    assert metrics["validation/mse"] == pytest.approx(np.square(f - y).mean(), rel=1e-6)


def test_only_heights_and_offset_of_steps_are_trained(tmp_path):
    values = experiment(descent={"optimizer": "adam"}, training={"epochs": 20})
    run = nnintro.train(values, runs_dir=tmp_path)
    hidden, readout = run.model.layers
    assert hidden.weight.tolist() == [[1.0]] * 3
    assert hidden.bias.tolist() == [-0.2, -0.35, -0.7]
    assert readout.weight.tolist() != [[0.5, 0.8, -0.8]]
    assert run.summary["engine"] == "autograd"
    assert run.summary["parameters"] == 10
    loss = run.history["train/loss"]
    assert loss[-1] < 0.5 * loss[0]


def test_sigmoids_are_trained_in_all_they_have(tmp_path):
    values = experiment(model={"activation": "sigmoid", "steepness": 20})
    run = nnintro.train(values, runs_dir=tmp_path)
    start = nnintro.train({**values, "training": {"epochs": 0}}, runs_dir=tmp_path / "start")
    for name, parameter in run.model.named_parameters():
        assert (parameter != start.model.get_parameter(name)).any(), name


@pytest.mark.parametrize("steps", [BUMPS, [TOWER], []], ids=["line", "plane", "none"])
@pytest.mark.parametrize("activation", ["step", "sigmoid"])
def test_it_goes_on_where_it_was(steps, activation, tmp_path):
    dataset = PLANE if steps == [TOWER] else {"samples": 40}
    model = {"activation": activation}
    values = experiment(steps, dataset=dataset, model=model, training={"epochs": 6})
    whole = nnintro.train(values, runs_dir=tmp_path / "whole")
    values["training"] = {"epochs": 2}
    part = nnintro.train(values, runs_dir=tmp_path / "part")
    resumed = nnintro.train(overrides=["training.epochs=6"], resume=part.directory)
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(
        nnintro.load(resumed.directory).model.state_dict()["layers.1.bias"], whole.model.state_dict()["layers.1.bias"]
    )


def test_another_number_of_neurons_is_another_model(tmp_path):
    run = nnintro.train(experiment(), runs_dir=tmp_path)
    with pytest.raises(CheckpointError, match=r"another model .* hidden \[3\] became \[1\]"):
        nnintro.train(resume=run.directory, overrides=["model.steps=[{at: 0, height: 1}]"])


def test_architecture():
    assert architecture(load_config(experiment()).setup()) == {
        "kind": "steps",
        "inputs": 1,
        "hidden": [3],
        "outputs": 1,
        "activations": ["step"],
        "output_activation": "identity",
        "standardize": "none",
    }
    plane = architecture(load_config(experiment([TOWER], dataset=PLANE)).setup())
    assert (plane["hidden"], plane["activations"]) == ([4, 1], ["step", "step"])


def test_the_fused_engine_does_not_serve_it():
    asked = load_config(experiment(training={"epochs": 10**6}, dataset={"samples": 5000}))
    assert choose_engine(work_of(asked), torch.device("cpu")) == "autograd"
    asked = load_config(experiment(training={"engine": "fused"}))
    with pytest.raises(ConfigError, match="fused does not serve model kind steps"):
        assembled(asked)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["figure-5", "tower"])
def test_exported_it_is_the_same(name, format, tmp_path):
    run = nnintro.train(LESSONS / f"{name}.yaml", runs_dir=tmp_path)
    assert export(run, format=format).exists()  # after it was read back, run and compared


@pytest.mark.parametrize("count", [0, 1, 12, 13])
def test_a_picture_of_its_neurons(count, tmp_path):
    steps = [{"at": i / 20, "height": (-1) ** i} for i in range(count)]
    values = experiment(steps, training={"epochs": 0}, logging={"figures": "auto"})
    run = nnintro.train(values, runs_dir=tmp_path)
    assert "incomplete" not in run.summary
    width, height = size_of(run.directory / "figures/neurons.png")
    assert width == 800
    assert (height > 900) is (count == 12)


def test_towers_have_a_surface_and_no_rows(tmp_path):
    values = experiment([TOWER], dataset=PLANE, training={"epochs": 0}, logging={"figures": "auto"})
    run = nnintro.train(values, runs_dir=tmp_path)
    assert [path.name for path in (run.directory / "figures").iterdir()] == ["fit.png"]
    assert "incomplete" not in run.summary


def test_a_config_for_construct_says_so_when_it_is_trained(tmp_path, capsys):
    values = {"dataset": {"kind": "function", "formula": "x"}, "model": {"kind": "steps"}, "training": {"epochs": 1}}
    run = nnintro.train(values, runs_dir=tmp_path, quiet=False)
    text = " ".join(capsys.readouterr().err.split())
    assert "warning: the model has no steps, so training can learn a constant and nothing else" in text
    assert "`nnintro construct`" in text
    assert "gradient is zero" not in text
    assert float(run.predict([[0.1], [0.9]]).std()) == 0
