"""Formulas over the open interval between two neighbouring numbers, where they may jump at an end.

Between them a formula is known by its limits at the two ends, and by its slope: what rises stays
between the limits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

from nnintro.formula.tree import Algebra, Formula, evaluate
from nnintro.proofs.balls import ONE, SLOPES, VALUES, ZERO, Ball, Jet
from nnintro.proofs.ranges import step_between, strictly_between


@dataclass(slots=True)
class Open:
    """Values and slopes over an open interval, and the limits at its ends."""

    jet: Jet
    left: Ball
    right: Ball


def open_between(formula: Formula, low: Ball, high: Ball) -> Open:
    """A formula of one input over low < x < high, both exact."""
    return evaluate(formula, OPEN, [Open(Jet(low.union(high), [ONE]), low, high)])


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
    operations={name: _jumping(name, JUMPS[name]) if name in JUMPS else _joined(name) for name in SLOPES},
)
