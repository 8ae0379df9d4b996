"""stop_when, early stopping, and what the loop does at its ends."""

from __future__ import annotations

import pytest
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.training import words
from nnintro.training.looks import even_moments, regular_moments
from nnintro.training.stopping import Patience, reached
from tests.support import assembled, config


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


def noisy(**sections):
    """12 noisy samples in 3 updates an epoch; the validation samples are few enough to be measured all each time."""
    base = {
        "dataset": {"noise": 1.0, "samples": 12, "validation": "samples"},
        "model": {"hidden": [40]},
        "descent": {"learning_rate": 0.05, "optimizer": "adam"},
    }
    return config(**{**base, **sections})


def stops_at(losses, patience):
    """(epoch of the best, epoch of the stop) by the definition, from the losses after every epoch."""
    best = 0
    for epoch, loss in enumerate(losses):
        best = epoch if loss < losses[best] else best
        if epoch - best >= patience:
            return best, epoch
    return best, len(losses) - 1


@pytest.mark.parametrize("engine", ["autograd", "fused"])
@pytest.mark.parametrize("scalars", ["auto", "off", "every 7 steps", "every 1 step"])
def test_early_stopping_is_that_of_a_look_at_every_epoch(scalars, engine, tmp_path):
    """However many epochs were asked for, and wherever the recorded points are."""
    training = {"epochs": 120, "engine": engine}
    whole = nnintro.train(noisy(training=training, logging={"scalars": "every 3 steps"}), runs_dir=tmp_path)
    losses = whole.history["validation/loss"]
    assert len(losses) == 121
    best, last = stops_at(losses, 8)
    assert 0 < best < last < 120, "the test must see a stop"
    for epochs in (120, 5000):
        training = {"epochs": epochs, "early_stopping": {"patience": 8}, "engine": engine}
        run = nnintro.train(noisy(training=training, logging={"scalars": scalars}), runs_dir=tmp_path)
        assert run.summary["status"] == "stopped"
        assert (run.summary["best_step"], run.summary["steps"]) == (3 * best, 3 * last)
        assert run.summary["metrics"]["validation/loss"] == losses[best]
        assert run.history["validation/loss"][-1] == losses[best]
        assert run.history["step"][-1] == 3 * last


def test_a_run_that_ends_by_itself_goes_back_too_and_says_so(tmp_path):
    whole = nnintro.train(noisy(training={"epochs": 120}, logging={"scalars": "every 3 steps"}), runs_dir=tmp_path)
    losses = whole.history["validation/loss"]
    best = losses.index(min(losses))
    assert best < 120
    assert "best_step" not in whole.summary
    run = nnintro.train(noisy(training={"epochs": 120, "early_stopping": {"patience": 500}}), runs_dir=tmp_path)
    assert (run.summary["status"], run.summary["reason"]) == ("completed", f"back to update {3 * best}")
    assert run.summary["best_step"] == 3 * best
    assert run.history["validation/loss"][-1] == losses[best]


@pytest.mark.parametrize("scalars", ["auto", "off", "every 7 steps"])
def test_a_goal_is_looked_for_at_every_epoch(scalars, tmp_path):
    training = {"epochs": 60}
    whole = nnintro.train(noisy(training=training, logging={"scalars": "every 3 steps"}), runs_dir=tmp_path)
    losses = whole.history["validation/loss"]
    goal = min(losses) * 1.05
    first = next(epoch for epoch, loss in enumerate(losses) if loss <= goal)
    training = {"epochs": 3000, "stop_when": {"validation/loss": goal}}
    run = nnintro.train(noisy(training=training, logging={"scalars": scalars}), runs_dir=tmp_path)
    assert (run.summary["status"], run.summary["steps"]) == ("stopped", 3 * first)


def test_of_much_validation_data_a_fixed_sample_is_watched_and_a_goal_is_confirmed_on_all(tmp_path):
    training = {"epochs": 2000, "stop_when": {"validation/sup_error": 0.2}}
    parts = assembled(load_config(config(training=training)))
    assert (len(parts.validation), len(parts.watched_sample())) == (2001, 500)
    assert torch.equal(parts.watched_sample().inputs, parts.watched_sample().inputs)
    of_images_and_classes = load_config(config(dataset={"kind": "classification", "generator": "moons"}))
    parts = assembled(of_images_and_classes)
    assert parts.watched_sample() is parts.validation
    run = nnintro.train(config(training=training), runs_dir=tmp_path)
    assert run.summary["metrics"]["validation/sup_error"] <= 0.2


def test_validation_that_has_clearly_become_worse_is_said():
    def said(*losses):
        return words.worsened({"validation/loss": list(losses), "epoch": list(range(len(losses)))})

    assert said(1.0, 0.5, 0.2, 0.37) == [
        "validation/loss was best at epoch 2 (0.2, now 0.37); "
        "training.early_stopping would have kept the parameters of its best"
    ]
    assert said(1.0, 0.5, 0.2, 0.35) == []  # less than a fifth of 0.8
    assert said(1.0, 0.5, 0.2) == said(1.0) == []
    assert said(1.0, 1.5, 2.0) == []  # it was never better: that is another trouble
    late = [1.0, *[0.2] * 18, 0.9]
    assert said(*late) == []  # one point of the last two is no trend
    assert said(*late, 0.8) != []


def test_it_is_said_at_the_end_but_not_where_early_stopping_went_back(tmp_path, capsys):
    long = {"epochs": 300}
    for training, times in ((long, 1), ({**long, "early_stopping": {"patience": 1000}}, 0)):
        values = noisy(training=training)
        values["dataset"]["noise"] = 5.0
        run = nnintro.train(values, runs_dir=tmp_path, quiet=False)
        assert run.summary["status"] == "completed"
        assert capsys.readouterr().err.count("warning: validation/loss was best at epoch ") == times


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
