"""Formulas over plain floats: IEEE results equal to torch's, without exceptions.

Where Python raises, the answer is the limit or nan: 1/0 = inf, log(0) = -inf, sqrt(-1) = nan.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce

from nnintro.formula.tree import Algebra, Formula, evaluate


def evaluate_float(formula: Formula, point: Sequence[float]) -> float:
    """The value at one point, (inputs,) -> number; inf or nan where there is none.

    Raises:
        ValueError: the point has the wrong number of coordinates.
    """
    return evaluate(formula, FLOATS, [float(coordinate) for coordinate in point])


def first_non_finite(formula: Formula, points: Iterable[Sequence[float]]) -> Sequence[float] | None:
    """The first of the points at which the formula is inf or nan; None if there is none."""
    return next((point for point in points if not math.isfinite(evaluate_float(formula, point))), None)


def _add(*terms: float) -> float:
    return reduce(operator.add, terms)  # from left to right; sum() compensates from Python 3.12 on


def _divide(numerator: float, denominator: float) -> float:
    if denominator != 0:
        return numerator / denominator
    if numerator == 0 or math.isnan(numerator):
        return math.nan
    return math.copysign(math.inf, numerator) * math.copysign(1, denominator)


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)  # not **, which leaves the reals for (-8)**(1/3)
    except OverflowError:
        pass
    except ValueError:
        if base != 0:
            return math.nan
    # Too large, or zero to a negative power: infinite, with the sign of an odd power.
    odd = abs(math.fmod(exponent, 2)) == 1
    return math.copysign(math.inf, base) if odd else math.inf


def _exp(z: float) -> float:
    try:
        return math.exp(z)
    except OverflowError:
        return math.inf


def _log(z: float) -> float:
    if z == 0:
        return -math.inf
    return math.nan if z < 0 else math.log(z)


def _floor(z: float) -> float:
    return math.copysign(math.floor(z), z) if math.isfinite(z) else z


def _sign(z: float) -> float:
    return z if math.isnan(z) else float((z > 0) - (z < 0))


def _step(z: float) -> float:
    return z if math.isnan(z) else float(z > 0)


def _extreme(choose: Callable[..., float]) -> Callable[..., float]:
    def extreme(*values: float) -> float:
        if any(map(math.isnan, values)):
            return math.nan
        return choose(values) + 0.0  # of 0 and -0 always 0

    return extreme


def _or_nan(function: Callable[[float], float]) -> Callable[[float], float]:
    def total(z: float) -> float:
        try:
            return function(z)
        except ValueError:  # outside the domain
            return math.nan

    return total


FLOATS: Algebra[float] = Algebra(
    number=float,
    operations={
        "add": _add,
        "multiply": operator.mul,
        "divide": _divide,
        "power": _power,
        "negative": operator.neg,
        **{name: _or_nan(getattr(math, name)) for name in ("sin", "cos", "tan", "sqrt")},
        "exp": _exp,
        "log": _log,
        "abs": abs,
        "tanh": math.tanh,
        "min": _extreme(min),
        "max": _extreme(max),
        "sign": _sign,
        "step": _step,
        "floor": _floor,
    },
)
