"""Losses by name: (outputs, targets) -> the mean over the samples (and outputs), a scalar."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from nnintro.config.task import Task

Loss = Callable[[Tensor, Tensor], Tensor]


def mse(outputs: Tensor, targets: Tensor) -> Tensor:
    """(1/n) sum_i (y^_i - y_i)^2, averaged over the outputs too."""
    return functional.mse_loss(outputs, targets)


def mae(outputs: Tensor, targets: Tensor) -> Tensor:
    """(1/n) sum_i |y^_i - y_i|."""
    return functional.l1_loss(outputs, targets)


def huber(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared below 1, linear beyond (Huber, 1964): r^2/2 if |r| < 1, else |r| - 1/2."""
    return functional.huber_loss(outputs, targets)


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-(y log s(z) + (1-y) log(1 - s(z))) of logits z (n, 1) and targets 0 or 1 (n, 1)."""
    return functional.binary_cross_entropy_with_logits(logits, targets)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-log softmax(z)_y of logits (n, classes) and class numbers (n,)."""
    return functional.cross_entropy(logits, targets)


ELEMENTWISE: dict[str, Loss] = {"mse": mse, "mae": mae, "huber": huber}


def loss_for(name: str, task: Task, class_weights: Tensor | None = None) -> Loss:
    """The loss of this name on this task.

    On several classes the element-wise losses compare with the one-hot vector of the class.
    """
    if name == "cross_entropy":
        return binary_cross_entropy if task.kind == "binary" else cross_entropy
    elementwise = ELEMENTWISE[name]
    if task.kind != "multiclass":
        return elementwise

    def against_one_hot(outputs: Tensor, targets: Tensor) -> Tensor:
        # functional.one_hot would look at the numbers, and wait for the device to do so.
        one_hot = torch.zeros_like(outputs).scatter_(1, targets[:, None], 1.0)
        return elementwise(outputs, one_hot)

    return against_one_hot
