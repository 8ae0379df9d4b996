"""Rosenblatt's perceptron: the rule written out, Novikoff's bound, and why it never rests on xor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import nnintro
from nnintro.objectives.losses import perceptron
from nnintro.training.separation import mistakes_made, separation
from tests.conformance.test_configs import ROOT
from tests.support import config

BLOBS = {"kind": "classification", "generator": "blobs", "samples": 60}


def neuron(seed=0, **sections):
    return config(
        **{
            "dataset": BLOBS,
            "model": {"hidden": [], "initialization": "zeros"},
            "loss": "perceptron",
            "descent": {"variant": "stochastic", "learning_rate": 1, "batch_size": 1},
            "training": {"epochs": 30},
            "seed": seed,
            **sections,
        }
    )


@pytest.mark.parametrize("engine", ["autograd", "fused"])
@pytest.mark.parametrize("generator", ["blobs", "xor"])
def test_stochastic_descent_with_rate_1_is_his_rule(generator, engine, tmp_path):
    values = neuron(3, dataset={**BLOBS, "generator": generator}, training={"epochs": 7, "engine": engine}, name="run")
    fitted = nnintro.fit(values)
    x, on = fitted.training.inputs.numpy(), fitted.training.targets[:, 0].numpy() > 0.5
    w, b, mistakes = np.zeros(2), 0.0, 0
    for epoch in range(7):
        for row in fitted.order(epoch).tolist():
            fires = w @ x[row] + b > 0
            if fires != on[row]:
                t = 1 if on[row] else -1
                w, b, mistakes = w + t * x[row], b + t, mistakes + 1
    weight, bias = (p.detach().numpy() for p in fitted.model.parameters())
    np.testing.assert_allclose(weight[0], w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(bias, [b], rtol=0, atol=1e-12)
    found = nnintro.train(values, runs_dir=tmp_path).summary["perceptron"]
    if generator == "blobs":
        assert found["mistakes_made"] == mistakes
    wrong = int((((x @ w + b) > 0) != on).sum())
    assert found["mistakes"] == wrong
    assert mistakes > 0


def test_the_loss_and_its_subgradient():
    z = torch.tensor([[1.5], [-1.5], [0.0], [2.0], [-2.0], [0.0]], dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[1.0], [1.0], [1.0], [0.0], [0.0], [0.0]], dtype=torch.float64)
    loss = perceptron(z, targets)
    assert loss.item() == pytest.approx((1.5 + 2.0) / 6)
    loss.backward()
    # At z = 0 the neuron is off: a mistake where it should be on, and none where it should be off.
    np.testing.assert_allclose(z.grad[:, 0], np.array([0, -1, -1, 1, 0, 0]) / 6)


@pytest.mark.parametrize(("z", "target", "loss"), [(np.inf, 1, 0), (-np.inf, 0, 0), (np.inf, 0, np.inf)])
def test_infinite_sums(z, target, loss):
    assert float(perceptron(torch.tensor([[z]]), torch.tensor([[float(target)]]))) == loss


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_nan_is_not_swallowed(target):
    assert perceptron(torch.tensor([[torch.nan]]), torch.tensor([[target]])).isnan()


def by_linear_programming(points):
    """Whether some w has points @ w >= 1."""
    found = linprog(np.zeros(points.shape[1]), A_ub=-points, b_ub=-np.ones(len(points)), bounds=(None, None))
    assert found.status in (0, 2)
    return found.status == 0


@given(
    st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 4), st.floats(-1, 3), st.floats(0, 6), st.floats(0, 4)
)
def test_separable_is_what_linear_programming_says(seed, n, inputs, gap, far, stretched):
    """Wherever the data lie and in whatever units: neither separates what the other does not."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], n)
    x = rng.normal(size=(n, inputs))
    x[:, 0] += gap * signs
    separable = by_linear_programming(signs[:, None] * np.column_stack([x, np.ones(n)]))
    x = (x + 10**far) * 10.0 ** rng.uniform(-stretched, stretched, inputs)
    found = separation(x, signs)
    assert not (found.margin > 0 and found.refuted)
    assert not (separable and found.refuted)
    assert not (found.margin > 0 and not separable)
    assert found.margin > 0 or found.refuted or far > 3
    assert found.radius == pytest.approx(np.sqrt((x**2).sum(1) + 1).max())


def test_times_far_from_zero():
    """In 1970's seconds a margin of an hour is one part in a million of the way from the origin."""
    hours = 1.7e9 + 3600.0 * np.array([0, 5, 9, 10, 14, 20])[:, None]
    found = separation(hours, np.array([-1.0, -1, -1, 1, 1, 1]))
    assert found.margin > 0
    assert not found.refuted
    assert separation(hours, np.array([-1.0, 1, -1, 1, 1, 1])).refuted


