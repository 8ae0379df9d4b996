"""The U-Net under the autograd engine: gradient accumulation, and products in bfloat16."""

from __future__ import annotations

import contextlib

import pytest
import torch

from nnintro.config.models.unet import UnetModel
from nnintro.config.task import Task
from nnintro.descent.streams import in_place
from nnintro.descent.variants import Batches, Plan
from nnintro.engines.autograd import Autograd
from nnintro.models.build import build_network
from nnintro.objectives.losses import loss_for

SIZE = (12, 12)
TASKS = {
    "one": Task("segmentation", 2, 1, ("no", "yes"), image=SIZE),
    "three": Task("segmentation", 2, 3, ("a", "b", "c"), image=SIZE),
}
IMAGES = 7


def data(task, dtype):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(IMAGES, 2, *SIZE, dtype=torch.float64, generator=generator)
    labels = (x[:, 0] > 0.3).long() + (x[:, 1] > 0.3).long() * (task.outputs > 1)
    y = labels[:, None].to(dtype) if task.outputs == 1 else labels
    return x.to(dtype), y


def descend(task, normalization, size, updates, dtype=torch.float64, autocast=None):
    """The network after ``updates`` of batch gradient descent in blocks of ``size`` images."""
    model = UnetModel(kind="unet", channels=[4, 8], normalization=normalization)
    corner = torch.ones(2)
    network = build_network(model, task, (-corner, corner), dtype, torch.Generator().manual_seed(1))
    plan = Plan("batch", IMAGES, size)
    engine = Autograd(
        network=network,
        loss=loss_for("bce+dice", task),
        plan=plan,
        batches=Batches(*data(task, dtype), in_place, size),
        optimizer=torch.optim.SGD(network.parameters(), 0.5),
        learning_rate=lambda _: 0.5,
        autocast=autocast or contextlib.nullcontext,
    )
    advance = engine.advance(0, updates, lambda: False)
    assert (advance.step, advance.diverged) == (updates, False)
    return network


def apart(one, other):
    return max(float((p - q).detach().abs().max()) for p, q in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("normalization", ["group", "none"])
def test_blocks_are_exact_where_each_image_is_alone(task, size, normalization):
    whole = descend(task, normalization, IMAGES, updates=5)
    assert apart(whole, descend(task, normalization, size, updates=5)) < 1e-11


@pytest.mark.parametrize("size", [1, 3])
def test_blocks_are_not_with_batch_normalization(size):
    """It takes mean and deviation over the block: another block is another function."""
    whole = descend(TASKS["one"], "batch", IMAGES, updates=1)
    assert apart(whole, descend(TASKS["one"], "batch", size, updates=1)) > 1e-3
    assert apart(whole, descend(TASKS["one"], "batch", IMAGES + 1, updates=1)) == 0


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("normalization", ["batch", "group", "none"])
def test_products_in_bfloat16_train(task, normalization):
    def autocast():
        return torch.autocast("cpu", dtype=torch.bfloat16)

    x, y = data(task, torch.float32)
    loss = loss_for("bce+dice", task)
    losses = []
    for updates in (0, 20):
        network = descend(task, normalization, 4, updates, torch.float32, autocast)
        assert {p.dtype for p in network.parameters()} == {torch.float32}
        with torch.no_grad():
            losses.append(float(loss(network(x), y)))
    assert losses[1] < 0.99 * losses[0]
    exact = descend(task, normalization, 4, 1, torch.float32)
    assert 0 < apart(exact, descend(task, normalization, 4, 1, torch.float32, autocast)) < 0.1
