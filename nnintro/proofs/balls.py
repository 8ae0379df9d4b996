"""Formulas over balls: rigorous enclosures of values and slopes (Johansson's Arb, by python-flint).

A ball is an interval that provably holds a number, rounding included.  A jet is the enclosure of a
function's values over a box together with those of its partial derivatives: where a slope's ball
keeps away from 0 the function is monotone there.  Where a function bends (abs, min, max) the slope
is an enclosure of both sides'; where it jumps (step, sign, floor) there is none, which is nan.

The formula's constants are the float64 numbers they were read as.  Where a part of a box has no
value (a root of something negative), the enclosure is that of the rest.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from flint import arb, ctx

from nnintro.formula.tree import Algebra, Formula, evaluate

Ball = Any
"""flint's arb."""
PRECISION = 96
"""Bits of a ball's centre: so many more than float64 has that its own rounding never counts."""
ZERO, ONE = arb(0), arb(1)
NONE = arb.nan()
EITHER_SIGN = arb(0, 1)


@contextlib.contextmanager
def precision(bits: int = PRECISION) -> Iterator[None]:
    """Compute with so many bits meanwhile."""
    before, ctx.prec = ctx.prec, bits
    try:
        yield
    finally:
        ctx.prec = before


def interval(low: float, high: float) -> Ball:
    """The ball around [low, high], both float64 numbers."""
    return arb(low).union(arb(high)) if low != high else arb(low)


@dataclass(slots=True)
class Jet:
    """Values over a box and the partial derivatives there."""

    value: Ball
    slopes: Sequence[Ball]


def value_over(formula: Formula, box: Sequence[Ball]) -> Ball:
    """An enclosure of the formula over a box, (inputs,) balls; not finite where it has none."""
    return evaluate(formula, BALLS, box)


def jet_over(formula: Formula, box: Sequence[Ball]) -> Jet:
    """Enclosures of the formula and its partial derivatives over a box, (inputs,) balls."""
    count = len(box)
    units = [[ONE if i == k else ZERO for i in range(count)] for k in range(count)]
    return evaluate(formula, jets(count), [Jet(*pair) for pair in zip(box, units, strict=True)])


# --- values --------------------------------------------------------------------------------------


def _sqrt(z: Ball) -> Ball:
    return NONE if z < 0 else z.nonnegative_part().sqrt()


def _log(z: Ball) -> Ball:
    return NONE if z <= 0 else z.log()


def _power(base: Ball, exponent: Ball) -> Ball:
    if exponent.is_integer():
        return _whole_power(base, exponent)
    if base < 0:
        return NONE
    if exponent.is_exact() and exponent > 0:  # increasing, from 0 on
        low = base.lower()
        return (low**exponent if low > 0 else ZERO).union(base.upper() ** exponent)
    return (exponent * _log(base)).exp()


def _whole_power(base: Ball, exponent: Ball) -> Ball:
    """By the ends of the base, between which an odd power rises and an even one turns at 0."""
    if exponent < 0:
        return 1 / _whole_power(base, -exponent)
    if exponent <= 1 or not base.is_finite():
        return ONE if exponent.is_zero() else base
    ends = [ZERO if end.is_zero() else end**exponent for end in (base.lower(), base.upper())]
    result = ends[0].union(ends[1])
    return result.union(ZERO) if base.contains(ZERO) else result


def _sign(z: Ball) -> Ball:
    if z > 0:
        return ONE
    if z < 0:
        return -ONE
    return z if z.is_zero() or not z.is_finite() else EITHER_SIGN


def _step(z: Ball) -> Ball:
    if z > 0:
        return ONE
    if z <= 0:
        return ZERO
    return ZERO.union(ONE) if z.is_finite() else z


VALUES: dict[str, Callable[..., Ball]] = {
    "add": lambda *terms: reduce(operator.add, terms),
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": _power,
    "negative": operator.neg,
    **{name: getattr(arb, name) for name in ("sin", "cos", "tan", "exp", "tanh", "floor")},
    "log": _log,
    "sqrt": _sqrt,
    "abs": abs,
    "min": lambda *values: reduce(arb.min, values),
    "max": lambda *values: reduce(arb.max, values),
    "sign": _sign,
    "step": _step,
}

