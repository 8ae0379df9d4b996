"""A network's outputs as the columns of a prediction."""

from __future__ import annotations

import torch
from torch import Tensor

from nnintro.config.task import Task
from nnintro.inference.block import Array
from nnintro.training.metrics import predicted_classes


def answers(outputs: Tensor, task: Task, *, logits: bool) -> list[Array]:
    """(n, outputs) -> one (n,) array per name of ``prediction_names``.

    Of classes the first is the class number, decided as the metrics decide it.
    """
    if not task.is_classification:
        return _columns(outputs)
    classes: Array = predicted_classes(outputs, task, logits=logits).numpy()
    return [classes, *_columns(probabilities(outputs, task) if logits else outputs)]


def probabilities(logits: Tensor, task: Task) -> Tensor:
    """(n, outputs) logits -> (n, classes): the softmax; of a single logit z, s(-z) and s(z)."""
    if task.kind == "binary":
        return torch.cat([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=1)
    return torch.softmax(logits, dim=1)


def _columns(values: Tensor) -> list[Array]:
    return list(values.numpy().T)
