"""Tree -> numbers: beside Python, numpy and torch, and the algebras beside each other."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from nnintro.formula import FUNCTIONS, LECTURE, evaluate_float, first_non_finite, parse, torch_function
from nnintro.formula.floats import FLOATS
from nnintro.formula.tensors import tensor_algebra
from nnintro.formula.tree import OPERATORS, evaluate
from tests.formula.formula_ranges import RANGES, Range
from tests.formula.formula_strategies import texts

inf, nan = math.inf, math.nan
SPECIAL = [-inf, -8.0, -2.5, -1.0, -0.5, -0.0, 0.0, 5e-324, 0.5, 1.0, 2.0, 3.0, 1e300, inf, nan]


def same(a: float, b: float) -> bool:
    """Equal, zeros with their sign; nan equals nan."""
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


def close(a: float, b: float) -> bool:
    """The same, but for the last places."""
    return same(a, b) or (a != 0 and math.isclose(a, b, rel_tol=1e-14, abs_tol=0))


def by_torch(text: str, *points: tuple[float, ...]) -> list[float]:
    function = torch_function(parse(text, len(points[0])))
    return function(torch.tensor(points, dtype=torch.float64))[:, 0].tolist()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/0", inf),
        ("-1/0", -inf),
        ("1/(-0)", -inf),
        ("0/0", nan),
        ("log(0)", -inf),
        ("log(-1)", nan),
        ("sqrt(-1)", nan),
        ("(-8)**(1/3)", nan),
        ("(-2)**3", -8.0),
        ("0**-1", inf),
        ("(-0)**-1", -inf),
        ("0**0", 1.0),
        ("10**400", inf),
        ("(-10)**401", -inf),
        ("9**9**9**9", inf),
        ("exp(1000)", inf),
        ("exp(-1000)", 0.0),
        ("1e200*1e200", inf),
        ("1e308 + 1e308 - 1e308", inf),
        ("sin(1/0)", nan),
        ("floor(1/0)", inf),
        ("floor(-0.5)", -1.0),
        ("1/floor(-0)", -inf),
        ("max(0/0, 1)", nan),
        ("min(1, 0/0)", nan),
        ("max(1, 3, 2)", 3.0),
        ("min(3, 1, 2)", 1.0),
        ("1/max(-0, 0)", inf),
        ("1/min(0, -0)", inf),
        ("sign(-3)", -1.0),
        ("sign(0)", 0.0),
        ("step(0)", 0.0),
        ("step(0.1)", 1.0),
        ("sign(log(-1))", nan),
        ("step(0/0)", nan),
        ("sign(1/0)", 1.0),
        ("step(-1/0)", 0.0),
        ("-2**2", -4.0),
        ("2**-1", 0.5),
        ("2**3**2", 512.0),
        ("1 - 2 - 3", -4.0),
        ("8/4/2", 1.0),
    ],
)
def test_values_at_the_edges(text, value):
    assert same(evaluate_float(parse(text, 1), [0.0]), value)
    assert all(same(got, value) for got in by_torch(text, *[(0.0,)] * 9))


NUMPY = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh")},
    **{"abs": np.abs, "floor": np.floor, "sign": np.sign},
    **{"step": lambda z: z if np.isnan(z) else np.heaviside(z, 0.0)},
}


@pytest.mark.parametrize("name", sorted(NUMPY))
def test_functions_beside_numpy(name):
    with np.errstate(all="ignore"):
        wanted = [float(NUMPY[name](np.float64(z))) for z in SPECIAL]
    ours = [evaluate_float(parse(f"{name}(x)", 1), [z]) for z in SPECIAL]
    theirs = by_torch(f"{name}(x)", *[(z,) for z in SPECIAL])
    np.testing.assert_allclose(ours, wanted, rtol=1e-14, atol=0)
    np.testing.assert_allclose(theirs, wanted, rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("text", "reference"),
    [("x1/x2", np.divide), ("x1**x2", np.power), ("x1*x2", np.multiply), ("x1 - x2", np.subtract)],
)
def test_operators_beside_numpy(text, reference):
    pairs = list(itertools.product(SPECIAL, SPECIAL))
    formula = parse(text, 2)
    with np.errstate(all="ignore"):
        wanted = reference(*np.array(pairs).T).tolist()
    for pair, value, theirs in zip(pairs, wanted, by_torch(text, *pairs), strict=True):
        assert close(evaluate_float(formula, pair), value), pair
        assert close(theirs, value), pair


@pytest.mark.parametrize("exponent", ["0.5", "2", "3", "-1", "-2", "-0.5", "0", "1", "1/3"])
def test_constant_exponents_take_no_shortcut(exponent):
    formula = parse(f"x**({exponent})", 1)
    theirs = by_torch(formula.text, *[(x,) for x in SPECIAL])
    for x, value in zip(SPECIAL, theirs, strict=True):
        assert close(value, evaluate_float(formula, [x])), x


PYTHON: dict[str, Any] = {
    **{name: getattr(math, name) for name in FUNCTIONS if hasattr(math, name)},
    **{"pi": math.pi, "e": math.e, "abs": abs, "min": min, "max": max},
    **{"floor": lambda z: float(math.floor(z)), "step": lambda z: z if math.isnan(z) else float(z > 0)},
    **{"sign": lambda z: z if math.isnan(z) else float((z > 0) - (z < 0)), "__builtins__": {}},
}


@settings(deadline=None)
@given(texts(inputs=2), st.floats(-3, 3), st.floats(-3, 3))
def test_formulas_beside_python(text: str, x1: float, x2: float):
    """Where Python's own answer is a finite real number, it is ours, to the last bit."""
    try:
        wanted = eval(f"({text})", PYTHON, {"x1": x1, "x2": x2})
    except (ArithmeticError, ValueError, TypeError):  # TypeError: an order of complex numbers
        wanted = nan
    assume(isinstance(wanted, float) and math.isfinite(wanted))
    assert evaluate_float(parse(text, 2), (x1, x2)) == wanted


