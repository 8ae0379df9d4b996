"""Pixels that are ignored: losses and metrics are those of the other pixels, worked out with numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnintro.config.task import Task
from nnintro.objectives.losses import IGNORED, loss_for
from nnintro.objectives.metrics import confusion
from nnintro.objectives.segmentation import boundary_scores

TWO = Task("segmentation", 1, 1, ("a", "b"), image=(6, 5))
THREE = Task("segmentation", 1, 3, ("a", "b", "c"), image=(6, 5))


def drawn(task, seed=0):
    """Logits (4, outputs, 6, 5) and classes (4, 6, 5), a third of them ignored, in one image nearly all."""
    random = np.random.default_rng(seed)
    classes = random.integers(0, len(task.classes), (4, 6, 5))
    classes[random.random(classes.shape) < 0.3] = IGNORED
    classes[1] = IGNORED
    classes[1, 2, 3] = 1
    return random.normal(size=(4, task.outputs, 6, 5)), classes


def probabilities(logits):
    """(n, classes, H, W)"""
    if logits.shape[1] == 1:
        p = 1 / (1 + np.exp(-logits))
        return np.concatenate([1 - p, p], axis=1)
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True)


def cross_entropy(logits, classes, weights):
    means = []
    for p, truth in zip(probabilities(logits), classes, strict=True):
        known = truth != IGNORED
        chosen = np.take_along_axis(p, np.maximum(truth, 0)[None], axis=0)[0]
        means.append((-np.log(chosen) * weights[np.maximum(truth, 0)])[known].mean())
    return np.mean(means)


def dice(logits, classes):
    p, losses = probabilities(logits), []
    of = [1] if logits.shape[1] == 1 else range(logits.shape[1])
    for k in of:
        for one, truth in zip(p[:, k], classes, strict=True):
            known = truth != IGNORED
            y = truth[known] == k
            losses.append(1 - (2 * one[known][y].sum() + 1) / (one[known].sum() + y.sum() + 1))
    return np.mean(losses)


@pytest.mark.parametrize("name", ["cross_entropy", "dice", "bce", "bce+dice"])
@pytest.mark.parametrize("task", [TWO, THREE])
@pytest.mark.parametrize("weighted", [False, True])
def test_losses_are_those_of_the_known_pixels(name, task, weighted):
    logits, classes = drawn(task)
    weights = np.array([0.5, 2.0, 3.0])[: len(task.classes)] if weighted else np.ones(3)
    expected = 0.0
    if name != "dice":
        expected += cross_entropy(logits, classes, weights)
    if "dice" in name:
        expected += dice(logits, classes)
    targets = torch.from_numpy(classes[:, None].astype(float) if task is TWO else classes)
    loss = loss_for(name, task, torch.from_numpy(weights) if weighted else None, ignores=True)
    outputs = torch.from_numpy(logits).requires_grad_()
    value = loss(outputs, targets)
    value.backward()
    np.testing.assert_allclose(float(value.detach()), expected, rtol=1e-12)
    ignored = np.broadcast_to((classes == IGNORED)[:, None], logits.shape)
    assert not outputs.grad.numpy()[ignored].any()
    assert outputs.grad.numpy()[~ignored].all()


@pytest.mark.parametrize("name", ["cross_entropy", "dice"])
@pytest.mark.parametrize("task", [TWO, THREE])
def test_without_an_ignored_pixel_they_are_the_usual_ones(name, task):
    logits, classes = drawn(task)
    classes = np.maximum(classes, 0)
    targets = torch.from_numpy(classes[:, None].astype(float) if task is TWO else classes)
    values = [float(loss_for(name, task, ignores=flag)(torch.from_numpy(logits), targets)) for flag in (False, True)]
    np.testing.assert_allclose(*values, rtol=1e-12)


def test_an_image_without_a_known_pixel_counts_nothing():
    logits, classes = drawn(THREE)
    classes[:] = IGNORED
    assert (
        float(loss_for("cross_entropy", THREE, ignores=True)(torch.from_numpy(logits), torch.from_numpy(classes))) == 0
    )


def test_the_confusion_leaves_ignored_pixels_out():
    labels, predicted = torch.tensor([0, 1, IGNORED, 2, IGNORED]), torch.tensor([0, 2, 1, 2, 0])
    assert confusion(labels, predicted, 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]


@pytest.mark.parametrize("classes", [2, 3])
def test_boundaries_do_not_depend_on_what_is_predicted_where_it_is_ignored(classes):
    random = np.random.default_rng(2)
    true = torch.from_numpy(random.integers(0, classes, (2, 12, 12)))
    true[:, :, 6:] = IGNORED
    predicted = torch.from_numpy(random.integers(0, classes, (2, 12, 12)))
    other = predicted.clone()
    other[:, :, 6:] = torch.from_numpy(random.integers(0, classes, (2, 12, 6)))
    expected = boundary_scores(true[:, :, :6], predicted[:, :, :6], classes)
    for one in (predicted, other):
        np.testing.assert_allclose(boundary_scores(true, one, classes), expected)
