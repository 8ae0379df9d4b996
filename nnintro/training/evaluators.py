"""What measures a network on an experiment's task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from torch import Tensor, nn

from nnintro.config.experiment import Experiment
from nnintro.config.images import ImagesDataset
from nnintro.models import Standardized
from nnintro.training.evaluation import Autocast, Evaluator
from nnintro.training.losses import Loss


class Measures(Protocol):
    """Loss and metrics of a network on a training and a validation set."""

    confusion: Tensor | None

    def train_loss(self, train: Any) -> float: ...

    def measure(self, train: Any) -> dict[str, float]: ...

    def validate(self) -> dict[str, float]: ...


def build_evaluator(
    experiment: Experiment,
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
    task, dataset = experiment.task, experiment.dataset
    if has_truth is not None:
        task = replace(task, has_truth=has_truth)
    if isinstance(dataset, ImagesDataset):
        from nnintro.training.segmentation import SegmentationEvaluator

        return SegmentationEvaluator(
            network,
            loss,
            task,
            dataset.threshold,
            dataset.point_radius if task.has_points else None,
            validation,
            autocast,
        )
    evaluator = Evaluator(network, loss, task, experiment.logits, validation, autocast)
    if isinstance(model, Standardized):
        evaluator.unscaled = model.unscaled
    return evaluator
