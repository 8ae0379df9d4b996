"""One update with all its numbers, and the walk over consecutive ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnintro.explain.backpropagation import (
    Backward,
    Forward,
    Layer,
    backward,
    clip_factor,
    forward,
    loss_and_slope,
    norm,
    updated,
)
from nnintro.explain.equations import Array, Loss
from nnintro.explain.optimizers import Memory, Step
from nnintro.explain.subject import Subject


@dataclass(frozen=True)
class Update:
    """One update, from the samples to the parameters after it."""

    number: int
    """Updates made before it."""
    rows: list[int]
    """Numbers of the training samples that it takes."""
    x: Array
    """(rows, d) the network's inputs."""
    t: Array
    """Targets: (rows, outputs), or (rows,) class numbers."""
    weights: Array | None
    """(rows, 1) what each row counts, where classes are weighed."""
    loss: Loss
    L: float
    """The loss of these rows."""
    dL_dy: Array
    """(rows, outputs)."""
    layers: list[Layer]
    """Before the update."""
    forward: list[Forward]
    backward: list[Backward]
    gradient_norm: float
    """Euclidean length of the gradient over all parameters."""
    factor: float
    """What clipping multiplies the gradient by; 1 where it is short enough."""
    step: Step
    memories: list[Memory]
    """The optimizer's, of W and b of each layer in turn, before the update."""
    after: list[Layer]
    memories_after: list[Memory]

    @property
    def gradients(self) -> list[Array]:
        """dW and db of each layer in turn, as torch's optimizers have them."""
        return in_turn(self.backward, "dW", "db")


def in_turn(layers: list[Layer] | list[Backward], *names: str) -> list[Array]:
    """These numbers of each layer, one layer behind the other."""
    return [getattr(layer, name) for layer in layers for name in names]


def updates_of(subject: Subject, sample: int | None, count: int) -> Iterator[Update]:
    """The next updates of a training, each from where the one before ended.

    Args:
        sample: the training sample that alone makes each of them; None for those that training takes.

    Raises:
        UsageError: there is no such sample.
    """
    setup, rate = subject.parts.setup, subject.parts.learning_rate
    layers, memories, made = subject.layers, subject.memories, subject.made
    for number in range(made, made + count):
        step = Step(setup.descent, rate(number), t=number + 1)
        update = _update(subject, number, subject.rows(number, sample), layers, memories, step)
        yield update
        layers, memories = update.after, update.memories_after


# What overflows is not a finite number in torch either, and the text says so; a warning would come beside it.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _update(
    subject: Subject, number: int, rows: list[int], layers: list[Layer], memories: list[Memory], step: Step
) -> Update:
    x, t = subject.samples(rows)
    weights = _weights_of_rows(subject.class_weights, t)
    passed = forward(layers, x)
    L, dL_dy = loss_and_slope(subject.loss, passed[-1].u, t, weights)
    found = backward(layers, x, passed, dL_dy)
    gradients = in_turn(found, "dW", "db")
    length = norm(gradients)
    factor = clip_factor(length, step.descent.clip_norm)
    moved, memories_after = updated(in_turn(layers, "W", "b"), gradients, memories, step, factor)
    return Update(
        number, rows, x, t, weights, subject.loss, L, dL_dy, layers, passed, found, length, factor, step, memories,
        after=[Layer(W, b, layer.s) for W, b, layer in zip(moved[::2], moved[1::2], layers, strict=True)],
        memories_after=memories_after,
    )  # fmt: skip


def _weights_of_rows(of_classes: Array | None, t: Array) -> Array | None:
    """(classes,) and targets -> (rows, 1) the weight of each row's class."""
    return None if of_classes is None else of_classes[t.astype(np.int64).reshape(-1)][:, None]
