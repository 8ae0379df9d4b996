"""find-rate: what it tries against gradient descent in numpy, what it takes of it, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nnintro
from nnintro.config.descent import CosineSchedule, Descent, StepSchedule
from nnintro.sweeps import find_rate as search
from nnintro.sweeps.find_rate import draw, find_rate
from nnintro.sweeps.short_training import shortened
from tests.support import config

LINE = config(
    dataset={"kind": "regression", "generator": "linear", "weights": [2.0, -1.0], "samples": 40, "noise": 0.1},
    model={"hidden": []},
    descent={"variant": "batch", "batch_size": 40},
    training={"epochs": 60},
)
"""One neuron and the gradient over all the data: a quadratic function of the parameters."""
LINE["descent"] = {"variant": "batch"}


def by_hand(rate: float) -> float:
    """The loss after LINE's training at another rate, in numpy, from the same start."""
    untrained = nnintro.fit(LINE, ["training.epochs=0"], snapshots=[0])
    x, y = untrained.training.inputs.numpy(), untrained.training.targets.numpy()
    x = np.hstack([x, np.ones((len(x), 1))])
    weights, bias = (value.numpy().reshape(-1, 1) for value in untrained.snapshots[0].values())
    t = np.vstack([weights, bias])
    for _ in range(60):
        t -= rate * 2 / len(x) * x.T @ (x @ t - y)
    return float(np.mean((x @ t - y) ** 2))


def test_each_training_is_gradient_descent_at_its_rate():
    found = find_rate(LINE)
    assert len(found.tried) > 10
    for tried in found.tried:
        if tried.status == "completed":
            assert tried.loss == pytest.approx(by_hand(tried.learning_rate), rel=1e-6)


def test_the_rate_is_below_where_a_quadratic_diverges_and_reaches_its_minimum():
    # Gradient descent on a quadratic converges exactly below 2 / (its largest curvature).
    untrained = nnintro.fit(LINE, ["training.epochs=0"])
    x, y = untrained.training.inputs.numpy(), untrained.training.targets.numpy()
    x = np.hstack([x, np.ones((len(x), 1))])
    curvature = np.linalg.eigvalsh(2 / len(x) * x.T @ x)[-1]
    found = find_rate(LINE)
    assert 0.02 * 2 / curvature < found.learning_rate < 2 / curvature
    best = np.mean((x @ np.linalg.lstsq(x, y, rcond=None)[0] - y) ** 2)
    assert nnintro.fit(LINE, [f"descent.learning_rate={found.learning_rate}"]).metrics["train/loss"] < 1.3 * best


@pytest.mark.parametrize("sections", [
    {},
    {"descent": {"optimizer": "adam", "schedule": "cosine"}},
    {"descent": {"variant": "stochastic", "batch_size": 1, "optimizer": {"kind": "sgd", "momentum": 0.9}}},
    {"dataset": {"kind": "classification", "generator": "blobs", "samples": 60, "noise": 4.0}, "model": {"hidden": []}},
])  # fmt: skip
def test_within_twice_the_best_of_a_grid(sections):
    small = config(**sections, training={"epochs": 15})
    found = find_rate(small)
    assert find_rate(small).as_dict() == found.as_dict()
    losses = []
    for rate in np.geomspace(1e-3, 3, 15).tolist():
        try:
            losses.append(nnintro.fit(small, [f"descent.learning_rate={rate!r}"]).metrics["train/loss"])
        except nnintro.DivergedError:
            losses.append(math.inf)
    mine = nnintro.fit(small, [f"descent.learning_rate={found.learning_rate!r}"]).metrics["train/loss"]
    assert mine <= 2 * min(losses)


def test_a_long_training_is_tried_by_a_part_of_it_and_the_last_three_by_more(monkeypatch):
    monkeypatch.setattr(search, "LONGEST_SECONDS", 1e-9)
    found = find_rate(config(descent={"schedule": "cosine"}, training={"epochs": 200}))
    updates = [tried.updates for tried in found.tried]
    assert set(updates) == {100, 400}
    longest = [tried for tried in found.tried if tried.updates == 400]
    assert len(longest) == 3
    low, middle, high = (tried.learning_rate for tried in longest)
    assert (middle / low, high / middle) == (pytest.approx(2, rel=0.06), pytest.approx(2, rel=0.06))
    assert found.learning_rate in (low, middle, high)


def test_a_schedule_keeps_its_shape_in_a_part_of_the_training():
    cosine = Descent(schedule=CosineSchedule(kind="cosine", warmup_steps=100))
    step = Descent(schedule=StepSchedule(kind="step", every=100))
    assert shortened(cosine, 0.5, 0.1).schedule == CosineSchedule(kind="cosine", warmup_steps=10)
    assert shortened(step, 0.5, 0.1).schedule == StepSchedule(kind="step", every=10)
    assert shortened(step, 0.5, 0.0001).schedule == StepSchedule(kind="step", every=1)
    assert shortened(step, 0.5, 1.0) == step.model_copy(update={"learning_rate": 0.5})


def test_the_rate_in_the_config_has_no_say():
    one, other = (config(descent={"learning_rate": rate}) for rate in (1e-3, 10.0))
    assert find_rate(one).as_dict() == find_rate(other).as_dict()


def test_a_perceptron_begins_without_a_loss():
    perceptron = config(
        dataset={"kind": "classification", "generator": "blobs", "samples": 30},
        model={"hidden": [], "initialization": "zeros"},
        loss="perceptron",
        training={"epochs": 5},
    )
    assert 0 < find_rate(perceptron).learning_rate < math.inf


def test_what_would_take_too_long_is_refused_before_it_begins(monkeypatch):
    monkeypatch.setattr(search, "LONGEST_IN_ALL", 0.0)
    with pytest.raises(nnintro.NnintroError, match=r"find-rate would take about .*: 20 trainings of 18 updates"):
        find_rate(config())


def test_it_can_be_interrupted():
    with pytest.raises(KeyboardInterrupt):
        find_rate(config(), interrupted=lambda: True)


def test_the_picture(tmp_path):
    found = find_rate(LINE)
    draw(found, tmp_path / "rates.png")
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
