"""A trained network in exact arithmetic: at points, and over boxes its values and slopes.

A layer's pre-activations are enclosed twice: by W u + b over the ranges of u, and by the mean value
form z(c) + z'(X) (X - c) around the box's centre c, which does not forget how the neurons hang
together (Moore, Kearfott and Cloud, Introduction to Interval Analysis, chapter 6).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flint import arb, arb_mat
from torch import nn

from nnintro.errors import ConfigError
from nnintro.formula import Formula
from nnintro.models import Mlp, Standardized
from nnintro.proofs.balls import NONE, ONE, ZERO, Ball, jet_over, value_over
from nnintro.proofs.jumps import open_between
from nnintro.proofs.ranges import BETWEEN, RANGES, Range, step_between, strictly_between
from nnintro.wording import listing

MOST_CASES = 16
"""States of undecided steps that are looked at one by one; beyond, a step is both 0 and 1."""


@dataclass(frozen=True)
class Layer:
    """s(u W^T + b): (outputs, inputs) weights, (outputs,) biases."""

    weights: arb_mat
    biases: list[Ball]
    activation: str

    @property
    def range(self) -> Range:
        return RANGES[self.activation]

    @functools.cached_property
    def sizes(self) -> arb_mat:
        """The weights' absolute values."""
        shape = self.weights.nrows(), self.weights.ncols()
        return arb_mat(*shape, [abs(w) for w in self.weights.entries()])


@dataclass(frozen=True)
class Layers:
    """A network of one output in exact arithmetic; ``mean``, ``scale`` and ``basis`` as in Standardized."""

    layers: list[Layer]
    mean: list[Ball]
    scale: list[Ball]
    is_standardized: bool = False
    basis: tuple[Formula, ...] = ()

    @property
    def has_steps(self) -> bool:
        return any(layer.activation == "step" for layer in self.layers)

    @property
    def size(self) -> int:
        """How many weights there are."""
        return sum(layer.weights.nrows() * layer.weights.ncols() for layer in self.layers)

    def at(self, point: Sequence[float]) -> Ball:
        """The network's output at a point."""
        inputs = [arb(x) for x in point]
        units = self.standard([value_over(f, inputs) for f in self.basis] or inputs)
        for layer in self.layers:
            weighted = (layer.weights * arb_mat(len(units), 1, units)).entries()
            sums = (z + b for z, b in zip(weighted, layer.biases, strict=True))
            units = [layer.range.at(z)[0] for z in sums]
        return units[0]

    def standard(self, inputs: Sequence[Ball]) -> list[Ball]:
        """(x - mean) / scale, of the inputs or of their basis functions."""
        return [(x - mean) / scale for x, mean, scale in zip(inputs, self.mean, self.scale, strict=True)]


def layers_of(model: nn.Module) -> Layers:
    """The layers of an ``Mlp``, standardised or not, its parameters taken as they are.

    Raises:
        ConfigError: it is another network, or has an activation whose range is not known.
    """
    network = model.network if isinstance(model, Standardized) else model
    if not isinstance(network, Mlp):
        raise ConfigError.at("model.kind", "certify takes layers of neurons: expected mlp or steps")
    if unknown := [name for name in network.names if name not in RANGES]:
        raise ConfigError.at("model.activation", f"certify does not serve {unknown[0]}; expected {listing(RANGES)}")
    layers = [_layer(*pair) for pair in zip(network.affine, network.names, strict=True)]
    if isinstance(model, Standardized):
        assert not model.has_targets  # a formula's are taken as they are
        means, scales = ([arb(x) for x in t.tolist()] for t in (model.mean, model.scale))
        return Layers(layers, means, scales, is_standardized=model.has_inputs, basis=model.basis)
    inputs = network.widths[0]
    return Layers(layers, [ZERO] * inputs, [ONE] * inputs)


def _layer(affine: nn.Linear, activation: str) -> Layer:
    matrix = arb_mat([[arb(w) for w in row] for row in affine.weight.detach().tolist()])
    return Layer(matrix, [arb(b) for b in affine.bias.detach().tolist()], activation)


@dataclass(slots=True)
class Unit:
    """One neuron over a box: its range, its value at the centre, its slopes.

    ``ends``: over an open interval its limits on the left and on the right; else empty.
    """

    value: Ball
    centre: Ball
    slopes: list[Ball]
    ends: list[Ball]


