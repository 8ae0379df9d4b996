"""Prove a bound of a trained network's largest error: sup |N(x) - f(x)| over a domain.

N is the network with its parameters taken exactly as they are, in exact arithmetic; f is the
formula with its constants as the float64 numbers they were read as; x is any real point of the
domain at which the formula has a value.  What the network's own arithmetic adds is bounded apart.

The search is branch and bound: the box whose bound is the largest is halved next, until the largest
bound left is near enough to the largest value found at a point (Hansen and Walster, Global Optimization Using Interval
Analysis, 2004). Whenever it stops, the largest bound left is one for all of the domain.
"""

from __future__ import annotations

import heapq
import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from torch import nn

from nnintro.errors import ConfigError
from nnintro.formula.tree import Formula
from nnintro.models import precision_of
from nnintro.proofs.balls import interval, precision, value_over
from nnintro.proofs.difference import Difference, Enclosure, Point, below
from nnintro.proofs.enclosure import layers_of
from nnintro.proofs.rounding import rounding_of
from nnintro.proofs.target import Side, between, unbounded

Sides = tuple[Side, ...]
Watch = Callable[[float, float], None]
"""(bound, lower) -> None; called after every box."""
LEAST = 1e-15
"""A bound below this part of the formula's size counts as 0."""
POINTS = 17
"""Along each input, where the formula's size is taken."""


@dataclass(frozen=True)
class Supremum:
    """What is proved: ``lower <= sup |N - f| <= bound``; as supremum.json has it.

    Attributes:
        bound: infinite where time ended before there was any.
        gap: bound / lower - 1.
        at: the point where |N - f| is not below ``lower``.
        rounding: no float output of the network is further from N (see ``rounding``).
        complete: whether ``bound <= (1 + tolerance) lower``, or both are next to 0.
        undecided: where not, though time was left: the box between neighbouring float64 numbers in
            which formula and network both jump, or the tolerance is too fine for these.
        boxes: how many it took.
    """

    bound: float
    lower: float
    gap: float
    at: tuple[float, ...]
    rounding: float
    complete: bool
    undecided: tuple[Side, ...]
    boxes: int
    seconds: float


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
        search.run(seconds, watch)
    return Supremum(
        bound=search.bound,
        lower=search.lower,
        gap=search.gap,
        at=search.at,
        rounding=rounding,
        complete=search.complete,
        undecided=search.undecided,
        boxes=search.boxes,
        seconds=time.perf_counter() - start,
    )


def _size(formula: Formula, domain: Sequence[Side]) -> float:
    """The largest absolute value at some points, for want of the largest."""
    axes = [[low + (high - low) * (k / (POINTS - 1)) for k in range(POINTS)] for low, high in domain]
    values = (value_over(formula, [interval(x, x) for x in point]) for point in itertools.product(*axes))
    return max((below(abs(value)) for value in values if value.is_finite()), default=0.0)


@dataclass
class Search:
    """A search as it stands.

    Attributes:
        negligible: what counts as 0; nothing below needs to be distinguished.
        lower: the largest value found, at ``at``.
        settled: a bound for the boxes that cannot be halved any more: their edges are neighbouring float64 numbers.
        boxes: how many were looked at.
    """

    difference: Difference
    domain: Sides
    tolerance: float
    negligible: float
    lower: float = 0.0
    at: Point = ()
    settled: float = 0.0
    settled_at: Sides = ()
    boxes: int = 0
    _heap: list[tuple[float, int, Sides, Enclosure]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for corner in itertools.product(*self.domain):
            self._meet(corner, below(abs(self.difference.at(corner))))
        self._push(self.domain, math.inf)

    @property
    def open(self) -> float:
        """The largest bound of a box that can be halved; 0 where there is none."""
        return -self._heap[0][0] if self._heap else 0.0

    @property
    def bound(self) -> float:
        """Proved for the whole domain."""
        return max(self.open, self.settled)

    @property
    def gap(self) -> float:
        if self.lower > 0:
            return self.bound / self.lower - 1
        return 0.0 if self.bound == 0 else math.inf

    @property
    def wanted(self) -> float:
        """The bound that is near enough."""
        largest = sys.float_info.max  # an infinite bound is no bound
        return min(max(self.lower * (1 + self.tolerance), self.negligible), largest)

    @property
    def complete(self) -> bool:
        return self.bound <= self.wanted

    @property
    def undecided(self) -> Sides:
        """The box that stands in the way though it cannot be halved; () where there is none."""
        return () if self.complete or self.settled < self.open else self.settled_at

    def run(self, seconds: float, watch: Watch | None = None) -> None:
        """Halve boxes until the bound is near enough, or nothing is left, or time is up.

        Raises:
            ConfigError: the formula has no finite value somewhere, or none that is bounded.
        """
        end = time.perf_counter() + seconds
        while self.open > max(self.wanted, self.settled) and time.perf_counter() < end:
            self._halve()
            if watch is not None:
                watch(self.bound, self.lower)

    def _halve(self) -> None:
        bound, _, sides, found = heapq.heappop(self._heap)
        index = _side_to_halve(sides, self.domain, found)
        if index is None:
            if math.isinf(bound):
                raise self._unbounded(_shortest(sides))
            self.settled, self.settled_at = max((self.settled, self.settled_at), (-bound, sides))
            return
        low, high = sides[index]
        middle = between(low, high)
        for side in ((low, middle), (middle, high)):
            self._push((*sides[:index], side, *sides[index + 1 :]), -bound)

    def _unbounded(self, point: Point) -> ConfigError:
        """What is to blame at a point: a basis function of the network, or the formula."""
        formula, box = self.difference.formula, [interval(x, x) for x in point]
        if not value_over(formula, box).is_finite():
            return unbounded(formula, point)
        for index, function in enumerate(self.difference.network.basis):
            if not value_over(function, box).is_finite():
                return unbounded(function, point, f"dataset.basis.{index}")
        return unbounded(formula, point)

    def _push(self, sides: Sides, bound: float) -> None:
        found = self.difference.over(sides)
        self.boxes += 1
        self._meet(found.centre, found.at_centre)
        # Where the formula has no value nothing is bounded, though the rest of the whole was.
        bound = found.upper if math.isinf(found.upper) else min(bound, found.upper)
        # Of boxes without a bound the latest, which is the smallest, comes first: a pole is met
        # before all of its surroundings are.
        heapq.heappush(self._heap, (-bound, -self.boxes, sides, found))

    def _meet(self, point: Point, value: float) -> None:
        if value > self.lower or not self.at:
            self.lower, self.at = value, point


def _side_to_halve(sides: Sides, domain: Sides, found: Enclosure) -> int | None:
    """The input that the function changes most with; the longest side where it jumps.

    None where no side has a float64 number inside.
    """
    wide = [k for k, (low, high) in enumerate(sides) if math.nextafter(low, high) < high]
    if not wide:
        return None

    def length(k: int) -> float:
        (low, high), (start, stop) = sides[k], domain[k]
        return (high - low) / (stop - start)

    return max(wide, key=lambda k: (found.changes[k], length(k)))


def _shortest(sides: Sides) -> Point:
    """Of a box's corners the one that is written shortest."""
    corners: Iterator[Point] = itertools.product(*sides)
    return min(corners, key=lambda point: len(repr(point)))
