"""Training that starts from a construction: the start itself, and what becomes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.errors import ConfigError
from tests.support import assembled


def values(units=40, steps=0, **initialization):
    return {
        "dataset": {"kind": "function", "formula": "lecture"},
        "model": {"kind": "mlp", "hidden": [units], "activation": "sigmoid",
                  "initialization": {"kind": "steps", **initialization}},
        "descent": {"optimizer": "adam", "learning_rate": 0.003, "schedule": "cosine"},
        "training": {"steps": steps} if steps else {"epochs": 0},
        "logging": {"figures": "off"},
    }  # fmt: skip


def test_each_step_is_a_sigmoid_at_its_place(tmp_path):
    parts = assembled(load_config(values(error=0.05, steepness=1e5)))
    first, readout = (m for m in parts.network.modules() if isinstance(m, torch.nn.Linear))
    places = (-first.bias / first.weight[:, 0]).detach().numpy()
    built = [s["at"] for s in steps_of(tmp_path)]
    assert np.allclose(places[:25], built, atol=1e-6)
    assert np.allclose(places[25:], (np.arange(15) + 0.5) / 15, atol=1e-6)
    assert (readout.weight[0, 25:] == 0).all()
    # So steep, and away from the steps, it is the construction.
    x = torch.linspace(0, 1, 5001)[:, None]
    far = np.abs(x.numpy() - places).min(axis=1) > 3e-4
    truth = np.array([0.2 + 0.4 * t**2 + 0.3 * t * np.sin(15 * t) + 0.1 * np.cos(50 * t)
                      for t in x[:, 0].tolist()])  # fmt: skip
    with torch.no_grad():
        error = np.abs(parts.network(x)[:, 0].numpy() - truth)
    assert far.sum() > 4000
    assert error[far].max() < 0.05 + 1e-5


def steps_of(folder):
    """The construction, by the command that builds nothing else."""
    from nnintro.constructions.construct import construct

    found = construct({"dataset": values()["dataset"]}, runs_dir=folder)
    return [step.model_dump() for step in found.run.setup.model.steps]


def test_training_improves_on_it_and_on_torchs_start(tmp_path):
    """The same number of neurons and updates; five seeds are in the lesson."""
    built = nnintro.train(values(40, error=0.05), runs_dir=tmp_path)
    handed = nnintro.train(values(40, 8000, error=0.05), runs_dir=tmp_path)
    fresh = nnintro.train(values(40, 8000), ["model.initialization=torch"], runs_dir=tmp_path)
    errors = [run.summary["metrics"]["validation/sup_error"] for run in (handed, built, fresh)]
    assert errors[0] < 0.5 * errors[1]
    assert errors[0] < 0.5 * errors[2]


def test_without_an_error_all_units_are_used():
    parts = assembled(load_config(values(30)))
    readout = [m for m in parts.network.modules() if isinstance(m, torch.nn.Linear)][1]
    assert (readout.weight != 0).all()


def test_too_few_units():
    with pytest.raises(ConfigError) as error:
        assembled(load_config(values(20, error=0.05)))
    assert str(error.value) == (
        "model.initialization.error: an error of 0.05 takes 25 steps, and the hidden layer has 20 "
        "units; expected a larger error, or more units"
    )


def test_python_flint_is_missing(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "flint", None)
    for name in [name for name in sys.modules if name.startswith("nnintro.proofs.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "nnintro.proofs.balls", raising=False)
    with pytest.raises(ConfigError, match=r"pip install 'nnintro\[certify\]'"):
        assembled(load_config(values(error=0.05)))
