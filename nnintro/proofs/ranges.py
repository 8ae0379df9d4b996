"""The activations over intervals: exact ranges of their values and of their slopes.

Evaluating tanh'(z) = 1 - tanh(z)^2 over a ball as it stands counts z twice and comes out too wide.
Here a function is evaluated at the two ends of an interval and at those places inside where it
turns; between these it is monotone, so that nothing else can be the largest or the least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

from nnintro.proofs.balls import ONE, ZERO, Ball

HALF = arb(0.5)
LEAKY = arb(0.01)
BETWEEN = ZERO.union(ONE)
LEAKY_BETWEEN = LEAKY.union(ONE)
INSIDE = arb(0, 1)
"""[-1, 1]."""


def _at(place: float) -> Ball:
    """A place known to 12 digits, as an interval that holds it."""
    return arb(place, 1e-12)


@dataclass(frozen=True)
class Range:
    """Values and slopes of one activation over intervals.

    Attributes:
        at: (point,) -> (value, slope); where the slope jumps, all that lies between its two sides.
        rounding: how many times |y|, |z| and 1 the relative error of an elementary function enters
            y = s(z) in floating point.
        turns: where the value stops rising or falling.
        bends: where the slope does.
    """

    at: Callable[[Ball], tuple[Ball, Ball]]
    rounding: tuple[int, int, int]
    turns: tuple[Ball, ...] = ()
    bends: tuple[Ball, ...] = ()

    def over(self, z: Ball) -> tuple[Ball, Ball]:
        """Enclosures of the values and of the slopes on an interval."""
        (low, slope_low), (high, slope_high) = self.at(z.lower()), self.at(z.upper())
        value, slope = low.union(high), slope_low.union(slope_high)
        for place in self.turns:
            if z.overlaps(place):
                value = value.union(self.at(place)[0])
        for place in self.bends:
            if z.overlaps(place):
                slope = slope.union(self.at(place)[1])
        return value, slope


class SineRange(Range):
    """sin(z) turns where cos(z) is 0 and bends where sin(z) is."""

    def over(self, z: Ball) -> tuple[Ball, Ball]:
        return _wave(z, HALF), _wave(z, ZERO, arb.cos)


def _wave(z: Ball, top: Ball, wave: Callable[[Ball], Ball] = arb.sin) -> Ball:
    """Of a wave with its tops at (top + 2 k) pi and its valleys in the middle between them."""
    low, high = z.lower(), z.upper()
    value = wave(low).union(wave(high))
    for turn, extreme in ((top, ONE), (top + 1, -ONE)):
        first, last = ((end / arb.pi() - turn) / 2 for end in (low, high))
        # Between two turns of a kind the floor of both is the same number, and is known to be.
        floors = first.floor(), last.floor()
        if not (floors[0].is_exact() and floors[0] == floors[1]):
            value = value.union(extreme)
    return value


def _tanh(z: Ball) -> tuple[Ball, Ball]:
    t = z.tanh()
    return t, 1 - t * t


def _sigmoid(z: Ball) -> tuple[Ball, Ball]:
    t = (z * HALF).tanh()
    return (1 + t) * HALF, (1 - t * t) / 4


def _step(z: Ball) -> tuple[Ball, Ball]:
    return (ONE if z > 0 else ZERO if z <= 0 else BETWEEN), ZERO


def _relu(z: Ball) -> tuple[Ball, Ball]:
    if z > 0:
        return z, ONE
    return z.max(ZERO), ZERO if z < 0 else BETWEEN


def _leaky_relu(z: Ball) -> tuple[Ball, Ball]:
    if z > 0:
        return z, ONE
    return z.max(LEAKY * z), LEAKY if z < 0 else LEAKY_BETWEEN


def _elu(z: Ball) -> tuple[Ball, Ball]:
    if z > 0:
        return z, ONE
    low = z.min(ZERO)
    return z.max(ZERO) + low.expm1(), low.exp()


def _gelu(z: Ball) -> tuple[Ball, Ball]:
    """z Phi(z), with Phi(z) + z phi(z) for its slope (Hendrycks and Gimpel, 2016)."""
    below = (1 + (z * HALF.sqrt()).erf()) * HALF
    density = (-z * z * HALF).exp() / (2 * arb.pi()).sqrt()
    return z * below, below + z * density


def _silu(z: Ball) -> tuple[Ball, Ball]:
    s = _sigmoid(z)[0]
    return z * s, s * (1 + z * (1 - s))


def _softplus(z: Ball) -> tuple[Ball, Ball]:
    return z.max(ZERO) + (-abs(z)).exp().log1p(), _sigmoid(z)[0]


def strictly_between(slope: Ball, left: Ball, right: Ball) -> tuple[Ball, Ball] | None:
    """Two numbers between which, without these, a function of this slope stays; None: not known."""
    if slope > 0:
        return left, right
    return (right, left) if slope < 0 else None


def step_between(low: Ball, high: Ball) -> Ball | None:
    """step(z) for all low < z < high; None where it is not one number."""
    return ONE if low >= 0 else ZERO if high <= 0 else None


EXACT = (0, 0, 0)
RANGES: dict[str, Range] = {
    "identity": Range(lambda z: (z, ONE), EXACT),
    "step": Range(_step, EXACT),  # its output is exact wherever z is clear of 0
    "sigmoid": Range(_sigmoid, (1, 0, 0), bends=(ZERO,)),
    "tanh": Range(_tanh, (1, 0, 0), bends=(ZERO,)),
    "relu": Range(_relu, EXACT),
    "leaky_relu": Range(_leaky_relu, (1, 0, 0)),  # 0.01 is rounded, and so is the product
    "elu": Range(_elu, (0, 0, 2)),  # expm1(z), or exp(z) - 1
    "gelu": Range(  # z (1 + erf(z / sqrt 2)) / 2, where 1 + erf cancels
        _gelu, (1, 1, 0), turns=(_at(-0.751791524694),), bends=(_at(-1.414213562373), _at(1.414213562373))
    ),
    "silu": Range(  # z / (1 + exp(-z))
        _silu, (2, 0, 0), turns=(_at(-1.278464542761),), bends=(_at(-2.399357280515), _at(2.399357280515))
    ),
    "softplus": Range(_softplus, (2, 0, 2)),  # log1p(exp(z))
    "sine": SineRange(lambda z: (z.sin(), z.cos()), (1, 0, 0)),
}
"""By the names of ``models.ACTIVATIONS``: what has a row is served by every proof.

leaky_relu's slope below 0 is the float64 number 0.01.
"""
