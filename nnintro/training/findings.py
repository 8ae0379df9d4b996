"""What is known without training, beside what was trained: closed forms, bounds, a dense grid."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from nnintro.config.experiment import Setup
from nnintro.datasets import Splits
from nnintro.datasets.function import dense_grid
from nnintro.models import input_precision
from nnintro.models.forward import outputs_of
from nnintro.objectives.metrics import predicted_classes
from nnintro.training.closed_form import least_squares
from nnintro.training.evaluation import RowEvaluator
from nnintro.training.separation import perceptron
from nnintro.training.setup import Parts
from nnintro.training.words import Finding
from nnintro.wording import MOST_NAMED, measurement


def findings(parts: Parts, train_loss: float, updates: int) -> list[Finding]:
    """Those that suit a training, once it is over.

    Args:
        train_loss: over all the training data.
        updates: that were made.
    """
    model, setup, splits = parts.model, parts.setup, parts.splits
    found = [
        least_squares(model, setup, splits, train_loss),
        perceptron(model, setup, splits, parts.order, updates),
        dense_accuracy(model, setup, splits),
    ]
    return [finding for finding in found if finding is not None]


def each_target(parts: Parts) -> Finding | None:
    """The metrics of each of several targets, in its own units, of the network as it was measured last."""
    names = parts.setup.target_names
    if len(names) < 2 or not isinstance(parts.evaluator, RowEvaluator):
        return None
    values = dict(zip(names, parts.evaluator.of_each_target(), strict=True))
    plain = {
        name: {metric: None if math.isnan(value) else value for metric, value in metrics.items()}
        for name, metrics in values.items()
    }
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    shown = ", ".join(f"{name} {measurement(values[name]['rmse'])}" for name in names[:MOST_NAMED])
    return Finding("targets", plain, {"validation/rmse of each": shown + more})


def dense_accuracy(model: nn.Module, setup: Setup, splits: Splits[Any]) -> Finding | None:
    """Of classes that a formula gives: the share of a dense grid over the domain that is classified as it says."""
    if splits.truth is None or not setup.task.is_classification:
        return None
    points = dense_grid(splits.low, splits.high)
    device = next(model.parameters()).device
    outputs = outputs_of(model, points.to(device, input_precision(model))).cpu()
    predicted = predicted_classes(outputs, setup.task, logits=setup.logits or setup.scores)
    accuracy = float((predicted == (splits.truth(points)[:, 0] > 0)).double().mean())
    values = {"accuracy": accuracy, "points": len(points)}
    return Finding("dense_grid", values, {"dense grid": f"{accuracy:.4g} of {len(points):,} points in the right class"})
