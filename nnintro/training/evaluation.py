"""A network's loss and metrics on data, without a trace in the network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nnintro.config.experiment import Setup
from nnintro.config.task import Task
from nnintro.datasets import Data
from nnintro.models import Standardized, precision_of
from nnintro.models.forward import Autocast, evaluating, outputs_of
from nnintro.objectives import metrics
from nnintro.objectives.losses import Loss
from nnintro.objectives.metrics import confusion
from nnintro.objectives.segmentation import boundary_scores, match_points, overlaps, peaks, points_of, precision_recall


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
            more, self.confusion = metrics.classification(outputs, targets, self.task, logits=self.logits)
            found.update(more)
        else:
            outputs, targets = self.unscaled(outputs), self.unscaled(targets)
            found.update(metrics.regression(outputs, targets, self.task))
        return found

    def _loss(self, outputs: Tensor, targets: Tensor) -> float:
        return float(self.loss(outputs, targets))


class Measures(Protocol):
    """Loss and metrics of a network on a training and a validation set."""

    confusion: Tensor | None

    def train_loss(self, train: Any) -> float: ...

    def measure(self, train: Any) -> dict[str, float]: ...

    def validate(self) -> dict[str, float]: ...


def build_evaluator(
    setup: Setup,
    network: nn.Module,
    model: nn.Module,
    loss: Loss,
    validation: Any,
    autocast: Autocast,
    *,
    has_truth: bool | None = None,
) -> Measures:
    """The evaluator of the task.

    Args:
        network: what is trained, and takes ``validation`` as it is.
        model: what is saved: knows the targets' units.
        has_truth: whether ``validation`` has the noise-free targets, where it is not the task's.
    """
    task, described = setup.task, setup.facts.description
    if has_truth is not None:
        task = replace(task, has_truth=has_truth)
    if task.is_segmentation:
        threshold, radius = described.get("threshold", 0.5), described.get("point_radius")
        return SegmentationEvaluator(network, loss, task, threshold, radius, validation, autocast)
    evaluator = Evaluator(network, loss, task, setup.logits, validation, autocast)
    if isinstance(model, Standardized):
        evaluator.unscaled = model.unscaled
    return evaluator


BLOCK = 16
"""Images that go through the network at a time."""


class Maps(Protocol):
    """Images with masks, wherever they are kept."""

    def __len__(self) -> int: ...

    def blocks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs (b, channels, H, W) and targets, at most ``size`` images at a time, in order.

        Targets are (b, 1, H, W) zeros and ones in floating point for one output, else (b, H, W)
        class numbers (int64).
        """
        ...


def probabilities(outputs: Tensor) -> Tensor:
    """Logits (b, outputs, H, W) -> (b, classes, H, W); of one output (b, 1, H, W), the class 1."""
    return torch.sigmoid(outputs) if outputs.shape[1] == 1 else torch.softmax(outputs, dim=1)


def predicted_maps(probability: Tensor, threshold: float) -> Tensor:
    """(b, classes, H, W) -> (b, H, W) class numbers.

    The most probable class; of one output, 1 where the probability is at least the threshold.
    """
    if probability.shape[1] == 1:
        return (probability[:, 0] >= threshold).long()
    return probability.argmax(1)


def foreground(probability: Tensor) -> Tensor:
    """(b, classes, H, W) -> (b, H, W): the probability of being anything but the first class."""
    return probability[:, 0] if probability.shape[1] == 1 else 1 - probability[:, 0]


def blocks_through(
    network: nn.Module, data: Maps, autocast: Autocast = contextlib.nullcontext, block: int = BLOCK
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Inputs, targets and outputs (in the parameters' precision), never more than a block."""
    with evaluating(network):
        for inputs, targets in data.blocks(block):
            with autocast():
                outputs = network(inputs)
            yield inputs, targets, outputs.to(precision_of(network))


@dataclass
class SegmentationEvaluator:
    """Measures a network on a training and a validation set, as ``Evaluator`` does on tables.

    The loss is the mean over images.  iou, dice and pixel_accuracy are of all pixels of the set
    together, boundary_f1 is the mean over its images, precision and recall are of all its points
    together; each is exact whatever the block.
    """

    network: nn.Module
    loss: Loss
    task: Task
    threshold: float
    """Probability from which a pixel belongs to the class; for points, a peak."""
    point_radius: float | None
    """Pixels within which a peak is a point of the mask; peaks nearer to each other are one."""
    validation: Maps
    autocast: Autocast = contextlib.nullcontext
    block: int = BLOCK
    confusion: Tensor | None = field(default=None, init=False)
    """(classes, classes) pixels of the latest validation, rows are true classes."""

    def train_loss(self, train: Maps) -> float:
        total = 0.0
        for inputs, targets, outputs in self._through(train):
            total += len(inputs) * float(self.loss(outputs, targets))
        return total / len(train)

    def measure(self, train: Maps) -> dict[str, float]:
        """``train/loss`` and every ``validation/<metric>`` of the task."""
        tagged = {f"validation/{name}": value for name, value in self.validate().items()}
        return {"train/loss": self.train_loss(train), **tagged}

    def validate(self) -> dict[str, float]:
        """Every metric of the task on the validation data, by its name, in the task's order."""
        tally = _Tally(self.task, self.threshold, self.point_radius)
        total = 0.0
        for inputs, targets, outputs in self._through(self.validation):
            total += len(inputs) * float(self.loss(outputs, targets))
            tally.add(outputs, targets)
        self.confusion = tally.counts
        return {"loss": total / len(self.validation), **tally.metrics(len(self.validation))}

    def _through(self, data: Maps) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        return blocks_through(self.network, data, self.autocast, self.block)


class _Tally:
    """What is counted on the way through a set."""

    def __init__(self, task: Task, threshold: float, point_radius: float | None) -> None:
        self.classes, self.threshold, self.radius = max(task.outputs, 2), threshold, point_radius
        self.counts = torch.zeros(self.classes, self.classes, dtype=torch.int64)
        self.boundary = 0.0
        self.hits = self.found = self.true = 0

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """A block: logits (b, outputs, H, W) and its targets."""
        probability = probabilities(outputs)
        predicted = predicted_maps(probability, self.threshold)
        labels = (targets[:, 0] if outputs.shape[1] == 1 else targets).long()
        counts = confusion(labels.flatten(), predicted.flatten(), self.classes)
        self.counts += counts.cpu()
        self.boundary += float(boundary_scores(labels, predicted, self.classes).sum())
        if self.radius is not None:
            self._add_points(foreground(probability), labels > 0, self.radius)

    def _add_points(self, maps: Tensor, masks: Tensor, radius: float) -> None:
        for probability, mask in zip(maps, masks, strict=True):
            found, true = peaks(probability, self.threshold, radius), points_of(mask)
            self.hits += match_points(found, true, radius)
            self.found += len(found)
            self.true += len(true)

    def metrics(self, images: int) -> dict[str, float]:
        found = {**overlaps(self.counts), "boundary_f1": self.boundary / images}
        if self.radius is not None:
            found |= precision_recall(self.hits, self.found, self.true)
        return found