BALLS: Algebra[Ball] = Algebra(number=arb, operations=VALUES)


# --- slopes --------------------------------------------------------------------------------------


def _chained(name: str, slope: Callable[[Ball, Ball], Ball]) -> Callable[[Jet], Jet]:
    """A function of one argument; ``slope``: (argument, value) -> derivative."""
    function = VALUES[name]

    def chained(z: Jet) -> Jet:
        value = function(z.value)
        factor = slope(z.value, value)
        return Jet(value, [ZERO if d.is_zero() else factor * d for d in z.slopes])

    return chained


def _jumping(name: str) -> Callable[[Jet], Jet]:
    """A function that is constant between its jumps."""
    function = VALUES[name]

    def jumping(z: Jet) -> Jet:
        value = function(z.value)
        flat = value.is_exact() or all(d.is_zero() for d in z.slopes)
        return Jet(value, [ZERO if flat else NONE] * len(z.slopes))

    return jumping


def _sum(*terms: Jet) -> Jet:
    add = VALUES["add"]
    return Jet(add(*(t.value for t in terms)), [*map(add, *(t.slopes for t in terms))])


def _product(a: Jet, b: Jet) -> Jet:
    slopes = [a.value * db + b.value * da for da, db in zip(a.slopes, b.slopes, strict=True)]
    return Jet(a.value * b.value, slopes)


def _quotient(a: Jet, b: Jet) -> Jet:
    value = a.value / b.value
    pairs = zip(a.slopes, b.slopes, strict=True)
    return Jet(value, [(da - value * db) / b.value for da, db in pairs])


def _raised(base: Jet, exponent: Jet) -> Jet:
    """d(b^e) = e b^(e-1) db + b^e log b de."""
    b, e = base.value, exponent.value
    value = _power(b, e)
    by_base = ZERO if e.is_zero() else e * _power(b, e - 1)
    slopes = []
    for db, de in zip(base.slopes, exponent.slopes, strict=True):
        slope = ZERO if db.is_zero() else by_base * db
        slopes.append(slope if de.is_zero() else slope + value * _log(b) * de)
    return Jet(value, slopes)


def _bend(z: Ball, _: Ball) -> Ball:
    return _sign(z) if z > 0 or z < 0 else EITHER_SIGN


def _chosen(name: str, first_wins: Callable[[Ball, Ball], bool]) -> Callable[..., Jet]:
    function = VALUES[name]

    def of_two(a: Jet, b: Jet) -> Jet:
        if first_wins(a.value, b.value):
            return a
        if first_wins(b.value, a.value):
            return b
        pairs = zip(a.slopes, b.slopes, strict=True)
        return Jet(function(a.value, b.value), [da.union(db) for da, db in pairs])

    return lambda *values: reduce(of_two, values)


SLOPES: dict[str, Callable[..., Jet]] = {
    "add": _sum,
    "multiply": _product,
    "divide": _quotient,
    "power": _raised,
    "negative": lambda z: Jet(-z.value, [-d for d in z.slopes]),
    "sin": _chained("sin", lambda z, _: z.cos()),
    "cos": _chained("cos", lambda z, _: -z.sin()),
    "tan": _chained("tan", lambda _, t: 1 + t * t),
    "exp": _chained("exp", lambda _, e: e),
    "log": _chained("log", lambda z, _: 1 / z),
    "sqrt": _chained("sqrt", lambda _, r: 1 / (2 * r)),
    "abs": _chained("abs", _bend),
    "tanh": _chained("tanh", lambda _, t: 1 - t * t),
    "min": _chosen("min", lambda a, b: bool(a < b)),
    "max": _chosen("max", lambda a, b: bool(a > b)),
    **{name: _jumping(name) for name in ("sign", "step", "floor")},
}


def jets(inputs: int) -> Algebra[Jet]:
    """The algebra of jets in so many variables."""
    return Algebra(number=lambda value: Jet(arb(value), [ZERO] * inputs), operations=SLOPES)
