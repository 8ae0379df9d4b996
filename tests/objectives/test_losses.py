"""Losses of classes and of maps against their formulas in numpy, and in blocks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
import torch

from nnintro.config.task import Task
from nnintro.descent.variants import Plan
from nnintro.objectives.losses import loss_for

BINARY = Task("binary", 2, 1, ("0", "1"))
THREE = Task("multiclass", 2, 3, ("0", "1", "2"))
MASK = Task("segmentation", 1, 1, ("no", "yes"), image=(4, 5))
MASKS = Task("segmentation", 1, 3, ("a", "b", "c"), image=(4, 5))
WEIGHTS = {1: torch.tensor([0.5, 3.0]).double(), 3: torch.tensor([0.2, 1.0, 2.5]).double()}
TASKS = [BINARY, THREE, MASK, MASKS]
NAMES = ["cross_entropy", "bce", "dice", "bce+dice"]


def drawn(task, n=7, seed=0):
    """Logits and targets as the task has them."""
    generator = torch.Generator().manual_seed(seed)
    size = task.image or ()
    logits = torch.randn(n, task.outputs, *size, dtype=torch.float64, generator=generator)
    labels = torch.randint(max(task.outputs, 2), (n, *size), generator=generator)
    return 3 * logits, labels if task.outputs > 1 else labels[:, None].double()


def probabilities(logits):
    """(n, classes, pixels) of numpy; two classes for one logit."""
    z = logits.numpy().reshape(*logits.shape[:2], -1)
    if z.shape[1] == 1:
        z = np.concatenate([np.zeros_like(z), z], axis=1)
    return np.exp(scipy.special.log_softmax(z, axis=1))


def one_hot(targets, classes):
    labels = targets.numpy().reshape(len(targets), -1).astype(int)
    return np.eye(classes)[labels].transpose(0, 2, 1)


def entropy(logits, targets, weights):
    p = probabilities(logits)
    y = one_hot(targets, p.shape[1])
    return -(np.asarray(weights)[None, :, None] * y * np.log(p)).sum(1).mean()


def overlap(logits, targets):
    """The mean over images of 1 - (2 |py| + 1) / (|p| + |y| + 1); of one logit, the class 1."""
    p = probabilities(logits)
    y = one_hot(targets, p.shape[1])
    if logits.shape[1] == 1:
        p, y = p[:, 1:], y[:, 1:]
    losses = []
    for image in range(len(p)):
        for k in range(p.shape[1]):
            both, sizes = (p[image, k] * y[image, k]).sum(), p[image, k].sum() + y[image, k].sum()
            losses.append(1 - (2 * both + 1) / (sizes + 1))
    return np.mean(losses)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind} {task.outputs}")
@pytest.mark.parametrize("weighted", [False, True])
def test_are_their_formulas(task, weighted):
    logits, targets = drawn(task)
    classes = max(task.outputs, 2)
    weights = WEIGHTS[task.outputs] if weighted else None
    known = np.ones(classes) if weights is None else weights.numpy()
    wanted = {"cross_entropy": entropy(logits, targets, known), "dice": overlap(logits, targets)}
    wanted |= {"bce": wanted["cross_entropy"]}
    wanted |= {"bce+dice": wanted["bce"] + wanted["dice"]}
    assert sorted(wanted) == sorted(NAMES)
    for name, value in wanted.items():
        found = loss_for(name, task, weights)(logits, targets)
        assert found.shape == ()
        assert float(found) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind} {task.outputs}")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 3, 7, 10])
def test_blocks_add_up_to_the_whole(task, name, size):
    """Loss and gradient of blocks, each counted |b|/n, are those of all at once."""
    logits, targets = drawn(task)
    loss = loss_for(name, task, WEIGHTS[task.outputs])
    whole = logits.clone().requires_grad_()
    value = loss(whole, targets)
    value.backward()
    blocks = logits.clone().requires_grad_()
    total = 0.0
    for block in Plan("batch", len(logits), size).blocks(0):
        rows = slice(block.start, block.stop)
        part = block.weight * loss(blocks[rows], targets[rows])
        part.backward()
        total += float(part.detach())
    assert total == pytest.approx(float(value.detach()), rel=1e-12)
    torch.testing.assert_close(blocks.grad, whole.grad, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind} {task.outputs}")
def test_weights_of_one_change_nothing(task):
    logits, targets = drawn(task)
    ones = torch.ones(max(task.outputs, 2), dtype=torch.float64)
    for name in ("cross_entropy", "bce+dice"):
        found = loss_for(name, task, ones)(logits, targets)
        torch.testing.assert_close(found, loss_for(name, task)(logits, targets))


def test_an_empty_mask_left_empty_costs_nothing():
    logits, targets = torch.full((2, 1, 4, 5), -50.0), torch.zeros(2, 1, 4, 5)
    assert float(loss_for("dice", MASK)(logits, targets)) == pytest.approx(0, abs=1e-6)
    full = loss_for("dice", MASK)(-logits, 1 - targets)
    assert float(full) == pytest.approx(0, abs=1e-6)
    assert float(loss_for("dice", MASK)(-logits, targets)) == pytest.approx(1 - 1 / 21)


@pytest.mark.parametrize("task", [MASK, MASKS], ids=["one", "three"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_of_autocast_are_added_up_in_float32(task, name):
    logits, targets = drawn(task)
    logits = logits.bfloat16()
    targets = targets.float() if task.outputs == 1 else targets
    found = loss_for(name, task)(logits, targets)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, loss_for(name, task)(logits.float(), targets))


def test_huge_logits_stay_finite():
    for task in (MASK, MASKS):
        logits, targets = drawn(task)
        for name in NAMES:
            leaf = (1e5 * logits).requires_grad_()
            loss = loss_for(name, task)(leaf, targets)
            loss.backward()
            assert bool(loss.isfinite())
            assert bool(leaf.grad.isfinite().all())
