"""Losses by name: (outputs, targets) -> the mean over the samples (and outputs), a scalar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nnintro.config.task import Task

IGNORED = -1
"""The target of a pixel that enters neither loss nor metrics."""
Loss = Callable[[Tensor, Tensor], Tensor]
"""(outputs, targets) -> the mean loss, ()."""


def mse(outputs: Tensor, targets: Tensor) -> Tensor:
    """(1/n) sum_i (y^_i - y_i)^2, averaged over the outputs too."""
    return functional.mse_loss(outputs, targets)


def mae(outputs: Tensor, targets: Tensor) -> Tensor:
    """(1/n) sum_i |y^_i - y_i|."""
    return functional.l1_loss(outputs, targets)


def huber(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared below 1, linear beyond (Huber, 1964): r^2/2 if |r| < 1, else |r| - 1/2."""
    return functional.huber_loss(outputs, targets)


def perceptron(outputs: Tensor, targets: Tensor) -> Tensor:
    """(1/n) sum_i max(0, -t_i z_i), t_i = -1 or 1 for the targets 0 and 1 (Rosenblatt, 1958).

    A neuron is on where z > 0, so that z = 0 is a mistake where t = 1: there the subgradient -t is taken, and
    stochastic descent with rate 1 is his rule, w <- w + t x and b <- b + t at each mistake. Sums z and
    targets are (n, 1).
    """
    on = targets > 0.5
    # Put so that NaN is a mistake as well.
    mistaken = torch.where(on, ~(outputs > 0), ~(outputs <= 0))
    losses = torch.where(on, -outputs, outputs)
    return torch.where(mistaken, losses, torch.zeros_like(outputs)).mean()


@dataclass(frozen=True)
class AgainstOneHot:
    """An element-wise loss between the outputs and the one-hot vector of the class.

    Outputs are (n, classes) and class numbers (n,), or (n, classes, H, W) and (n, H, W).
    """

    loss: Loss

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        # functional.one_hot would look at the numbers, and wait for the device to do so.
        one_hot = torch.zeros_like(outputs).scatter_(1, targets[:, None], 1.0)
        return self.loss(outputs, one_hot)


SMOOTH = 1.0
"""Pixels added to both sides of Dice's fraction: an empty mask, left empty, has a loss of 0."""


def _precise(logits: Tensor) -> Tensor:
    """At least float32: autocast gives outputs of 8 bits, too few to add up over pixels."""
    return logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """-(w_1 y log s(z) + w_0 (1-y) log(1 - s(z))), s the logistic function, the mean over all.

    Logits z and targets y, 0 or 1, are (n, 1), or (n, 1, H, W).  The mean is over n (and pixels)
    whatever the weights: with weights in place of n, as in torch.nn.CrossEntropyLoss, the loss of a
    whole would not be the mean of its blocks' losses.
    """

    class_weights: Tensor | None = None
    """(2,) w_0 and w_1."""
    ignores: bool = False
    """Whether there are targets IGNORED, which do not count (see ``_mean_of_known``)."""

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        logits, weight = _precise(logits), None
        if self.class_weights is not None:
            off, on = self.class_weights.to(logits).unbind()
            weight = torch.where(targets > 0.5, on, off)
        if not self.ignores:
            return functional.binary_cross_entropy_with_logits(logits, targets, weight)
        each = functional.binary_cross_entropy_with_logits(logits, targets.clamp(min=0), weight, reduction="none")
        return _mean_of_known(each[:, 0], targets[:, 0] != IGNORED)


@dataclass(frozen=True)
class CrossEntropy:
    """-w_y log softmax(z)_y, the mean over all, whatever the weights (see above).

    Logits are (n, classes) and class numbers (n,), or (n, classes, H, W) and (n, H, W).
    """

    class_weights: Tensor | None = None
    """(classes,)"""
    ignores: bool = False

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        logits = _precise(logits)
        if self.class_weights is None and not self.ignores:
            return functional.cross_entropy(logits, targets)
        weights = None if self.class_weights is None else self.class_weights.to(logits)
        each = functional.cross_entropy(logits, targets, weights, ignore_index=IGNORED, reduction="none")
        return _mean_of_known(each, targets != IGNORED) if self.ignores else each.mean()


def _mean_of_known(each: Tensor, known: Tensor) -> Tensor:
    """Losses of pixels (n, H, W) -> the mean over each image's known pixels, and over the images.

    Each image by itself: so the loss of a whole is the mean of its blocks' losses.  An image without a known pixel
    counts 0.
    """
    sums, pixels = (each * known).flatten(1).sum(1), known.flatten(1).sum(1)
    return (sums / pixels.clamp(min=1)).mean()


