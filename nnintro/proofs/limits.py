"""A formula between two neighbouring numbers, both left out.

Where a formula jumps at a float64 number itself, the box beside it has the value from the other
side of the jump at that one point.  Over the open interval that point does not count: there
``step(x - 0.5)`` is 1 from 0.5 on, and 0 up to it.  It is known by the limits at the two ends, and
by the slope: what rises stays between them.
"""

from __future__ import annotations

from collections.abc import Callable

from flint import arb

from nnintro.formula.evaluate import Algebra, evaluate
from nnintro.formula.tree import Formula
from nnintro.proofs.balls import ONE, SLOPES, VALUES, ZERO, Ball, Jet, interval


class Open:
    """Values and slopes over an open interval, and the limits at its ends."""

    __slots__ = ("jet", "left", "right")

    def __init__(self, jet: Jet, left: Ball, right: Ball) -> None:
        self.jet, self.left, self.right = jet, left, right


def jet_between(formula: Formula, low: float, high: float) -> Jet:
    """Enclosures of a formula of one input and of its slope, over low < x < high."""
    x = Open(Jet(interval(low, high), [ONE]), arb(low), arb(high))
    return evaluate(formula, OPEN, [x]).jet


def strictly_between(slope: Ball, left: Ball, right: Ball) -> tuple[Ball, Ball] | None:
    """Two numbers between which, without these, a function of this slope stays; None: not known."""
    if slope > 0:
        return left, right
    return (right, left) if slope < 0 else None


def step_between(low: Ball, high: Ball) -> Ball | None:
    """step(z) for all low < z < high; None where it is not one number."""
    return ONE if low >= 0 else ZERO if high <= 0 else None


def _sign_between(low: Ball, high: Ball) -> Ball | None:
    return ONE if low >= 0 else -ONE if high <= 0 else None


def _floor_between(low: Ball, high: Ball) -> Ball | None:
    whole = low.floor()
    return whole if whole.is_exact() and high <= whole + 1 else None


def _jumping(name: str, constant: Callable[[Ball, Ball], Ball | None]) -> Callable[[Open], Open]:
    def jumping(z: Open) -> Open:
        ends = strictly_between(z.jet.slopes[0], z.left, z.right)
        value = constant(*ends) if ends is not None else None
        if value is not None:
            return Open(Jet(value, [ZERO]), value, value)
        jet = SLOPES[name](z.jet)
        return Open(jet, jet.value, jet.value)

    return jumping


def _joined(name: str) -> Callable[..., Open]:
    def joined(*terms: Open) -> Open:
        return Open(
            SLOPES[name](*(z.jet for z in terms)),
            VALUES[name](*(z.left for z in terms)),
            VALUES[name](*(z.right for z in terms)),
        )

    return joined


def _number(value: float) -> Open:
    return Open(Jet(arb(value), [ZERO]), arb(value), arb(value))


JUMPS = {"step": step_between, "sign": _sign_between, "floor": _floor_between}

OPEN: Algebra[Open] = Algebra(
    number=_number,
    operations={
        name: _jumping(name, JUMPS[name]) if name in JUMPS else _joined(name) for name in SLOPES
    },
)
