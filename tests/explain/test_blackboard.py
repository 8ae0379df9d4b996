"""Numbers as text: aligned, rounded to what they are, never wider than 80 columns."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnintro.explain.blackboard import WIDTH, aligned, beside, equation, matrix, number, table

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
NUMBER = r"-?(?:\d+(?:\.\d+)?(?:e[+-]\d+)?|inf|nan)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (0.5, "0.5"), (1 / 3, "0.33333"), (-12345.678, "-12346"), (1e-5, "1e-05"),
     (123456.0, "1.2346e+05"), (np.inf, "inf"), (np.nan, "nan")],
)  # fmt: skip
def test_five_significant_digits(value, text):
    assert number(value) == text


def test_decimal_points_are_below_each_other():
    assert aligned(["1", "-12.5", "0.25"]) == ["  1   ", "-12.5 ", "  0.25"]


def test_a_matrix_has_a_line_a_row():
    assert matrix("W", np.array([[1.0, -0.5], [0.25, 10]])) == ["  W = [ 1     -0.5 ]", "      [ 0.25  10   ]"]
    assert matrix("b", np.array([1.0, 2, 3])) == ["  b = [ 1  2  3 ]"]


def test_of_many_the_first_are_shown_with_how_many_there_are():
    tall, wide = matrix("W", np.ones((64, 1))), matrix("W", np.ones((1, 64)))
    assert (len(tall), tall[-1]) == (7, "      ... 58 more rows")
    assert wide == ["  W = [ 1  1  1  1  1  1  ... 58 more ]"]
    assert len(matrix("W", np.ones((8, 8)))) == 8
    assert "more" not in "".join(matrix("W", np.ones((8, 8))))
    assert matrix("z", np.ones((5, 1)), rows=4)[-1] == "      ... 1 more row"


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=ANY))
def test_every_matrix_fits(values):
    lines = matrix("delta12", values)
    assert max(map(len, lines)) <= WIDTH
    first = re.findall(NUMBER, lines[0].partition("[")[2].partition("...")[0])
    assert first == [number(value) for value in values[0][: len(first)]]
    assert len(first) >= 1


MET = st.one_of(st.just(0.0), st.floats(1e-99, 1e99), st.floats(-1e99, -1e-99))
"""Numbers with exponents of at most two digits."""


@given(arrays.arrays(np.float64, st.tuples(st.just(6), st.integers(1, 9)), elements=MET))
def test_every_table_of_six_columns_fits(values):
    names = [f"W12[{row + 1},8]"[:9] for row in range(values.shape[1])]
    lines = table(["", "w", "dL/dw", "g", "v", "m", "w after"], names, list(values))
    assert len(lines) == len(names) + 1
    assert max(len(line.rstrip()) for line in lines) <= WIDTH
    for name, line, row in zip(names, lines[1:], values.T, strict=True):
        first, *cells = line.split()
        assert first == name
        assert [float(cell) for cell in cells] == pytest.approx(row.tolist(), rel=6e-3)


def test_a_table_that_is_too_wide_has_fewer_digits():
    narrow = table(["", "w"], ["a", "b"], [np.array([0.123456, -1.0])])
    assert [line.rstrip() for line in narrow] == ["       w", "    a   0.12346", "    b  -1"]
    columns = [np.array([-123456.7, 0.000123456])] * 6
    wide = table(["", *"uvwxyz"], ["W1[1,1]", "W1[1,2]"], columns)
    assert max(map(len, wide)) <= WIDTH
    assert [cell[:5] for cell in wide[1].split()[1:]] == ["-1.23"] * 6


def test_blocks_beside_each_other_or_below():
    left, right = ["  W = [ 1 ]", "      [ 2 ]"], ["  b = [ 3 ]"]
    assert beside(left, right) == ["  W = [ 1 ]    b = [ 3 ]", "      [ 2 ]"]
    long = ["  b = [ " + "3" * 70 + " ]"]
    assert beside(left, long) == [*left, *long]


def test_numbers_stand_below_their_formula():
    assert equation("z1", "x W1^T + b1", np.array([[0.5, 1]])) == ["  z1 = x W1^T + b1", "     = [ 0.5  1 ]"]
    assert max(map(len, equation("u1", "a " * 100, np.ones(3)))) <= WIDTH
