"""Metrics of a set of outputs against its targets, in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from nnintro.config.task import Task
from nnintro.objectives.losses import loss_for


def regression(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """mse, mae, rmse, r2 and the largest error, of (n, outputs) each.

    r2 is 1 - residual/total sum of squares, averaged over the outputs; for a constant target it is
    1 when met exactly and 0 otherwise (scikit-learn's convention).  Of nan everything is nan.
    """
    targets = targets.double()
    residual = outputs.double() - targets
    squares = residual.square().sum(0)
    total = (targets - targets.mean(0)).square().sum(0)
    # Not total == 0: rounding of the mean leaves 1e-34 of it.
    constant = targets.amax(0) == targets.amin(0)
    met = torch.where(squares.isnan(), squares, (squares == 0).double())
    r2 = torch.where(constant, met, 1 - squares / total).mean()
    mse = squares.mean() / len(residual)
    size = residual.abs()
    values = torch.stack([mse, size.mean(), mse.sqrt(), r2, size.max()]).tolist()
    return dict(zip(("mse", "mae", "rmse", "r2", "sup_error"), values, strict=True))


def predicted_classes(outputs: Tensor, task: Task, *, logits: bool) -> Tensor:
    """(n,) class numbers: the largest output; with one output, whether it is above its middle."""
    if task.kind == "binary":
        return (outputs[:, 0] > (0.0 if logits else 0.5)).long()
    return outputs.argmax(1)


def confusion(labels: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """(classes, classes) counts: rows are true classes, columns predicted ones."""
    pairs = labels.long() * classes + predicted
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


def classification(
    outputs: Tensor, targets: Tensor, task: Task, *, logits: bool
) -> tuple[dict[str, float], Tensor]:
    """accuracy, f1 (macro), auc (two classes), cross_entropy (of logits); and the confusion."""
    labels = targets.reshape(-1).long()
    predicted = predicted_classes(outputs, task, logits=logits)
    counts = confusion(labels, predicted, len(task.classes))
    values = {
        "accuracy": float(counts.diagonal().sum()) / len(labels),
        "f1": macro_f1(counts),
    }
    if logits:
        known = targets.double() if targets.is_floating_point() else targets
        values["cross_entropy"] = float(loss_for("cross_entropy", task)(outputs.double(), known))
    if task.kind == "binary":
        values["auc"] = auc(outputs[:, 0], labels)
    return values, counts