COORDINATES = st.sampled_from(SPECIAL) | st.floats(-20, 20) | st.floats()


@settings(deadline=None)
@given(texts(inputs=2), COORDINATES, COORDINATES)
@example("x1**0.5", -inf, 0.0)
@example("1/max(x1, x2)", -0.0, 0.0)
@example("sin(1e22*x1)", 1.0, 0.0)
def test_the_two_algebras_agree(text: str, x1: float, x2: float):
    """Wherever rounding in the last places can be followed through the formula."""
    formula = parse(text, 2)
    value = evaluate_float(formula, (x1, x2))
    allowed = evaluate(formula, RANGES, (Range.exact(x1), Range.exact(x2)))
    event("rounding decides" if allowed is None else "compared")
    for got in by_torch(text, *[(x1, x2)] * 5):  # one alone and four at once are different code
        if allowed is not None:
            assert allowed.holds(value)
            assert allowed.holds(got), f"{value} and {got}"


def test_agreement_is_compared_and_seldom_given_up():
    """The ranges give up only where they must: all of the lecture's points are compared."""
    formula = parse("lecture", 1)
    points = [(i / 100,) for i in range(101)]
    for point, got in zip(points, by_torch(LECTURE, *points), strict=True):
        allowed = evaluate(formula, RANGES, [Range.exact(point[0])])
        assert allowed is not None
        assert allowed.holds(got)
        assert got == pytest.approx(evaluate_float(formula, point), rel=1e-12)


@pytest.mark.parametrize("algebra", [FLOATS, tensor_algebra(torch.zeros(1)), RANGES])
def test_every_algebra_knows_every_word(algebra):
    assert set(algebra.operations) == {*OPERATORS, *FUNCTIONS}
    assert len(algebra.operations) == 18


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("text", ["2", "x", "lecture", "max(x, 1e300)", "step(x) + 1/3", "pi*x**2"])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_shape_and_dtype_are_kept(text, dtype, count):
    points = torch.linspace(0, 1, count, dtype=dtype)[:, None]
    values = torch_function(parse(text, 1))(points)
    assert values.shape == (count, 1)
    assert values.dtype == dtype
    assert values.is_contiguous()


def test_the_device_is_kept():
    points = torch.zeros(3, 2, device="meta")
    assert torch_function(parse("x1 + 2*sin(x2)", 2))(points).device.type == "meta"


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda():
    points = torch.rand(100, 1, dtype=torch.float64)
    function = torch_function(parse("lecture", 1))
    torch.testing.assert_close(function(points.cuda()).cpu(), function(points))


@pytest.mark.parametrize("text", ["x", "+x", "2"])
def test_values_are_no_view_of_the_points(text):
    points = torch.ones(4, 1)
    torch_function(parse(text, 1))(points).add_(5)
    assert torch.equal(points, torch.ones(4, 1))


def test_columns_are_the_variables():
    points = torch.arange(6.0).reshape(3, 2)
    values = torch_function(parse("x1 + 10*x2", 2))(points)
    assert torch.equal(values[:, 0], points[:, 0] + 10 * points[:, 1])


def test_gradients():
    points = torch.linspace(0.1, 1, 7, dtype=torch.float64)[:, None].requires_grad_()
    function = torch_function(parse("lecture", 1))
    assert torch.autograd.gradcheck(function, points)
    (slope,) = torch.autograd.grad(torch_function(parse("x**2", 1))(points).sum(), points)
    torch.testing.assert_close(slope, 2 * points)


@pytest.mark.parametrize("text", ["step(x)", "sign(x)", "floor(x)"])
def test_jumps_are_flat(text):
    points = torch.tensor([[-1.5], [0.5], [2.5]], requires_grad=True)
    torch_function(parse(text, 1))(points).sum().backward()
    assert torch.equal(points.grad, torch.zeros(3, 1))


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 1, 1), ()])
def test_points_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected points of shape \(n, 1\), got"):
        torch_function(parse("x", 1))(torch.zeros(shape))


def test_whole_numbers_are_refused():
    with pytest.raises(TypeError, match="floating-point"):
        torch_function(parse("x/2", 1))(torch.zeros(3, 1, dtype=torch.int64))


def test_a_point_has_as_many_coordinates_as_inputs():
    with pytest.raises(ValueError, match="2 variables got 1 values"):
        evaluate_float(parse("x1", 2), [1.0])


def test_first_non_finite():
    formula = parse("1/(x - 2)", 1)
    points = [[0], [1], [2], [3]]
    assert first_non_finite(formula, points) is points[2]
    assert first_non_finite(formula, iter(points[:2])) is None
    assert first_non_finite(parse("log(x1*x2)", 2), [(1, 1), (1, -1), (0, 0)]) == (1, -1)
    assert first_non_finite(formula, np.array([[0.0], [2.0]])) == np.array([2.0])


def test_a_long_sum_is_evaluated():
    text = "x" + "+x" * 999
    assert evaluate_float(parse(text, 1), [0.5]) == by_torch(text, (0.5,))[0] == 500
