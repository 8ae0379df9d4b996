"""stop_when, early stopping, and what the loop does at its ends."""

from __future__ import annotations

import pytest
import torch

import nnintro
from nnintro.training.looks import even_moments, regular_moments
from nnintro.training.stopping import Patience, reached
from tests.support import config


def test_reached_is_at_or_below_and_for_growing_metrics_at_or_above():
    assert reached({"validation/loss": 0.1}, {"validation/loss": 0.1})
    assert not reached({"validation/loss": 0.1}, {"validation/loss": 0.2})
    assert reached({"validation/accuracy": 0.9}, {"validation/accuracy": 0.95})
    assert not reached({"validation/accuracy": 0.9}, {"validation/accuracy": 0.5})
    both = {"validation/loss": 0.1, "train/loss": 0.1}
    assert not reached(both, {"validation/loss": 0.0, "train/loss": 0.2})
    assert not reached({}, {"train/loss": 0.0})
    assert not reached({"train/loss": 1.0}, {"train/loss": float("nan")})


def test_patience_counts_epochs_since_the_best_and_restores_it():
    model = torch.nn.Linear(1, 1)
    patience = Patience("validation/loss", patience=2)
    losses = [5.0, 3.0, 4.0, 3.5, 9.0]
    stopped = []
    for step, loss in enumerate(losses):
        with torch.no_grad():
            model.weight.fill_(step)
        stopped.append(patience.watch({"validation/loss": loss}, step, float(step), model))
    assert stopped == [False, False, False, True, True]
    patience.restore(model)
    assert float(model.weight.detach()) == 1.0
    assert patience.best_step == 1


def test_patience_wants_a_minimum_improvement_and_knows_growing_metrics():
    model = torch.nn.Linear(1, 1)
    patience = Patience("validation/accuracy", patience=10, minimum_improvement=0.1)
    for step, accuracy in enumerate([0.5, 0.55, 0.65]):
        patience.watch({"validation/accuracy": accuracy}, step, float(step), model)
    assert patience.best_step == 2


def test_a_first_nan_is_not_the_best():
    model = torch.nn.Linear(1, 1)
    patience = Patience("validation/auc", patience=10)
    patience.watch({"validation/auc": float("nan")}, 0, 0.0, model)
    patience.watch({"validation/auc": 0.7}, 1, 1.0, model)
    assert patience.best == 0.7


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_a_run_stops_when_told(engine, tmp_path):
    stop = {"validation/sup_error": 0.2}
    values = config(training={"epochs": 2000, "stop_when": stop, "engine": engine})
    run = nnintro.train(values, runs_dir=tmp_path)
    assert (run.summary["status"], run.summary["engine"]) == ("stopped", engine)
    assert run.summary["metrics"]["validation/sup_error"] <= 0.2
    assert 0 < run.summary["steps"] < 2000 * 6
    # It was not at its value at any look before the last.
    assert min(run.history["validation/sup_error"][:-1]) > 0.2


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_early_stopping_leaves_the_best_parameters(engine, tmp_path):
    values = config(
        dataset={"noise": 1.0, "samples": 12},
        model={"hidden": [40]},
        descent={"learning_rate": 0.05, "optimizer": "adam"},
        training={"epochs": 3000, "early_stopping": {"patience": 30}, "engine": engine},
    )
    run = nnintro.train(values, runs_dir=tmp_path)
    losses = run.history["validation/loss"]
    assert run.summary["status"] == "stopped"
    assert run.summary["metrics"]["validation/loss"] == pytest.approx(min(losses), rel=1e-12)
    assert losses[-1] > min(losses)
    best = losses.index(min(losses))
    assert run.history["epoch"][-1] - run.history["epoch"][best] >= 30
    x = torch.linspace(0, 1, 2001, dtype=torch.float64)[:, None]
    kept = (run.predict(x) - torch.sin(3 * x)).square().mean()
    assert float(kept) == pytest.approx(min(losses), rel=1e-9)


def test_both_engines_stop_at_the_same_update(tmp_path):
    for training in ({"stop_when": {"validation/sup_error": 0.2}}, {"early_stopping": {"patience": 30}}):
        values = config(dataset={"noise": 0.5}, training={"epochs": 2000, **training})
        runs = [nnintro.train(values, [f"training.engine={name}"], runs_dir=tmp_path) for name in ("autograd", "fused")]
        one, other = (run.summary for run in runs)
        assert one["status"] == other["status"] == "stopped"
        assert one["steps"] == other["steps"]
        assert one["metrics"] == pytest.approx(other["metrics"], rel=1e-7)


def test_no_epochs_evaluate_the_untrained_model(tmp_path):
    run = nnintro.train(config(training={"epochs": 0}), runs_dir=tmp_path)
    assert run.summary["steps"] == 0
    assert run.summary["status"] == "completed"
    assert run.history["step"] == [0]
    x = torch.linspace(0, 1, 2001, dtype=torch.float64)[:, None]
    expected = (run.predict(x) - torch.sin(3 * x)).abs().max()
    assert run.summary["metrics"]["validation/sup_error"] == pytest.approx(float(expected))


def test_moments():
    assert even_moments(10, 5) == [2, 4, 6, 8, 10]
    assert even_moments(3, 1000) == [1, 2, 3]
    assert even_moments(0, 10) == []
    assert even_moments(1000, 7)[-1] == 1000
    assert len(even_moments(123_457, 1000)) == 1000
    assert regular_moments(10, 4) == [4, 8, 10]
    assert regular_moments(8, 4) == [4, 8]
    assert regular_moments(3, 10) == [3]
    assert regular_moments(0, 10) == []
