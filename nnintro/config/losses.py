"""The table of losses: the tasks that each fits, and its settings."""

from __future__ import annotations

from dataclasses import dataclass

from nnintro.config.task import Task, TaskKind
from nnintro.wording import listing

_CLASSES: tuple[TaskKind, ...] = ("binary", "multiclass")
_SAMPLES: tuple[TaskKind, ...] = ("regression", *_CLASSES)


@dataclass(frozen=True)
class LossFacts:
    """What a loss asks of a task and of the network's outputs (the function is in objectives)."""

    tasks: tuple[TaskKind, ...]
    takes_logits: bool = False
    """Whether it contains the sigmoid or the softmax, so that the outputs must be logits."""
    takes_scores: bool = False
    """Whether the outputs are the neurons' sums themselves, whose sign is the class; no probability is meant."""
    weighs_classes: bool = False
    """Whether ``class_weights`` may multiply each sample's loss."""
    two_classes: bool = False
    """Whether it knows no more than two classes."""


LOSSES = {
    "mse": LossFacts(_SAMPLES),
    "mae": LossFacts(_SAMPLES),
    "huber": LossFacts(_SAMPLES),
    "cross_entropy": LossFacts((*_CLASSES, "segmentation"), takes_logits=True, weighs_classes=True),
    "bce": LossFacts(("binary", "segmentation"), takes_logits=True, weighs_classes=True, two_classes=True),
    "perceptron": LossFacts(("binary",), takes_scores=True, two_classes=True),
    "dice": LossFacts(("segmentation",), takes_logits=True),
    "bce+dice": LossFacts(("segmentation",), takes_logits=True, two_classes=True),
}


def default_loss(task: Task) -> str:
    return "mse" if task.kind == "regression" else "cross_entropy"


def misfit(name: str, task: Task) -> str | None:
    """Why a loss does not fit a task, in words; None where it does."""
    fitting = [loss for loss, facts in LOSSES.items() if _fits(facts, task)]
    if name in fitting:
        return None
    if task.classes:  # those that take logits are the usual ones for classes
        fitting.sort(key=lambda loss: not LOSSES[loss].takes_logits)
    wanted = listing(fitting)
    needs = _needed(LOSSES[name], task)
    return f"{name} needs {needs}, and this dataset {_is(task)}; expected {wanted}"


def _fits(facts: LossFacts, task: Task) -> bool:
    return task.kind in facts.tasks and (len(task.classes) <= 2 or not facts.two_classes)


def _needed(facts: LossFacts, task: Task) -> str:
    if task.is_segmentation and task.kind not in facts.tasks:
        return "one answer for each sample"
    if facts.tasks == ("segmentation",) and not task.is_segmentation:
        return "images with masks"
    return "two classes" if facts.two_classes else "classes"


def _is(task: Task) -> str:
    count = len(task.classes)
    if task.is_segmentation:
        return f"has {count} classes of pixels" if count > 2 else "has a class for each pixel"
    return "is a regression" if task.kind == "regression" else f"has {count} classes"
