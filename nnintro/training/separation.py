"""Rosenblatt's perceptron: whether a line parts the classes, and how many mistakes the rule can make.

Everything is in the space of x~ = (x, 1), where the bias is one weight more, and of signs t = -1 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from nnintro.config.experiment import Setup
from nnintro.datasets import Data, Splits
from nnintro.datasets.samples import prepared
from nnintro.descent.streams import Order
from nnintro.models import Mlp, Standardized
from nnintro.training.words import Finding

MOST_WORK = 5e8
"""Samples times inputs times the lesser of both: a second or two of least squares."""
MOST_MISTAKES = 200_000
"""Mistakes that are counted on the way; beyond, nobody waits for their number."""
WINDOW = 256
"""Samples that are looked at together for the next mistake."""
BALANCED = 1e-9
"""What is left of points that balance each other, beside their lengths, may be rounding."""
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Separation:
    """How well a hyperplane through the origin parts signed points t x~."""

    margin: float
    """The largest distance that was found for all points to keep from it on their side; 0 where none was found."""
    radius: float
    """The length of the longest point."""
    refuted: bool = False
    """Whether none exists: points were found that balance each other around the origin."""

    @property
    def bound(self) -> float:
        """(radius / margin)^2: the rule makes no more mistakes from zero weights (Novikoff, 1962), with any margin."""
        return (self.radius / self.margin) ** 2 if self.margin > 0 else float("inf")


def separation(inputs: Array, signs: Array) -> Separation:
    """Of (n, inputs) and signs (n,), -1 or 1; the points are t x~ with x~ = (x, 1).

    The shortest w with points @ w >= 1 has the length 1 / margin.  It is the residual of a least-squares problem with
    weights that are not negative (Lawson and Hanson, Solving Least Squares Problems, 1974, section 23.4: LDP).  Where
    there is no such w, that residual vanishes: the weights balance the points around the origin, which proves it
    (Gordan, 1873).  Both are looked for twice: among the points as they are, for the margin, and with the inputs
    shifted and scaled to [-1, 1], which leaves separable what is separable, and does not lose it in rounding.
    """
    points = _signed(inputs, signs)
    radius = float(np.linalg.norm(points, axis=1).max())
    middle, half = (inputs.max(0) + inputs.min(0)) / 2, (inputs.max(0) - inputs.min(0)) / 2
    half[half == 0] = 1.0
    even = _signed((inputs - middle) / half, signs)
    direction, refuted = _least(even)
    # From weights of the shifted and scaled inputs to those of x: <v, (x - m) / h> + c = <v / h, x> + c - <v / h, m>.
    weights = direction[:-1] / half
    back = np.append(weights, direction[-1] - weights @ middle)
    margins = [_margin(points, w) for w in (_least(points / radius)[0], back)]
    margin = max(margins)
    if margin <= 0 and _margin(even, direction) > 0:  # parted, by less than rounding leaves of x as it is
        return Separation(0.0, radius)
    return Separation(max(margin, 0.0), radius, refuted and margin <= 0)


def _least(points: Array) -> tuple[Array, bool]:
    """A direction w in which the least of points @ w is large, and whether the points balance each other."""
    from scipy.optimize import nnls

    system = np.vstack([points.T, np.ones(len(points))])
    wanted = np.zeros(len(system))
    wanted[-1] = 1.0
    weights, _ = nnls(system, wanted, maxiter=max(10 * len(points), 100))
    residual = system @ weights - wanted
    left = np.abs(points.T @ weights).max()
    lengths = float(weights @ np.abs(points).max(1))
    return residual[:-1], bool(lengths > 0 and left <= BALANCED * lengths)


def _margin(points: Array, weights: Array) -> float:
    """The least distance of the points from a hyperplane, negative on its wrong side; 0 of no direction."""
    length = np.linalg.norm(weights)
    return float((points @ weights).min() / length) if length > 0 else 0.0


def _signed(inputs: Array, signs: Array) -> Array:
    """(n, inputs + 1): t (x, 1)."""
    return np.asarray(signs[:, None] * np.column_stack([inputs, np.ones(len(inputs), inputs.dtype)]))


def mistakes_made(points: Array, order: Order, updates: int, rate: float) -> tuple[int, Array] | None:
    """How many of the first updates of the rule, one sample each from zero weights, meet a mistake; the last weights.

    Walked again in the type of the points, many samples at a time up to the next mistake; None where there are too
    many.

    Args:
        points: signed points (n, inputs + 1), the last column t.
        order: epoch -> the numbers of its samples; None for the data's own.
        rate: the learning rate.
    """
    n, weights, mistakes = len(points), np.zeros(points.shape[1], points.dtype), 0
    on, steps = points[:, -1] > 0, points * points.dtype.type(rate)
    for epoch in range(-(-updates // n)):
        rows = order(epoch)
        numbers = np.arange(n) if rows is None else rows.numpy()
        numbers = numbers[: updates - epoch * n]
        at, before = 0, mistakes
        while at < len(numbers):
            window = numbers[at : at + WINDOW]
            z = points[window] @ weights
            bad = np.flatnonzero((z < 0) | ((z == 0) & on[window]))
            if len(bad) == 0:
                at += len(window)
                continue
            weights = weights + steps[window[bad[0]]]
            at, mistakes = at + int(bad[0]) + 1, mistakes + 1
            if mistakes > MOST_MISTAKES:
                return None
        if mistakes == before and len(np.unique(numbers)) == n:
            break  # all samples, and no mistake: there will be none
    return mistakes, weights


def perceptron(model: nn.Module, setup: Setup, splits: Splits[Any], order: Order, updates: int) -> Finding | None:
    """Of a neuron under the perceptron's loss: its mistakes, Novikoff's bound, or why it never comes to rest."""
    network = model.network if isinstance(model, Standardized) else model
    if not setup.scores or not isinstance(network, Mlp) or len(network.affine) != 1:
        return None
    data = prepared(splits.train, model)
    if not isinstance(data, Data) or data.inputs.numel() * min(data.inputs.shape) > MOST_WORK:
        return None
    inputs, signs = data.inputs.double().numpy(), np.where(data.targets[:, 0].numpy() > 0.5, 1.0, -1.0)
    weights = torch.cat([network.affine[0].weight.detach()[0], network.affine[0].bias.detach()]).cpu().numpy()
    points, found = _signed(inputs, signs), separation(inputs, signs)
    wrong = _mistaken(points, weights.astype(np.float64))
    values: dict[str, Any] = {"mistakes": wrong, "samples": len(points)}
    made = _made(setup, points, weights, order, updates)
    if found.margin > 0:
        values |= {"separable": True, "margin": found.margin, "radius": found.radius, "novikoff_bound": found.bound}
        if made is not None:
            values["mistakes_made"] = made
    elif found.refuted:
        values["separable"] = False
    divider = _divider(points)
    if isinstance(model, Standardized):
        divider += " (of the inputs as the network has them)"
    return Finding("perceptron", values, {"mistakes": _in_words(values, divider)})


def _in_words(values: dict[str, Any], divider: str) -> str:
    said = f"{values['mistakes']:,} of {values['samples']:,} samples are on the wrong side"
    if "separable" not in values:
        return said  # too near to tell
    if not values["separable"]:
        return (
            f"{said}; no {divider} parts the two classes (points of one, mixed in the right shares, meet a mixture of "
            "the other's). Wherever it is, some sample is a mistake: the rule never comes to rest"
        )
    made = f"; made {values['mistakes_made']:,} on the way" if "mistakes_made" in values else ""
    return (
        f"{said}{made}\na {divider} parts the classes with margin {values['margin']:.3g}, and no sample is farther out "
        f"than {values['radius']:.3g}: from zero weights at most (radius / margin)^2 = "
        f"{values['novikoff_bound']:,.0f} mistakes (Novikoff, 1962)"
    )


def _made(setup: Setup, points: Array, weights: Array, order: Order, updates: int) -> int | None:
    """How many mistakes led to these weights; None where the descent is another rule, or was another one meanwhile.

    The rule is walked again, in the run's precision: where it does not end on the run's own weights (a sample that lies
    on the line itself may fall to either side by a rounding, and a run that went on may have changed its rate), the
    number is not the run's.
    """
    if not _is_the_rule(setup):
        return None
    rate = setup.descent.learning_rate
    walked = mistakes_made(points.astype(weights.dtype), order, updates, rate)
    if walked is None:
        return None
    made, end = walked
    # The bias moves by the rate at each mistake, the others by no more than the largest input.
    allowed = 0.1 * rate * np.minimum(1.0, np.abs(points).max(0))
    return made if bool((np.abs(end - weights) <= allowed).all()) else None


def _divider(points: Array) -> str:
    return {2: "point", 3: "line", 4: "plane"}.get(points.shape[1], "hyperplane")


def _mistaken(points: Array, weights: Array) -> int:
    """How many of the points the neuron has on its wrong side, or nowhere; on the line itself those with t = 1 are."""
    z = points @ weights
    return int((~((z > 0) | ((z == 0) & (points[:, -1] < 0)))).sum())


def _is_the_rule(setup: Setup) -> bool:
    """Whether the descent is Rosenblatt's rule, whose number of mistakes does not depend on the rate."""
    descent, optimizer = setup.descent, setup.descent.optimizer
    plain = optimizer.kind == "sgd" and optimizer.momentum == 0
    return (
        plain
        and descent.variant == "stochastic"
        and setup.model.kind == "mlp"
        and setup.model.initialization.kind == "zeros"
        and descent.schedule.kind == "constant"
        and descent.weight_decay == 0
        and descent.clip_norm is None
    )
