"""Enclosures hold every value and slope that float64 finds, and narrow ones are narrow."""

from __future__ import annotations

import ast
import math
import random

import pytest
from flint import arb

from nnintro.formula import FUNCTIONS, evaluate_float, parse
from nnintro.proofs.balls import interval, jet_over, precision, value_over
from nnintro.proofs.series import UndecidedError, enclosure, slope_of
from tests.proofs.formulas import HARD, generated

EACH = {
    **{f"{name}(x)": name for name in FUNCTIONS if name not in ("min", "max")},
    **{f"min(x, {c}, 1 - x)": "min" for c in (0.2, 3)},
    **{f"max(x, {c}, 1 - x)": "max" for c in (0.2, 3)},
    **{f"x**{n}": "power" for n in (0, 1, 2, 3, 4, 0.5, 1.5, -1, -2, -0.5)},
    "2**x": "power", "x**x": "power", "1/x": "divide", "x*x - x": "add",
}  # fmt: skip
WIDTHS = (0.0, 1e-9, 1e-3, 0.1, 1.0)


def boxes(source, low, high):
    for width in WIDTHS:
        for _ in range(6):
            a = source.uniform(low, max(low, high - width))
            yield a, min(a + width, high)
    yield low, high


def close(ball, value, slack):
    """Whether the value is in the ball, but for its own float64 rounding."""
    return ball.overlaps(arb(value, slack))


def inside(source, a, b):
    return [a, b, *(source.uniform(a, b) for _ in range(8))]


@pytest.fixture(autouse=True)
def bits():
    with precision():
        yield


CASES = [*((text, -2.0, 3.0) for text in EACH), *((text, *ends) for text, ends in HARD.items()),
         *((generated(number), 0.0, 1.0) for number in range(60))]  # fmt: skip


@pytest.mark.parametrize(("text", "low", "high"), CASES)
def test_values(text, low, high):
    formula, tree = parse(text, 1), ast.parse(text, mode="eval").body
    source, seen = random.Random(text), 0
    for a, b in boxes(source, low, high):
        ball = value_over(formula, [interval(a, b)])
        if not ball.is_finite():
            continue
        try:
            other = enclosure(tree, [interval(a, b)])
        except UndecidedError:
            other = ball
        for x in inside(source, a, b):
            value = evaluate_float(formula, [x])
            if math.isfinite(value) and not _at_a_jump(formula, x, value):
                seen += 1
                slack = 1e-12 * (1 + abs(value))
                assert close(ball, value, slack), (a, b, x)
                assert close(other, value, slack), (a, b, x)
    assert seen > 20


def _at_a_jump(formula, x, value):
    """float64 may be on the other side of a jump than exact arithmetic is."""
    around = [evaluate_float(formula, [y]) for y in (x - 1e-12, x + 1e-12)]
    return any(abs(near - value) > 1e-4 for near in around if math.isfinite(near))


@pytest.mark.parametrize(("text", "low", "high"), CASES)
def test_slopes(text, low, high):
    """Any two points of a box: the quotient of differences is a value that the slope takes."""
    formula, tree = parse(text, 1), ast.parse(text, mode="eval").body
    source, seen = random.Random(text), 0
    for a, b in boxes(source, low, high):
        if not a < b:
            continue
        found = [jet_over(formula, [interval(a, b)]).slopes[0]]
        found.append(slope_of(tree, [interval(a, b)], 0))
        x, y = sorted(source.uniform(a, b) for _ in range(2))
        if y - x < 1e-7:
            continue
        rise = evaluate_float(formula, [y]) - evaluate_float(formula, [x])
        quotient, slack = rise / (y - x), 1e-14 * (1 + abs(rise)) / (y - x) + 1e-9
        for slope in found:
            if slope is not None and slope.is_finite():
                seen += 1
                assert close(slope, quotient, slack + 1e-9 * abs(quotient)), (a, b, x, y)
    assert seen >= 8


def test_narrow_boxes_are_enclosed_tightly():
    """An enclosure that is always right may still be useless."""
    bends = ("abs", "max", "min", "step")
    smooth = [text for text in map(generated, range(60)) if not any(b in text for b in bends)]
    assert len(smooth) > 15
    for formula in (parse(text, 1) for text in smooth):
        for a in (0.1, 0.37, 0.81):
            jet = jet_over(formula, [interval(a, a + 1e-6)])
            value = evaluate_float(formula, [a])
            assert abs(jet.value - value) < 1e-3
            assert jet.slopes[0].rad() < 1e-2 * (1 + abs(jet.slopes[0].mid()))


@pytest.mark.parametrize("text", ["log(x)", "sqrt(x - 5)", "1/x", "x**-0.5", "tan(1.5707963267948966*x)"])
def test_what_has_no_value_has_no_enclosure(text):
    formula = parse(text, 1)
    box = [interval(-1.0, 1.0)]
    assert not value_over(formula, box).is_finite()
    with pytest.raises(UndecidedError):
        enclosure(ast.parse(text, mode="eval").body, box)


def test_partial_derivatives():
    formula = parse("x1**2*sin(x2) + abs(x1 - x2)", 2)
    x1, x2 = 0.7, 0.2
    jet = jet_over(formula, [interval(x1, x1 + 1e-9), interval(x2, x2 + 1e-9)])
    assert close(jet.slopes[0], 2 * x1 * math.sin(x2) + 1, 1e-6)
    assert close(jet.slopes[1], x1**2 * math.cos(x2) - 1, 1e-6)
    assert jet.slopes[0].rad() < 1e-6


def test_precision_is_put_back():
    from flint import ctx

    before = ctx.prec
    with precision(30):
        assert ctx.prec == 30
    assert ctx.prec == before