def outputs_over(
    network: Layers, box: Sequence[Ball], centre: Sequence[Ball], ends: Sequence[Ball] = ()
) -> Iterator[Unit]:
    """The output over a box around a centre, or, of one input, over all x between two ``ends``.

    Where steps are undecided it comes once per state that they may be in: each is the network
    with these neurons held at 0 or 1, on the whole box, and a point of the box has the value of one of them.
    """
    inputs = _of_basis(network, box, centre, ends) if network.basis else _themselves(box, centre, ends)
    units = []
    for unit, mean, scale in zip(inputs, network.mean, network.scale, strict=True):
        value, middle, *limits = ((z - mean) / scale for z in (unit.value, unit.centre, *unit.ends))
        units.append(Unit(value, middle, [slope / scale for slope in unit.slopes], limits))
    offsets = [x - c for x, c in zip(box, centre, strict=True)]
    yield from _from(network.layers, units, offsets, MOST_CASES)


def _themselves(box: Sequence[Ball], centre: Sequence[Ball], ends: Sequence[Ball]) -> Iterator[Unit]:
    """The inputs over a box."""
    for k, (x, c) in enumerate(zip(box, centre, strict=True)):
        yield Unit(x, c, [ONE if i == k else ZERO for i in range(len(box))], list(ends))


def _of_basis(network: Layers, box: Sequence[Ball], centre: Sequence[Ball], ends: Sequence[Ball]) -> Iterator[Unit]:
    """The basis functions over a box, or between two ends."""
    for formula in network.basis:
        if ends:
            between = open_between(formula, *ends)
            yield Unit(between.jet.value, between.jet.value, list(between.jet.slopes), [between.left, between.right])
        else:
            jet = jet_over(formula, box)
            yield Unit(jet.value, value_over(formula, centre), list(jet.slopes), [])


def _from(layers: Sequence[Layer], units: list[Unit], offsets: Sequence[Ball], cases: int) -> Iterator[Unit]:
    if not layers:
        yield units[0]
        return
    layer, *behind = layers
    sums = _sums(layer, units, offsets)
    if layer.activation != "step":
        yield from _from(behind, [_fired(layer.range, z) for z in sums], offsets, cases)
        return
    states = [_states(z) for z in sums]
    undecided = sum(len(found) == 2 for found in states)
    if 2**undecided > cases:
        undecided = 0
        states = [found if len(found) == 1 else (BETWEEN,) for found in states]
    for chosen in itertools.product(*states):
        held = [_held(state, z) for state, z in zip(chosen, sums, strict=True)]
        yield from _from(behind, held, offsets, cases >> undecided)


def _sums(layer: Layer, units: list[Unit], offsets: Sequence[Ball]) -> list[Unit]:
    """The pre-activations of a layer, in one product of matrices."""
    rows = [(unit.value, unit.centre, *unit.slopes, *unit.ends) for unit in units]
    width, inputs = len(rows[0]), len(offsets)
    matrix = arb_mat(len(rows), width, list(itertools.chain.from_iterable(rows)))
    entries = (layer.weights * matrix).entries()
    found = []
    for row, bias in enumerate(layer.biases):
        value, centre, *rest = entries[row * width : (row + 1) * width]
        value, centre, slopes = value + bias, centre + bias, rest[:inputs]
        ends = [end + bias for end in rest[inputs:]]
        found.append(Unit(nearer(value, centre, slopes, offsets), centre, slopes, ends))
    return found


def nearer(value: Ball, centre: Ball, slopes: Sequence[Ball], offsets: Sequence[Ball]) -> Ball:
    """The common part of a range and of the mean value form."""
    mean = centre
    for slope, offset in zip(slopes, offsets, strict=True):
        mean = mean + slope * offset
    if not mean.is_finite():
        return value
    return value.intersection(mean) if value.is_finite() else mean


def _fired(range_: Range, z: Unit) -> Unit:
    value, slope = range_.over(z.value)
    ends = [range_.at(end)[0] for end in z.ends]
    return Unit(value, range_.at(z.centre)[0], [slope * d for d in z.slopes], ends)


def _states(z: Unit) -> tuple[Ball, ...]:
    if z.value > 0:
        return (ONE,)
    if z.value <= 0:
        return (ZERO,)
    ends = strictly_between(z.slopes[0], *z.ends) if z.ends else None
    state = step_between(*ends) if ends is not None else None
    return (ZERO, ONE) if state is None else (state,)


def _held(state: Ball, z: Unit) -> Unit:
    """A step in one state, or, where that is ``BETWEEN``, in either."""
    slope = ZERO if state.is_exact() else NONE
    return Unit(state, state, [slope] * len(z.slopes), [state] * len(z.ends))
