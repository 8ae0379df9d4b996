"""Rosenblatt's perceptron: whether a line parts the classes, and how many mistakes the rule can make.

Everything is in the space of x~ = (x, 1), where the bias is one weight more, and of signs t = -1 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.config.experiment import Setup
from nnintro.datasets import Data, Splits
from nnintro.datasets.samples import prepared
from nnintro.descent.streams import Order
from nnintro.models import Mlp, Standardized
from nnintro.training.words import Finding

MOST_NUMBERS = 20_000_000
"""Of samples times inputs: more take too long beside a training."""
MOST_MISTAKES = 200_000
"""Mistakes that are counted on the way; beyond, nobody waits for their number."""
WINDOW = 256
"""Samples that are looked at together for the next mistake."""
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Separation:
    """How well a hyperplane through the origin parts signed points t x~."""

    margin: float
    """The largest distance that all points can keep from it on their side; 0 where none parts them."""
    radius: float
    """The length of the longest point."""

    @property
    def bound(self) -> float:
        """(radius / margin)^2, the most mistakes that the rule can make from zero weights (Novikoff, 1962)."""
        return (self.radius / self.margin) ** 2 if self.margin > 0 else float("inf")


def separation(points: Array) -> Separation:
    """Of signed points (n, inputs + 1), each t x~.

    The shortest w with points @ w >= 1 has the length 1 / margin.  It is the residual of a least-squares problem with
    weights that are not negative (Lawson and Hanson, Solving Least Squares Problems, 1974, section 23.4: LDP).  Where
    that residual vanishes there is no such w: then weights that are not negative balance the points around the
    origin, which is a proof (Gordan, 1873).
    """
    from scipy.optimize import nnls

    radius = float(np.linalg.norm(points, axis=1).max())
    scaled = points / radius
    system = np.vstack([scaled.T, np.ones(len(points))])
    wanted = np.zeros(len(system))
    wanted[-1] = 1.0
    weights, _ = nnls(system, wanted, maxiter=max(10 * len(points), 100))
    residual = system @ weights - wanted
    # Its sign needs no tolerance: where no hyperplane parts the points, none has all of them on one side.
    direction, length = residual[:-1], np.linalg.norm(residual[:-1])
    margin = float((scaled @ direction).min() / length) if length > 0 else 0.0
    return Separation(max(margin, 0.0) * radius, radius)


def mistakes_made(points: Array, order: Order, updates: int) -> int | None:
    """How many of the first updates of the rule, one sample each from zero weights, meet a mistake.

    Walked again in float64, many samples at a time up to the next mistake; None where there are too many.

    Args:
        points: signed points (n, inputs + 1), the last column t.
        order: epoch -> the numbers of its samples; None for the data's own.
    """
    n, weights, mistakes = len(points), np.zeros(points.shape[1]), 0
    on = points[:, -1] > 0
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
            weights += points[window[bad[0]]]
            at, mistakes = at + int(bad[0]) + 1, mistakes + 1
            if mistakes > MOST_MISTAKES:
                return None
        if mistakes == before and len(np.unique(numbers)) == n:
            return mistakes  # all samples, and no mistake: there will be none
    return mistakes


def perceptron(model: nn.Module, setup: Setup, splits: Splits[Any], order: Order, updates: int) -> Finding | None:
    """Of a neuron under the perceptron's loss: its mistakes, Novikoff's bound, or why it never comes to rest."""
    network = model.network if isinstance(model, Standardized) else model
    if not setup.scores or not isinstance(network, Mlp) or len(network.affine) != 1:
        return None
    data = prepared(splits.train, model)
    if not isinstance(data, Data) or data.inputs.numel() > MOST_NUMBERS:
        return None
    points = _signed(data.inputs, data.targets)
    found, wrong = separation(points), _mistaken(network, points)
    values: dict[str, Any] = {"separable": found.margin > 0, "mistakes": wrong, "samples": len(points)}
    if found.margin == 0:
        fact = (
            f"{wrong:,} of {len(points):,} samples are on the wrong side; no {_divider(points)} parts the two "
            "classes (points of one, mixed in the right shares, meet a mixture of the other's). Wherever it is, some "
            "sample is a mistake: the rule never comes to rest"
        )
        return Finding("perceptron", values, {"mistakes": fact})
    values |= {"margin": found.margin, "radius": found.radius, "novikoff_bound": found.bound}
    fact = f"{wrong:,} of {len(points):,} samples are on the wrong side"
    made = mistakes_made(points, order, updates) if _is_the_rule(setup) else None
    if made is not None:
        values["mistakes_made"] = made
        fact += f"; made {made:,} on the way"
    fact += (
        f"\na {_divider(points)} parts the classes with margin {found.margin:.3g}, and no sample is farther out "
        f"than {found.radius:.3g}: from zero weights at most (radius / margin)^2 = {found.bound:,.0f} mistakes "
        "(Novikoff, 1962)"
    )
    return Finding("perceptron", values, {"mistakes": fact})


def _divider(points: Array) -> str:
    return {2: "point", 3: "line", 4: "plane"}.get(points.shape[1], "hyperplane")


def _signed(inputs: Tensor, targets: Tensor) -> Array:
    """(n, inputs) and 0 or 1 (n, 1) -> (n, inputs + 1), t x~."""
    signs = torch.where(targets > 0.5, 1.0, -1.0).double()
    return (signs * torch.cat([inputs.double(), torch.ones(len(inputs), 1, dtype=torch.float64)], dim=1)).numpy()


def _mistaken(network: Mlp, points: Array) -> int:
    """How many of the points the neuron has on its wrong side; on the line itself those with t = 1 are."""
    (layer,) = network.affine
    weights = torch.cat([layer.weight.detach()[0], layer.bias.detach()]).double().cpu().numpy()
    z = points @ weights
    return int(((z < 0) | ((z == 0) & (points[:, -1] > 0))).sum())


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