def binary_dice(logits: Tensor, targets: Tensor) -> Tensor:
    """1 - (2 sum p y + 1) / (sum p + sum y + 1), p = s(z), for each image; the mean over images.

    Dice's coefficient of probabilities (Milletari et al., 2016, without their squares), 1 added on
    both sides.  Each image by itself: so the loss of a whole is the mean of its blocks' losses.
    Logits and targets, 0 or 1, are (n, 1, H, W), or (n, 1).
    """
    return 1 - _dice(torch.sigmoid(_precise(logits)), targets).mean()


def dice(logits: Tensor, targets: Tensor) -> Tensor:
    """The same for each class, p = softmax(z); the mean over classes and images.

    Logits are (n, classes, H, W) and class numbers (n, H, W).
    """
    p = torch.softmax(_precise(logits), dim=1)
    y = torch.zeros_like(p).scatter_(1, targets[:, None], 1.0)
    return 1 - _dice(p, y).mean()


def binary_dice_of_known(logits: Tensor, targets: Tensor) -> Tensor:
    """``binary_dice`` over the pixels whose target is not IGNORED."""
    known = targets != IGNORED
    return 1 - _dice(torch.sigmoid(_precise(logits)) * known, targets * known).mean()


def dice_of_known(logits: Tensor, targets: Tensor) -> Tensor:
    """``dice`` over the pixels whose target is not IGNORED."""
    known = (targets != IGNORED)[:, None]
    p = torch.softmax(_precise(logits), dim=1)
    y = torch.zeros_like(p).scatter_(1, targets[:, None].clamp(min=0), 1.0)
    return 1 - _dice(p * known, y * known).mean()


def _dice(p: Tensor, y: Tensor) -> Tensor:
    """(n, classes, H, W) or (n, classes) each -> (n, classes)"""
    p, y = (values.reshape(*values.shape[:2], -1) for values in (p, y))
    return (2 * (p * y).sum(-1) + SMOOTH) / (p.sum(-1) + y.sum(-1) + SMOOTH)


def _sum(one: Loss, other: Loss) -> Loss:
    return lambda outputs, targets: one(outputs, targets) + other(outputs, targets)


LOSSES: dict[str, Callable[[Tensor | None], tuple[Loss, Loss]]] = {
    "mse": lambda _: (mse, AgainstOneHot(mse)),
    "mae": lambda _: (mae, AgainstOneHot(mae)),
    "huber": lambda _: (huber, AgainstOneHot(huber)),
    "cross_entropy": lambda weights: (BinaryCrossEntropy(weights), CrossEntropy(weights)),
    "bce": lambda weights: (BinaryCrossEntropy(weights), CrossEntropy(weights)),
    "perceptron": lambda _: (perceptron, perceptron),
    "dice": lambda _: (binary_dice, dice),
    "bce+dice": lambda weights: (_sum(BinaryCrossEntropy(weights), binary_dice), _sum(CrossEntropy(weights), dice)),
}
"""name -> (class weights) -> the loss of targets that are values in the outputs' shape, 0 or 1 of
two classes, and that of targets that are class numbers."""


LOSSES_OF_KNOWN: dict[str, Callable[[Tensor | None], tuple[Loss, Loss]]] = {
    "cross_entropy": lambda weights: (BinaryCrossEntropy(weights, ignores=True), CrossEntropy(weights, ignores=True)),
    "bce": lambda weights: (BinaryCrossEntropy(weights, ignores=True), CrossEntropy(weights, ignores=True)),
    "dice": lambda _: (binary_dice_of_known, dice_of_known),
    "bce+dice": lambda weights: (
        _sum(BinaryCrossEntropy(weights, ignores=True), binary_dice_of_known),
        _sum(CrossEntropy(weights, ignores=True), dice_of_known),
    ),
}
"""The losses of masks, over the pixels whose target is not IGNORED."""


def loss_for(name: str, task: Task, class_weights: Tensor | None = None, *, ignores: bool = False) -> Loss:
    """The loss of this name on this task.

    Args:
        class_weights: (classes,) what a sample (a pixel) of each class counts in cross entropy.
        ignores: whether there are pixels whose target is IGNORED.
    """
    of_values, of_classes = (LOSSES_OF_KNOWN if ignores else LOSSES)[name](class_weights)
    has_classes = task.kind == "multiclass" or (task.is_segmentation and task.outputs > 1)
    return of_classes if has_classes else of_values
