"""How far a trained network is from a formula: a proved bound of sup |N(x) - f(x)| over a domain.

N is the network with its parameters taken exactly as they are, in exact arithmetic; f is the
formula with its constants as the float64 numbers they were read as; x is any real point of the
domain at which the formula has a value.  What the network's own arithmetic adds is bounded apart.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from nnintro.formula.tree import Formula
from nnintro.models import precision_of
from nnintro.proofs.balls import interval, precision, value_over
from nnintro.proofs.branch import Search, UnboundedError
from nnintro.proofs.difference import Difference, below
from nnintro.proofs.layers import layers_of
from nnintro.proofs.rounding import rounding_of
from nnintro.proofs.target import Side, unbounded

Watch = Callable[[float, float], None]
"""(bound, lower) -> None; called after every box."""


LEAST = 1e-15
"""A bound below this part of the formula's size counts as 0."""

POINTS = 17
"""Along each input, where the formula's size is taken."""


@dataclass(frozen=True)
class Supremum:
    """What is proved: ``lower <= sup |N - f| <= bound``.

    Attributes:
        bound: infinite where time ended before there was any.
        at: the point where |N - f| is not below ``lower``.
        rounding: no float output of the network is further from N (see ``rounding``).
        boxes: how many it took.
        complete: whether ``bound <= (1 + tolerance) lower``, or both are next to 0.
        undecided: where not, though time was left: the box between neighbouring float64 numbers in
            which formula and network both jump, or the tolerance is too fine for these.
    """

    bound: float
    lower: float
    at: tuple[float, ...]
    rounding: float
    boxes: int
    seconds: float
    complete: bool
    undecided: tuple[Side, ...] = ()

    @property
    def gap(self) -> float:
        """bound / lower - 1."""
        if self.lower > 0:
            return self.bound / self.lower - 1
        return 0.0 if self.bound == 0 else math.inf


def certify_network(
    model: nn.Module,
    formula: Formula,
    domain: Sequence[Side],
    *,
    tolerance: float = 0.05,
    seconds: float = 60.0,
    watch: Watch | None = None,
) -> Supremum:
    """Bound the error of a network of one output on a box.

    Args:
        model: an ``Mlp`` of one or two inputs, standardised or not.
        domain: (low, high) per input.
        tolerance: how much larger than the supremum the bound may be, relatively.
        seconds: after which the best bound so far has to do.

    Raises:
        ConfigError: the formula has no finite value somewhere on the domain, or is unbounded.
    """
    start = time.perf_counter()
    with precision():
        layers = layers_of(model)
        rounding = rounding_of(layers, domain, precision_of(model))
        negligible = LEAST * _size(formula, domain)
        search = Search(Difference(layers, formula), tuple(domain), tolerance, negligible)
        try:
            search.run(seconds, watch and (lambda now: watch(now.bound, now.lower)))
        except UnboundedError as error:
            raise unbounded(formula, error.args[0]) from None
    return Supremum(
        bound=search.bound,
        lower=search.lower,
        at=search.at,
        rounding=rounding,
        boxes=search.boxes,
        seconds=time.perf_counter() - start,
        complete=search.complete,
        undecided=search.undecided,
    )


def _size(formula: Formula, domain: Sequence[Side]) -> float:
    """The largest absolute value at some points, for want of the largest."""
    axes = [[low + (high - low) * (k / (POINTS - 1)) for k in range(POINTS)]
            for low, high in domain]  # fmt: skip
    points = itertools.product(*axes)
    values = (value_over(formula, [interval(x, x) for x in point]) for point in points)
    return max((below(abs(value)) for value in values if value.is_finite()), default=0.0)
