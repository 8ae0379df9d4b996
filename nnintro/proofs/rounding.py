"""An a priori bound of the rounding error of a network's outputs.

A sum of n products that is computed in any order, with fused multiply-adds or without, is off by at
most gamma_n = n u / (1 - n u) times the sum of the absolute products, where u is the unit roundoff
(Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1).  An error that
enters an activation leaves it multiplied by the largest slope there, and with the function's own
error on top.  Enclosures of all of these over small boxes are followed through the layers.

Taken for granted: IEEE arithmetic in the parameters' precision (no TF32, no bfloat16), and the
library's exp, tanh, erf, ... within 4 units in the last place.  Basis functions are in float64, and
followed operation by operation; where rounding leaves such a function without a value, there is none to bound.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from flint import arb, arb_mat

from nnintro.formula.tree import Algebra, evaluate
from nnintro.proofs.balls import EITHER_SIGN, ONE, SLOPES, VALUES, ZERO, Ball, Jet, interval
from nnintro.proofs.difference import above
from nnintro.proofs.enclosure import Layer, Layers
from nnintro.proofs.target import Side

MOST_PARTS = {1: 256, 2: 24}
"""Per number of inputs, into how many parts each side of the domain is cut."""
MOST_WORK = 4_000_000
"""Parts times weights: for a large network there are fewer of them, in a second or two."""
ULPS = 4
LOST = 1024
"""Times the smallest normal number: more than an underflow inside an activation costs."""
THRESHOLD = 20
"""Beyond it torch's softplus is the identity."""


def rounding_of(layers: Layers, domain: Sequence[Side], dtype: torch.dtype) -> float:
    """A bound of |float output - exact output| over all floats of the domain."""
    return max(above(_at_most(layers, box, dtype)) for box in _parts(domain, layers.size))


def _parts(domain: Sequence[Side], weights: int) -> Iterator[list[Ball]]:
    affordable = int((MOST_WORK / weights) ** (1 / len(domain)))
    count = min(MOST_PARTS[len(domain)], max(1, affordable))
    sides = []
    for low, high in domain:
        cuts = [low + (high - low) * (k / count) for k in range(count)] + [high]
        sides.append([interval(a, b) for a, b in itertools.pairwise(cuts)])
    return (list(box) for box in itertools.product(*sides))


def _at_most(layers: Layers, box: Sequence[Ball], dtype: torch.dtype) -> Ball:
    u = arb(torch.finfo(dtype).eps) / 2
    smallest = arb(torch.finfo(dtype).tiny)  # what may be lost where numbers are flushed to 0
    double = arb(torch.finfo(torch.float64).eps) / 2
    inputs = [Computed(x, ZERO) for x in box]
    if layers.basis:
        inputs = [evaluate(formula, COMPUTED, inputs) for formula in layers.basis]
    values = layers.standard([x.value for x in inputs])
    moved = [x.error / abs(scale) for x, scale in zip(inputs, layers.scale, strict=True)]
    errors = [ZERO] * len(values)
    if layers.is_standardized or layers.basis:  # a difference and a quotient in float64, then rounded
        pairs = zip(values, moved, strict=True)
        errors = [e + (abs(t) + e) * (_gamma(2, double) * (1 + u) + u) + smallest for t, e in pairs]
    for layer in layers.layers:
        values, errors = _through(layer, values, errors, u, smallest)
    return errors[0].upper()


def _through(
    layer: Layer, values: list[Ball], errors: list[Ball], u: Ball, smallest: Ball
) -> tuple[list[Ball], list[Ball]]:
    """The next layer's values, and the bounds of their errors."""
    inputs = len(values)
    sums = (layer.weights * arb_mat(inputs, 1, values)).entries()
    reached = [(abs(v) + e).upper() for v, e in zip(values, errors, strict=True)]
    columns = [entry for pair in zip(errors, reached, strict=True) for entry in pair]
    moved = (layer.sizes * arb_mat(inputs, 2, columns)).entries()
    gamma = _gamma(inputs + 1, u)
    next_values, next_errors = [], []
    for j, bias in enumerate(layer.biases):
        z = sums[j] + bias
        error = moved[2 * j] + gamma * (moved[2 * j + 1] + abs(bias)) + (inputs + 1) * smallest
        around = z + error * arb(0, 1)
        value, slope = layer.range.over(around)
        if layer.activation == "step":
            grown = ZERO if around > 0 or around <= 0 else ONE
        else:
            grown = abs(slope).upper() * error + _own(layer, around, value, u) + LOST * smallest
        next_values.append(value)
        next_errors.append(grown.upper())
    return next_values, next_errors


def _own(layer: Layer, z: Ball, y: Ball, u: Ball) -> Ball:
    """The error of an activation in itself: of rounding, and of the functions it calls."""
    by_output, by_input, constant = layer.range.rounding
    error = 2 * ULPS * u * (by_output * abs(y).upper() + by_input * abs(z).upper() + constant)
    if layer.activation == "softplus" and z.upper() > THRESHOLD:
        error += arb(-THRESHOLD).exp()
    return error


@dataclass(slots=True)
class Computed:
    """The exact values of a part of a formula over a box, and how far float64 may be from them."""

    value: Ball
    error: Ball


def _computed(name: str) -> Callable[..., Computed]:
    """One operation: errors that enter are multiplied by its largest partial slopes over all that may be computed."""
    own = _OWN_ERRORS.get(name, 2 * ULPS)

    def computed(*terms: Computed) -> Computed:
        around = [t.value + t.error * EITHER_SIGN for t in terms]
        units = [[ONE if i == k else ZERO for i in range(len(terms))] for k in range(len(terms))]
        jet = SLOPES[name](*map(Jet, around, units))
        # Terms of a sum may cancel, so its error is bounded by the sum of their absolute values.
        size = reduce(operator.add, map(abs, around)) if name == "add" else abs(jet.value)
        error = own * len(terms) * _DOUBLE * size.upper() + (LOST * _SMALLEST if own else ZERO)
        for slope, term in zip(jet.slopes, terms, strict=True):
            if not term.error.is_zero():
                # Where it may jump, it is off by no more than all its values together span.
                jump = 2 * jet.value.rad()
                grown = abs(slope).upper() * term.error if slope.is_finite() else jump
                # A root is as steep as it likes at 0, and yet |sqrt(a) - sqrt(b)| <= sqrt(|a - b|).
                error = error + (grown.min(term.error.sqrt()) if name == "sqrt" else grown)
        return Computed(VALUES[name](*(t.value for t in terms)), error.upper())

    return computed


_DOUBLE, _SMALLEST = arb(2.0**-53), arb(2.0**-1022)
_OWN_ERRORS = dict.fromkeys(("negative", "abs", "min", "max", "sign", "step", "floor"), 0)
"""Operations that are exact in themselves; all others are taken to be within ``ULPS``."""
COMPUTED: Algebra[Computed] = Algebra(
    number=lambda value: Computed(arb(value), ZERO), operations={name: _computed(name) for name in SLOPES}
)


def _gamma(n: int, u: Ball) -> Ball:
    return n * u / (1 - n * u)
