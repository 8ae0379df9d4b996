"""exp as plain arithmetic: a loop over it becomes vector instructions, one over math.exp does not.

exp(x) = 2^k * exp(r), k the nearest integer to x / ln 2, r = x - k ln 2 in [-ln 2 / 2, ln 2 / 2]:
exp(r) by a polynomial, 2^k by writing k into the exponent's bits (Cody and Waite, 1980, chapter 6).
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import overload

INSIDE = {"error_model": "numpy", "forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Of a function that only compiled code calls."""
PLAIN = {**INSIDE, "fastmath": {"contract"}}
"""Division by zero gives an infinity, as in torch; a product and a sum may round once.  A call is
written out in its place: for one sample and 64 neurons the calls took half of the time."""

F, D = np.float32, np.float64
ROUND32, ROUND64 = F(1.5 * 2**23), D(1.5 * 2**52)
"""x + ROUND - ROUND is the nearest integer: there are no bits left for a fraction."""

LOG2_E = 1.4426950408889634
LN2_HIGH32, LN2_LOW32 = F(0.693359375), F(-2.12194440e-4)
LN2_HIGH64, LN2_LOW64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10


@njit(**INSIDE)
def _exp32(x):
    """Within 2 units in the last place; underflows to about 1e-38, overflows beyond 88."""
    x = F(88.7) if x > F(88.7) else x
    x = F(-87.3) if x < F(-87.3) else x
    k = (x * F(LOG2_E) + ROUND32) - ROUND32
    r = (x - k * LN2_HIGH32) - k * LN2_LOW32
    p = F(1 / 5040)
    p = p * r + F(1 / 720)
    p = p * r + F(1 / 120)
    p = p * r + F(1 / 24)
    p = p * r + F(1 / 6)
    p = p * r + F(1 / 2)
    p = p * r * r + r + F(1)
    half = np.int32(np.int32(k) >> np.int32(1))  # 2^128 has no float32: in two factors
    rest = np.int32(np.int32(k) - half)
    low = np.int32((half + np.int32(127)) << np.int32(23)).view(np.float32)
    high = np.int32((rest + np.int32(127)) << np.int32(23)).view(np.float32)
    return p * low * high


@njit(**INSIDE)
def _exp64(x):
    """Within 2 units in the last place; underflows to about 1e-308, overflows beyond 709."""
    x = 709.7 if x > 709.7 else x
    x = -708.3 if x < -708.3 else x
    shifted = x * LOG2_E + ROUND64
    k = shifted - ROUND64
    r = (x - k * LN2_HIGH64) - k * LN2_LOW64
    p = 1 / 6227020800
    p = p * r + 1 / 479001600
    p = p * r + 1 / 39916800
    p = p * r + 1 / 3628800
    p = p * r + 1 / 362880
    p = p * r + 1 / 40320
    p = p * r + 1 / 5040
    p = p * r + 1 / 720
    p = p * r + 1 / 120
    p = p * r + 1 / 24
    p = p * r + 1 / 6
    p = p * r + 1 / 2
    p = p * r * r + r + 1.0
    # The integer k stands in the low bits of the shifted number.
    whole = np.int64(np.float64(shifted).view(np.int64) - np.float64(ROUND64).view(np.int64))
    half = whole >> 1
    low = np.int64((half + 1023) << 52).view(np.float64)
    high = np.int64((whole - half + 1023) << 52).view(np.float64)
    return p * low * high


def exp(x):
    """e^x, of a float32 or a float64."""
    return np.exp(x)


@overload(exp, jit_options=PLAIN)
def _exp(x):
    if x == types.float32:
        return lambda x: _exp32(x)  # noqa: PLW0108  (numba wants a function of its own)
    return lambda x: _exp64(x)  # noqa: PLW0108


def sigmoid(z):
    """1 / (1 + e^-z)."""
    one = z.dtype.type(1)
    return one / (one + np.exp(-z))


@overload(sigmoid, jit_options=PLAIN)
def _sigmoid(z):
    kind = F if z == types.float32 else D
    one = kind(1)
    return lambda z: one / (one + exp(-z))


def tanh(z):
    """1 - 2 / (e^2z + 1)."""
    return np.tanh(z)


@overload(tanh, jit_options=PLAIN)
def _tanh(z):
    kind = F if z == types.float32 else D
    one, two = kind(1), kind(2)
    return lambda z: one - two / (exp(two * z) + one)
