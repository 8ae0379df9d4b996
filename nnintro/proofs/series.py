"""A formula's values and slopes over boxes from Python's syntax tree and flint's power series.

Used by ``check`` only, and written without a look at ``proofs.balls``: two programs seldom have
the same mistake.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Sequence
from typing import Any

from flint import arb, arb_series

from nnintro.proofs.balls import Ball


class UndecidedError(Exception):
    """The box is too large to say: it has to be cut."""


def _require(is_decided: bool) -> None:
    if not is_decided:
        raise UndecidedError


def enclosure(tree: ast.expr, box: Sequence[Ball]) -> Ball:
    """A ball around all values of a formula over a box.

    Raises:
        UndecidedError: there is no finite one.
    """
    value = _walk(tree, box, _Numbers)
    _require(value.is_finite())
    return value


def slope_of(tree: ast.expr, box: Sequence[Ball], index: int) -> Ball | None:
    """A ball around the partial derivative by one input over a box; None where it is not known."""
    series = [arb_series([ball, int(k == index)], 2) for k, ball in enumerate(box)]
    try:
        result = _walk(tree, series, _Series)
    except (UndecidedError, ValueError, ZeroDivisionError):
        return None
    slope = result[1] if isinstance(result, arb_series) else arb(0)
    return slope if slope.is_finite() else None


def _walk(node: ast.expr, variables: Sequence[Any], over: Any) -> Any:
    match node:
        case ast.Constant(value=number):
            return over.number(float(number))  # type: ignore[arg-type]
        case ast.Name(id=name):
            if name in ("pi", "e"):
                return over.number(getattr(math, name))
            return variables[int(name[1:] or 1) - 1]
        case ast.UnaryOp(op=sign, operand=operand):
            value = _walk(operand, variables, over)
            return -value if isinstance(sign, ast.USub) else value
        case ast.BinOp(left=left, op=operator, right=right):
            a, b = _walk(left, variables, over), _walk(right, variables, over)
            return _binary(operator, a, b, over)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return getattr(over, f"{name}_")(*(_walk(x, variables, over) for x in arguments))
    raise AssertionError(f"no part of a formula: {ast.dump(node)}")


def _binary(operator: ast.operator, a: Any, b: Any, over: Any) -> Any:  # noqa: PLR0911
    match operator:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            _require(not over.constant(b).contains(0))
            return a / b
    exponent = over.constant(b)
    if over.is_number(b) and exponent.is_integer() and abs(exponent) <= 64:
        n = int(exponent.unique_fmpz())
        power = over.number(1.0)
        for _ in range(abs(n)):
            power = power * a
        _require(n >= 0 or not over.constant(a).contains(0))
        return 1 / power if n < 0 else power
    if not over.constant(a) > 0:
        return over.power_from_zero(a, b)
    return over.exp_(b * over.log_(a))


class _Numbers:
    """The meaning of names for balls."""

    number = staticmethod(arb)
    exp_, sin_, cos_, tan_, tanh_ = arb.exp, arb.sin, arb.cos, arb.tan, arb.tanh
    abs_, floor_ = abs, arb.floor

    @staticmethod
    def constant(value: Ball) -> Ball:
        return value

    @staticmethod
    def is_number(value: Ball) -> bool:
        return bool(value.is_exact())

    @staticmethod
    def log_(z: Ball) -> Ball:
        _require(z > 0)
        return z.log()

    @staticmethod
    def sqrt_(z: Ball) -> Ball:
        _require(not z < 0)
        low, high = max(z.lower(), arb(0)), z.upper()
        return low.sqrt().union(high.sqrt())

    @staticmethod
    def power_from_zero(base: Ball, exponent: Ball) -> Ball:
        _require(not base < 0 and exponent.is_exact() and exponent > 0)
        high = base.upper()
        top = (exponent * high.log()).exp() if high > 0 else arb(0)
        low = base.lower()
        return ((exponent * low.log()).exp() if low > 0 else arb(0)).union(top)

    @staticmethod
    def sign_(z: Ball) -> Ball:
        if z > 0 or z < 0:
            return arb(1) if z > 0 else arb(-1)
        return arb(0) if z.is_zero() else arb(-1).union(arb(1))

    @staticmethod
    def step_(z: Ball) -> Ball:
        if z > 0 or z <= 0:
            return arb(1) if z > 0 else arb(0)
        return arb(0).union(arb(1))

    @staticmethod
    def min_(*values: Ball) -> Ball:
        return functools.reduce(arb.min, values)

    @staticmethod
    def max_(*values: Ball) -> Ball:
        return -_Numbers.min_(*(-value for value in values))


class _Series:
    """The meaning of names for power series of length 2, where it is clear which side of a bend."""

    sin_, cos_, tan_, exp_ = arb_series.sin, arb_series.cos, arb_series.tan, arb_series.exp

    @staticmethod
    def number(value: float) -> arb_series:
        return arb_series([arb(value)], 2)

    @staticmethod
    def constant(value: arb_series) -> Ball:
        return value[0]

    @staticmethod
    def is_number(value: arb_series) -> bool:
        return bool(value[0].is_exact() and value[1].is_zero())

    @staticmethod
    def power_from_zero(_: arb_series, __: arb_series) -> arb_series:
        raise UndecidedError

    @staticmethod
    def tanh_(z: arb_series) -> arb_series:
        return 1 - 2 / ((2 * z).exp() + 1)

    @staticmethod
    def log_(z: arb_series) -> arb_series:
        _require(z[0] > 0)
        return z.log()

    @staticmethod
    def sqrt_(z: arb_series) -> arb_series:
        _require(z[0] > 0)
        return z.sqrt()

    @staticmethod
    def abs_(z: arb_series) -> arb_series:
        _require(z[0] > 0 or z[0] < 0)
        return z if z[0] > 0 else -z

    @staticmethod
    def sign_(z: arb_series) -> arb_series:
        _require(z[0] > 0 or z[0] < 0)
        return _Series.number(1.0 if z[0] > 0 else -1.0)

    @staticmethod
    def step_(z: arb_series) -> arb_series:
        _require(z[0] > 0 or z[0] <= 0)
        return _Series.number(1.0 if z[0] > 0 else 0.0)

    @staticmethod
    def floor_(z: arb_series) -> arb_series:
        whole = z[0].floor()
        _require(whole.is_exact())
        return arb_series([whole], 2)

    @staticmethod
    def min_(*values: arb_series) -> arb_series:
        for value in values:
            if all(value is other or value[0] < other[0] for other in values):
                return value
        raise UndecidedError

    @staticmethod
    def max_(*values: arb_series) -> arb_series:
        return -_Series.min_(*(-value for value in values))
