"""A network's loss and metrics on data, without a trace in the network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from nnintro.config.task import Task
from nnintro.datasets import Data
from nnintro.models import output_precision
from nnintro.training import metrics
from nnintro.training.losses import Loss

Autocast = Callable[[], contextlib.AbstractContextManager[Any]]
LARGEST_ACTIVATION = 1 << 20
"""Numbers in the largest layer's output; more rows than that allows go through in blocks.

So few that they stay near the processor (docs/LOG.md).
"""
LARGEST_MAPS = 1 << 22
"""The same of a network for images."""


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode and no gradients, for a while."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)


def outputs_of(
    network: nn.Module, inputs: Tensor, autocast: Autocast = contextlib.nullcontext
) -> Tensor:
    """(n, features) -> (n, outputs), or (n, channels, H, W) -> (n, outputs, H, W).

    In evaluation mode, in blocks that fit into memory.

    The outputs are of the model's own type, autocast or not.
    """
    if inputs.dim() == 4:  # the first convolution's maps are the largest
        maps = next(p.shape[0] for p in network.parameters() if p.dim() == 4)
        rows = max(1, LARGEST_MAPS // (maps * inputs.shape[-1] * inputs.shape[-2]))
    else:
        widest = max((p.shape[0] for p in network.parameters() if p.dim() > 1), default=1)
        rows = max(1, LARGEST_ACTIVATION // widest)
    with evaluating(network), autocast():
        outputs = torch.cat([network(block) for block in torch.split(inputs, rows)])
    return outputs.to(output_precision(network))


def _as_they_are(outputs: Tensor) -> Tensor:
    return outputs


@dataclass
class Evaluator:
    """Measures a network on a training and a validation set.

    ``train`` may be a part of the training data: while training runs, a fixed sample of it is
    enough for a curve; the last word is spoken over all of it.
    """

    network: nn.Module
    loss: Loss
    task: Task
    logits: bool
    """Whether outputs are logits (the loss is a cross entropy)."""
    validation: Data
    autocast: Autocast = contextlib.nullcontext
    unscaled: Callable[[Tensor], Tensor] = _as_they_are
    """From the units that the network is trained in to the targets' own, which errors are told in;
    the loss is what training lowers."""
    confusion: Tensor | None = field(default=None, init=False)
    """Of the latest validation, where there are classes."""

    def train_loss(self, train: Data) -> float:
        return self._loss(outputs_of(self.network, train.inputs, self.autocast), train.targets)

    def measure(self, train: Data) -> dict[str, float]:
        """``train/loss`` and every ``validation/<metric>`` of the task."""
        tagged = {f"validation/{name}": value for name, value in self.validate().items()}
        return {"train/loss": self.train_loss(train), **tagged}

    def validate(self) -> dict[str, float]:
        """Every metric of the task on the validation data, by its name."""
        outputs = outputs_of(self.network, self.validation.inputs, self.autocast)
        targets = self.validation.targets
        found = {"loss": self._loss(outputs, targets)}
        if self.task.classes:
            more, self.confusion = metrics.classification(
                outputs, targets, self.task, logits=self.logits
            )
            found.update(more)
        else:
            found.update(metrics.regression(self.unscaled(outputs), self.unscaled(targets)))
            if not self.task.has_truth:
                del found["sup_error"]
        return found

    def _loss(self, outputs: Tensor, targets: Tensor) -> float:
        return float(self.loss(outputs, targets))
