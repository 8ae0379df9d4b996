"""Measure a network's loss and metrics on data without changing the network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nnintro.config.experiment import Setup
from nnintro.config.task import Task
from nnintro.datasets import Data
from nnintro.models import Standardized, precision_of
from nnintro.models.forward import Autocast, evaluating, outputs_of
from nnintro.models.tiles import outputs_in_tiles, takes_tiles
from nnintro.objectives import metrics
from nnintro.objectives.losses import IGNORED, Loss
from nnintro.objectives.metrics import confusion
from nnintro.objectives.segmentation import (
    boundary_scores,
    foreground,
    match_points,
    overlaps,
    peaks,
    points_of,
    precision_recall,
    predicted_maps,
    probabilities,
)


@dataclass
class Evaluator:
    """Measures a network on a training and a validation set.

    ``train`` may be a part of the training data: while training runs, a fixed sample of it is enough for a curve; the
    summary's numbers are over all of it.
    """

    network: nn.Module
    loss: Loss
    task: Task
    validation: Any
    autocast: Autocast = contextlib.nullcontext
    confusion: Tensor | None = field(default=None, init=False)
    """(classes, classes) counts of the latest validation, rows are true classes; None without classes."""

    def measure(self, train: Any, tags: Collection[str] | None = None) -> dict[str, float]:
        """``train/loss`` and every ``validation/<metric>`` of the task; of ``tags`` alone where they are given."""
        measured = {"train/loss": self.train_loss(train)} if tags is None or "train/loss" in tags else {}
        names = None if tags is None else {tag.removeprefix("validation/") for tag in tags if tag != "train/loss"}
        if names is None or names:
            measured |= {f"validation/{name}": value for name, value in self.validate(names).items()}
        return measured

    def train_loss(self, train: Any) -> float:
        raise NotImplementedError

    def validate(self, names: Collection[str] | None = None) -> dict[str, float]:
        """Every metric of the task on the validation data, by its name, in the task's order.

        Args:
            names: those that are asked for, where not all are; others may be left out.
        """
        raise NotImplementedError


@dataclass
class RowEvaluator(Evaluator):
    """Of rows of numbers, all of which go through the network before anything is measured."""

    logits: bool = False
    """Whether outputs are logits (the loss is a cross entropy)."""
    scores: bool = False
    """Whether they are sums whose sign is the class."""
    unscaled: Callable[[Tensor], Tensor] = lambda outputs: outputs
    """From the units that the network is trained in to the targets' own, in which errors are measured; the loss is
    what training lowers."""

    def train_loss(self, train: Data) -> float:
        return float(self.loss(outputs_of(self.network, train.inputs, self.autocast), train.targets))

    def validate(self, names: Collection[str] | None = None) -> dict[str, float]:
        outputs = outputs_of(self.network, self.validation.inputs, self.autocast)
        targets = self.validation.targets
        loss = float(self.loss(outputs, targets))
        if names == {"loss"}:
            return {"loss": loss}
        if self.task.classes:
            values, self.confusion = metrics.classification(
                outputs, targets, self.task, logits=self.logits, scores=self.scores
            )
        else:
            values = metrics.regression(self.unscaled(outputs), self.unscaled(targets), self.task)
        return {"loss": loss, **values}

    def of_each_target(self) -> list[dict[str, float]]:
        """The metrics of a regression, of each of its outputs by itself, in the targets' own units."""
        outputs = self.unscaled(outputs_of(self.network, self.validation.inputs, self.autocast))
        targets, single = self.unscaled(self.validation.targets), replace(self.task, outputs=1)
        return [
            metrics.regression(outputs[:, k : k + 1], targets[:, k : k + 1], single) for k in range(self.task.outputs)
        ]


def build_evaluator(
    setup: Setup,
    network: nn.Module,
    model: nn.Module,
    loss: Loss,
    validation: Any,
    autocast: Autocast,
    *,
    has_truth: bool | None = None,
) -> Evaluator:
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
        return SegmentationEvaluator(network, loss, task, validation, autocast, threshold, radius)
    evaluator = RowEvaluator(network, loss, task, validation, autocast, setup.logits, setup.scores)
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


def blocks_through(
    network: nn.Module, data: Maps, autocast: Autocast = contextlib.nullcontext, block: int = BLOCK
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Inputs, targets and outputs (in the parameters' precision), never more than a block; large images in tiles."""
    with evaluating(network):
        for inputs, targets in data.blocks(block):
            with autocast():
                outputs = outputs_in_tiles(network, inputs) if takes_tiles(network, inputs) else network(inputs)
            yield inputs, targets, outputs.to(precision_of(network))


@dataclass
class SegmentationEvaluator(Evaluator):
    """Of images with masks, which go through the network block by block.

    The loss is the mean over images.  iou, dice and pixel_accuracy are of all pixels of the set together, boundary_f1
    is the mean over its images, precision and recall are of all its points together; each is exact whatever the block.
    """

    threshold: float = 0.5
    """Probability from which a pixel belongs to the class; for points, a peak."""
    point_radius: float | None = None
    """Pixels within which a peak is a point of the mask; peaks nearer to each other are one."""
    block: int = BLOCK

    def train_loss(self, train: Maps) -> float:
        return sum(loss for loss, _, __ in self._losses(train)) / len(train)

    def validate(self, names: Collection[str] | None = None) -> dict[str, float]:
        if names == {"loss"}:
            return {"loss": self.train_loss(self.validation)}
        tally = _Tally(self.task, self.threshold, self.point_radius)
        total = 0.0
        for loss, outputs, targets in self._losses(self.validation):
            total += loss
            tally.add(outputs, targets)
        self.confusion = tally.counts
        return {"loss": total / len(self.validation), **tally.metrics(len(self.validation))}

    def _losses(self, data: Maps) -> Iterator[tuple[float, Tensor, Tensor]]:
        """Of each block: the loss, summed over its images, the outputs and the targets."""
        for inputs, targets, outputs in blocks_through(self.network, data, self.autocast, self.block):
            yield len(inputs) * float(self.loss(outputs, targets)), outputs, targets


class _Tally:
    """What is counted on the way through a set."""

    def __init__(self, task: Task, threshold: float, point_radius: float | None) -> None:
        self.classes, self.threshold, self.radius = max(task.outputs, 2), threshold, point_radius
        self.counts = torch.zeros(self.classes, self.classes, dtype=torch.int64)
        self.boundary = 0.0
        self.hits = self.predicted = self.true = 0

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """A block: logits (b, outputs, H, W) and its targets."""
        probability = probabilities(outputs)
        predicted = predicted_maps(probability, self.threshold)
        labels = (targets[:, 0] if outputs.shape[1] == 1 else targets).long()
        counts = confusion(labels.flatten(), predicted.flatten(), self.classes)
        self.counts += counts.cpu()
        self.boundary += float(boundary_scores(labels, predicted, self.classes).sum())
        if self.radius is not None:
            known = labels != IGNORED
            self._add_points(foreground(probability) * known, labels > 0, self.radius)

    def _add_points(self, maps: Tensor, masks: Tensor, radius: float) -> None:
        for probability, mask in zip(maps, masks, strict=True):
            predicted, true = peaks(probability, self.threshold, radius), points_of(mask)
            self.hits += match_points(predicted, true, radius)
            self.predicted += len(predicted)
            self.true += len(true)

    def metrics(self, images: int) -> dict[str, float]:
        values = {**overlaps(self.counts), "boundary_f1": self.boundary / images}
        if self.radius is not None:
            values |= precision_recall(self.hits, self.predicted, self.true)
        return values