def test_the_margin_is_the_largest():
    """Of points on two lines it is known; and no direction of many has a larger one."""
    x = np.array([[2.0, 0.0], [2.0, 5.0], [-4.0, 1.0], [-4.0, -3.0]])
    signs = np.array([1.0, 1.0, -1.0, -1.0])
    points = signs[:, None] * np.column_stack([x, np.ones(4)])
    found = separation(x, signs)
    angles = np.random.default_rng(0).normal(size=(200_000, 3))
    margins = (points @ (angles / np.linalg.norm(angles, axis=1, keepdims=True)).T).min(0)
    assert margins.max() <= found.margin + 1e-12
    assert margins.max() == pytest.approx(found.margin, rel=1e-2)
    assert found.bound == pytest.approx((found.radius / found.margin) ** 2)


@pytest.mark.parametrize("seed", range(6))
def test_mistakes_stay_within_novikoffs_bound(seed, tmp_path):
    values = neuron(seed, training={"epochs": 200}, logging={"scalars": "off"}, name="run")
    summary = nnintro.train(values, runs_dir=tmp_path).summary
    found = summary["perceptron"]
    assert found["separable"]
    assert 0 < found["mistakes_made"] <= found["novikoff_bound"]
    assert found["mistakes"] == 0
    assert summary["metrics"]["train/loss"] == 0


@pytest.mark.parametrize("window", [1, 3, 256])
def test_mistakes_are_counted_as_one_by_one(window, monkeypatch):
    monkeypatch.setattr("nnintro.training.separation.WINDOW", window)
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 2))
    signs = np.where(x[:, 0] + 0.3 * x[:, 1] > 0.1, 1.0, -1.0)
    points = signs[:, None] * np.column_stack([x, np.ones(40)])
    for updates in (0, 1, 17, 40, 41, 400):
        orders = [torch.randperm(40, generator=torch.Generator().manual_seed(k)) for k in range(10)]
        w, mistakes = np.zeros(3), 0
        for update in range(updates):
            row = int(orders[update // 40][update % 40])
            z = points[row] @ w
            if z < 0 or (z == 0 and signs[row] > 0):
                w, mistakes = w + points[row], mistakes + 1
        found, weights = mistakes_made(points, lambda k, orders=orders: orders[k], updates, 1.0)
        assert found == mistakes
        np.testing.assert_allclose(weights, w, atol=1e-12)


def test_a_config_that_is_not_the_rule_counts_no_mistakes(tmp_path):
    values = neuron(descent={"variant": "mini-batch", "batch_size": 4, "learning_rate": 1}, name="run")
    found = nnintro.train(values, runs_dir=tmp_path).summary["perceptron"]
    assert "mistakes_made" not in found
    assert found["separable"]


def test_a_run_that_changed_its_rate_has_no_number_of_mistakes(tmp_path):
    values = neuron(5, training={"epochs": 1}, dataset={**BLOBS, "samples": 300}, name="run")
    run = nnintro.train(values, runs_dir=tmp_path)
    assert run.summary["perceptron"]["mistakes_made"] > 0
    changes = ["training.epochs=20", "descent.learning_rate=0.01"]
    again = nnintro.train(resume=run.directory, overrides=changes, runs_dir=tmp_path)
    assert "mistakes_made" not in again.summary["perceptron"]


def lesson(name, tmp_path, capsys):
    run = nnintro.train(ROOT / f"configs/neuron/{name}.yaml", runs_dir=tmp_path, quiet=False)
    return run, " ".join(capsys.readouterr().err.split())


def test_the_lesson_on_clouds(tmp_path, capsys):
    run, shown = lesson("perceptron", tmp_path, capsys)
    assert run.summary["metrics"]["train/loss"] == 0
    assert "0 of 240 samples are on the wrong side; made 21 on the way" in shown
    assert "at most (radius / margin)^2 = 1,015 mistakes (Novikoff, 1962)" in shown
    assert run.summary["perceptron"]["mistakes_made"] == 21


def test_the_lesson_on_xor(tmp_path, capsys):
    run, shown = lesson("perceptron_xor", tmp_path, capsys)
    losses = run.history["train/loss"]
    assert min(losses[1:]) > 0
    assert run.summary["perceptron"] | {"mistakes": 0} == {"separable": False, "mistakes": 0, "samples": 240}
    assert "no line parts the two classes" in shown
    assert "the rule never comes to rest" in shown
    assert run.summary["perceptron"]["mistakes"] > 0


def test_predictions_are_the_sign(tmp_path):
    run = nnintro.train(neuron(name="run"), runs_dir=tmp_path)
    from nnintro.predict.rows import predict_file

    rows = np.random.default_rng(1).normal(size=(50, 2)) * 8
    (tmp_path / "rows.csv").write_text("\n".join(f"{a},{b}" for a, b in rows), encoding="utf-8")
    predict_file(run, tmp_path / "rows.csv", tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "x1,x2,prediction,output"
    z = run.predict(rows)[:, 0].numpy()
    assert [line.split(",")[2] for line in lines[1:]] == [str(int(value > 0)) for value in z]
    assert set(run.summary["metrics"]) == {
        "train/loss", "validation/loss", "validation/accuracy", "validation/f1", "validation/auc",
    }  # fmt: skip
    assert nnintro.evaluate(run).metrics["accuracy"] == run.summary["metrics"]["validation/accuracy"]
