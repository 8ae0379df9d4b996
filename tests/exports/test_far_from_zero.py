"""Inputs whose differences float32 cannot see: whoever uses a run standardises as training did."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.errors import NnintroError
from nnintro.exports.agreement import compare
from nnintro.exports.export import export, region
from nnintro.models import Standardization, Standardized
from nnintro.predict.evaluate import evaluate
from nnintro.predict.rows import predict_file
from nnintro.training.sketches import Pictures
from tests.exports.conftest import PROGRAMS
from tests.support import assembled, config

BEGIN = 1_700_000_000
"""A Unix time of 2023: float32 numbers are 128 apart there."""
SECONDS = BEGIN + np.arange(0.0, 601.0, 20.0)[:, None]  # (31, 1)
CONFIG = config(
    dataset={"formula": f"sin((x - {BEGIN})/100)", "domain": [[BEGIN, BEGIN + 600]],
             "samples": 200, "standardize": "inputs"},
    model={"hidden": [8]},
    precision="float32",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return nnintro.train(CONFIG, runs_dir=tmp_path_factory.mktemp("timestamps"))


@pytest.fixture(scope="module")
def expected(run):
    """(31, 1) by hand: standardised in float64, the network in float32."""
    state = {name: values.numpy() for name, values in run.model.state_dict().items()}
    assert state["mean"].dtype == state["scale"].dtype == np.float64
    x = ((SECONDS - state["mean"]) / state["scale"]).astype(np.float32)
    w1, b1, w2, b2 = (state[f"network.layers.{layer}.{kind}"] for layer in (0, 1) for kind in ("weight", "bias"))
    assert w1.dtype == np.float32
    found = np.tanh(x @ w1.T + b1) @ w2.T + b2
    assert len(np.unique(found)) == len(SECONDS)
    return found


def test_predict_and_the_model_itself(run, expected):
    for opened in (run, nnintro.load(run.directory)):
        assert opened.predict(SECONDS).dtype == torch.float32
        assert np.allclose(opened.predict(SECONDS).numpy(), expected, atol=1e-6)
        assert torch.equal(opened.model(torch.from_numpy(SECONDS)), opened.predict(SECONDS))


def test_predictions_of_a_file(run, expected, tmp_path):
    np.savetxt(tmp_path / "a.csv", SECONDS)
    assert predict_file(run.directory, str(tmp_path / "a.csv"), tmp_path / "b.npy", "npy") == 31
    assert np.allclose(np.load(tmp_path / "b.npy"), expected, atol=1e-6)


def test_evaluate_gives_the_numbers_of_the_training(run):
    summary = json.loads((run.directory / "summary.json").read_text())["metrics"]
    found = evaluate(run.directory).metrics
    assert {f"validation/{name}": value for name, value in found.items()} == {
        tag: value for tag, value in summary.items() if tag.startswith("validation/")
    }


def test_figures_draw_what_is_trained():
    config = load_config(CONFIG)
    parts = assembled(config)
    pictures = Pictures(parts.model, config.setup(), parts.splits)
    (sketch,) = pictures.sketches(0)
    drawn = sketch.arrays["prediction"]
    computed = parts.network(parts.validation.inputs).detach().double().numpy()[:, 0]
    assert len(np.unique(drawn)) > 1000
    assert np.array_equal(drawn, computed)


@pytest.mark.parametrize("format", PROGRAMS)
def test_exports(run, expected, format, tmp_path):
    path = export(run, tmp_path / "net", format)
    found = PROGRAMS[format](path, SECONDS)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-6)


def test_a_file_that_rounds_its_inputs_is_found_out(run):
    assert isinstance(run.model, Standardized)
    corners = region(run)
    assert compare(run.model.requires_grad_(False), run.model, *corners).inputs == torch.float64
    with pytest.raises(NnintroError, match="does not compute what the network computes"):
        compare(run.model, lambda x: run.model(x.float()), *corners)


def test_a_checkpoint_with_statistics_in_float32_still_loads(run):
    """As they were before: their values are kept."""
    model = Standardized(run.model.network, Standardization.none(1))
    state = {
        name: values.float() if name in ("mean", "scale") else values for name, values in run.model.state_dict().items()
    }
    model.load_state_dict(state)
    assert model.mean.dtype == torch.float64
    assert torch.equal(model.mean, run.model.mean.float().double())
