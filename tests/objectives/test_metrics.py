"""Metrics against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given
from hypothesis import strategies as st

from nnintro.config.task import Task
from nnintro.objectives import metrics
from nnintro.objectives.losses import loss_for

TRUE = Task("regression", 1, 1, has_truth=True)
BINARY = Task("binary", 2, 1, ("0", "1"))
THREE = Task("multiclass", 2, 3, ("0", "1", "2"))


@given(st.integers(2, 40), st.integers(1, 3), st.integers(0, 10_000))
def test_regression(n, outputs, seed):
    generator = np.random.default_rng(seed)
    y, f = generator.normal(size=(2, n, outputs))
    found = metrics.regression(torch.tensor(f), torch.tensor(y), TRUE)
    assert found["mse"] == pytest.approx(sklearn.metrics.mean_squared_error(y, f))
    assert found["mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(y, f))
    assert found["rmse"] == pytest.approx(math.sqrt(found["mse"]))
    assert found["r2"] == pytest.approx(sklearn.metrics.r2_score(y, f))
    assert found["sup_error"] == pytest.approx(np.abs(y - f).max())


@pytest.mark.parametrize("n", [3, 7, 1000])
def test_r2_of_a_constant_target_whose_mean_is_rounded(n):
    targets = torch.full((n, 1), 0.1, dtype=torch.float64)
    assert metrics.regression(targets, targets, TRUE)["r2"] == 1
    assert metrics.regression(targets + 1e-3, targets, TRUE)["r2"] == 0


@pytest.mark.parametrize("targets", [[[1.0], [2.0]], [[1.0], [1.0]]])
def test_r2_of_what_is_no_number_is_none(targets):
    outputs = torch.tensor([[1.0], [float("nan")]])
    found = metrics.regression(outputs, torch.tensor(targets), TRUE)
    assert len(found) == 5
    assert all(math.isnan(value) for value in found.values())


@pytest.mark.parametrize(("value", "expected"), [(2.0, 1.0), (3.0, 0.0)])
def test_r2_of_a_constant_target(value, expected):
    y, f = np.full((5, 1), 2.0), np.full((5, 1), value)
    assert sklearn.metrics.r2_score(y, f) == expected
    assert metrics.regression(torch.tensor(f), torch.tensor(y), TRUE)["r2"] == expected


@given(st.integers(2, 40), st.integers(0, 10_000))
def test_binary(n, seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, n)
    labels[:2] = [0, 1]
    # Few distinct scores, so that there are ties.
    scores = generator.integers(-3, 4, n) / 2.0
    outputs, targets = torch.tensor(scores)[:, None], torch.tensor(labels)[:, None].double()
    found, counts = metrics.classification(outputs, targets, BINARY, logits=True)
    predicted = scores > 0
    assert found["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))
    assert found["f1"] == pytest.approx(sklearn.metrics.f1_score(labels, predicted, average="macro", zero_division=0))
    assert found["auc"] == pytest.approx(sklearn.metrics.roc_auc_score(labels, scores))
    probabilities = 1 / (1 + np.exp(-scores))
    assert found["cross_entropy"] == pytest.approx(sklearn.metrics.log_loss(labels, probabilities))
    expected = sklearn.metrics.confusion_matrix(labels, predicted, labels=[0, 1])
    assert counts.tolist() == expected.tolist()


@given(st.integers(1, 40), st.integers(0, 10_000))
def test_multiclass(n, seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, n)
    logits = generator.normal(size=(n, 3))
    found, counts = metrics.classification(torch.tensor(logits), torch.tensor(labels), THREE, logits=True)
    predicted = logits.argmax(1)
    assert found["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))
    assert found["f1"] == pytest.approx(sklearn.metrics.f1_score(labels, predicted, average="macro", zero_division=0))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = sklearn.metrics.log_loss(labels, probabilities, labels=[0, 1, 2])
    assert found["cross_entropy"] == pytest.approx(expected)
    matrix = sklearn.metrics.confusion_matrix(labels, predicted, labels=[0, 1, 2])
    assert counts.tolist() == matrix.tolist()
    assert "auc" not in found


def test_without_logits_the_middle_is_one_half_and_there_is_no_cross_entropy():
    outputs = torch.tensor([[0.4], [0.6]])
    found, counts = metrics.classification(outputs, torch.tensor([[0.0], [1.0]]), BINARY, logits=False)
    assert counts.tolist() == [[1, 0], [0, 1]]
    assert "cross_entropy" not in found


def test_auc_needs_both_classes():
    assert math.isnan(metrics.auc(torch.tensor([0.1, 0.2]), torch.tensor([1, 1])))


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
def test_elementwise_losses_against_numpy(name):
    generator = np.random.default_rng(0)
    y, f = generator.normal(size=(2, 9, 2)) * 2
    r = np.abs(f - y)
    expected = {"mse": (r**2).mean(), "mae": r.mean(), "huber": np.where(r < 1, r**2 / 2, r - 0.5).mean()}[name]
    loss = loss_for(name, Task("regression", 2, 2))
    assert float(loss(torch.tensor(f), torch.tensor(y))) == pytest.approx(expected)


def test_mse_of_classes_is_against_the_one_hot_vector():
    outputs = torch.tensor([[0.2, 0.7, 0.1], [1.0, 0.0, 0.0]])
    loss = loss_for("mse", THREE)(outputs, torch.tensor([1, 0]))
    assert float(loss) == pytest.approx((0.04 + 0.09 + 0.01) / 6)


def test_cross_entropy_does_not_overflow():
    loss = loss_for("cross_entropy", BINARY)
    assert float(loss(torch.tensor([[1000.0]]), torch.tensor([[0.0]]))) == 1000.0
    assert float(loss(torch.tensor([[-1000.0]]), torch.tensor([[0.0]]))) == 0.0
