"""What is known without training, beside what was trained: closed forms, bounds, a dense grid."""

from __future__ import annotations

from typing import Any

from torch import nn

from nnintro.config.experiment import Setup
from nnintro.datasets import Splits
from nnintro.datasets.function import dense_grid
from nnintro.models import input_precision
from nnintro.models.forward import outputs_of
from nnintro.objectives.metrics import predicted_classes
from nnintro.training.closed_form import least_squares
from nnintro.training.separation import perceptron
from nnintro.training.setup import Parts
from nnintro.training.words import Finding


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
