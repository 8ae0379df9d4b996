"""Forward and backward through affine layers, and one update, in numpy as it is written on a blackboard.

The plain twin of ``engines``: nothing here is fast, and torch has no part in it. A row is a sample, W is
(outputs, inputs) as torch has it, all numbers are float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnintro.explain.equations import ACTIVATIONS, Array, Loss
from nnintro.explain.optimizers import Memory, Step

SMALLEST_NORM = 1e-6
"""Added to the gradient's norm by torch.nn.utils.clip_grad_norm_, against division by zero."""


@dataclass(frozen=True)
class Layer:
    """u = s(x W^T + b)."""

    W: Array
    """(outputs, inputs), a row a neuron."""
    b: Array
    """(outputs,)."""
    s: str
    """The activation's name."""


@dataclass(frozen=True)
class Forward:
    """What the forward pass notes of a layer, (rows, neurons) each."""

    z: Array
    u: Array
    slope: Array
    """s'(z)."""


@dataclass(frozen=True)
class Backward:
    """What the backward pass finds out about a layer."""

    delta: Array
    """dL/dz, (rows, neurons)."""
    dW: Array
    """dL/dW, in the shape of W."""
    db: Array
    """dL/db, in the shape of b."""


def forward(layers: Sequence[Layer], x: Array) -> list[Forward]:
    """z_l = u_(l-1) W_l^T + b_l, u_l = s_l(z_l), u_0 = x (rows, inputs)."""
    passed, u = [], x
    for layer in layers:
        activation = ACTIVATIONS[layer.s]
        z = u @ layer.W.T + layer.b
        u = activation.value(z)
        passed.append(Forward(z, u, activation.slope(z, u)))
    return passed


def loss_and_slope(loss: Loss, y: Array, t: Array, weights: Array | None) -> tuple[float, Array]:
    """L and dL/dy, (rows, outputs).

    Args:
        weights: (rows, 1) what each row counts, where classes are weighed.
    """
    each, slope = loss.each(y, t), loss.slope(y, t)
    if weights is not None:
        each, slope = weights * each, weights * slope
    # A mean over all l, not over the weights: else the mean of a whole would not be that of its blocks.
    return float(each.mean()), slope / each.size


def backward(layers: Sequence[Layer], x: Array, passed: Sequence[Forward], dL_dy: Array) -> list[Backward]:
    """The chain rule from the last layer to the first.

    delta_l = dL/du_l * s_l'(z_l),  dL/dW_l = delta_l^T u_(l-1),  dL/db_l = sum of delta_l's rows,
    dL/du_(l-1) = delta_l W_l.
    """
    inputs = [x, *(layer.u for layer in passed[:-1])]
    found, dL_du = [], dL_dy
    for layer, u, noted in reversed(list(zip(layers, inputs, passed, strict=True))):
        delta = dL_du * noted.slope
        found.append(Backward(delta, dW=delta.T @ u, db=delta.sum(0)))
        dL_du = delta @ layer.W
    return found[::-1]


def norm(gradients: Sequence[Array]) -> float:
    """Euclidean length of all gradients together."""
    return float(np.sqrt(sum(float((g**2).sum()) for g in gradients)))


def clip_factor(length: float, clip_norm: float | None) -> float:
    """The factor that scales all gradients so that their joint norm is at most ``clip_norm``."""
    return 1.0 if clip_norm is None else min(1.0, clip_norm / (length + SMALLEST_NORM))


def updated(
    parameters: Sequence[Array], gradients: Sequence[Array], memories: Sequence[Memory], step: Step, factor: float
) -> tuple[list[Array], list[Memory]]:
    """The parameters and the optimizer's memories after one update."""
    after = [
        step.update(parameter, factor * gradient, memory)
        for parameter, gradient, memory in zip(parameters, gradients, memories, strict=True)
    ]
    return [parameter for parameter, _ in after], [memory for _, memory in after]
