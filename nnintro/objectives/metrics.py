"""Metrics of a set of outputs against its targets, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nnintro.config.task import Task
from nnintro.objectives.losses import IGNORED, loss_for


class Errors:
    """Outputs beside their targets, (n, outputs) each, and what several metrics share of them."""

    def __init__(self, outputs: Tensor, targets: Tensor) -> None:
        self.targets = targets.double()
        self.residual = outputs.double() - self.targets
        self.squares = self.residual.square().sum(0)
        self.mse = self.squares.mean() / len(self.residual)


def _r2(errors: Errors) -> Tensor:
    """1 - residual/total sum of squares, averaged over the outputs.

    For a constant target it is 1 when met exactly and 0 otherwise, and of a single sample nan (scikit-learn's
    conventions).
    """
    targets, squares = errors.targets, errors.squares
    if len(targets) < 2:
        return torch.full_like(errors.mse, math.nan)
    total = (targets - targets.mean(0)).square().sum(0)
    # Not total == 0: rounding of the mean leaves 1e-34 of it.
    constant = targets.amax(0) == targets.amin(0)
    met = torch.where(squares.isnan(), squares, (squares == 0).double())
    return torch.where(constant, met, 1 - squares / total).mean()


REGRESSION: dict[str, Callable[[Errors], Tensor]] = {
    "mse": lambda errors: errors.mse,
    "mae": lambda errors: errors.residual.abs().mean(),
    "rmse": lambda errors: errors.mse.sqrt(),
    "r2": _r2,
    "sup_error": lambda errors: errors.residual.abs().max(),
}
"""Name -> the metric, a scalar in float64; of nan it is nan."""


def undefined(samples: int, per_class: Mapping[str, int]) -> dict[str, str]:
    """Metric -> why it has no value on such samples, whatever the outputs.

    Args:
        per_class: the samples of each class; empty for numbers.
    """
    absent = [name for name, count in per_class.items() if count == 0]
    if len(per_class) == 2 and absent:
        return {"auc": f"no sample belongs to class {absent[0]}; auc is not defined"}
    if not per_class and samples == 1:
        return {"r2": "there is one sample, which has no spread around a mean; r2 is not defined"}
    return {}


def regression(outputs: Tensor, targets: Tensor, task: Task) -> dict[str, float]:
    """The task's metrics by name, of (n, outputs) each."""
    errors, names = Errors(outputs, targets), set(task.metrics(logits=False))
    values = {name: metric(errors) for name, metric in REGRESSION.items() if name in names}
    # One transfer for all: each by itself would wait for the device.
    return dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))


def predicted_classes(outputs: Tensor, task: Task, *, logits: bool) -> Tensor:
    """(n,) class numbers: the largest output; with one output, whether it is above its middle.

    Args:
        logits: whether that is 0, as of logits and of other sums, and not 1/2.
    """
    if task.kind == "binary":
        return (outputs[:, 0] > (0.0 if logits else 0.5)).long()
    return outputs.argmax(1)


def class_probabilities(logits: Tensor) -> Tensor:
    """(n, outputs, ...) logits -> (n, classes, ...): the softmax; of a single logit z, s(-z) and s(z)."""
    if logits.shape[1] == 1:
        return torch.cat([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=1)
    return torch.softmax(logits, dim=1)


def confusion(labels: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """(classes, classes) counts: rows are true classes, columns predicted ones; without labels that are IGNORED."""
    pairs = labels.long() * classes + predicted
    if labels.numel() and int(labels.min()) == IGNORED:
        pairs = pairs[labels != IGNORED]
    return torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def macro_f1(counts: Tensor) -> float:
    """The mean over classes of 2 TP / (2 TP + FP + FN); classes that never occur are left out."""
    hits = counts.diagonal().double()
    size = counts.sum(0).double() + counts.sum(1).double()  # 2 TP + FP + FN
    occurs = size > 0
    return float((2 * hits[occurs] / size[occurs]).mean())


def auc(scores: Tensor, labels: Tensor) -> float:
    """Area under the ROC curve, by ranks: P(a positive scores above a negative), ties half.

    Mann and Whitney's U over the number of pairs; nan unless both classes occur.
    """
    positives = labels.bool()
    pairs = int(positives.sum()) * int((~positives).sum())
    if pairs == 0 or bool(scores.isnan().any()):
        return float("nan")
    _, index, sizes = torch.unique(scores, sorted=True, return_inverse=True, return_counts=True)
    last = sizes.cumsum(0).double()
    rank = (last - (sizes.double() - 1) / 2)[index]  # average rank among ties, from 1
    count = positives.sum().double()
    return float((rank[positives].sum() - count * (count + 1) / 2) / pairs)


class Answers:
    """A classifier's outputs beside their targets, and what several metrics share of them."""

    def __init__(self, outputs: Tensor, targets: Tensor, task: Task, *, signed: bool) -> None:
        self.outputs, self.targets, self.task = outputs, targets, task
        self.labels = targets.reshape(-1).long()
        predicted = predicted_classes(outputs, task, logits=signed)
        self.counts = confusion(self.labels, predicted, len(task.classes))


def _cross_entropy(answers: Answers) -> float:
    targets = answers.targets.double() if answers.targets.is_floating_point() else answers.targets
    return float(loss_for("cross_entropy", answers.task)(answers.outputs.double(), targets))


CLASSIFICATION: dict[str, Callable[[Answers], float]] = {
    "accuracy": lambda answers: float(answers.counts.diagonal().sum()) / len(answers.labels),
    "f1": lambda answers: macro_f1(answers.counts),
    "cross_entropy": _cross_entropy,
    "auc": lambda answers: auc(answers.outputs[:, 0], answers.labels),
}


def classification(
    outputs: Tensor, targets: Tensor, task: Task, *, logits: bool, scores: bool = False
) -> tuple[dict[str, float], Tensor]:
    """The task's metrics by name, and the confusion.

    Args:
        logits, scores: what the outputs are (see ``config.losses``).
    """
    answers, names = Answers(outputs, targets, task, signed=logits or scores), task.metrics(logits=logits)
    values = {name: metric(answers) for name, metric in CLASSIFICATION.items() if name in names}
    return values, answers.counts
