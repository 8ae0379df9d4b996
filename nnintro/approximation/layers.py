"""A trained network over boxes: enclosures of its values and slopes, layer by layer.

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

from nnintro.approximation.ranges import BETWEEN, RANGES, Range
from nnintro.formula.balls import NONE, ONE, ZERO, Ball
from nnintro.models import Mlp, Standardized

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


@dataclass(slots=True)
class Unit:
    """One neuron over a box: its range, its value at the centre, its slopes."""

    value: Ball
    centre: Ball
    slopes: list[Ball]


@dataclass(frozen=True)
class Layers:
    """A network of one output in exact arithmetic; ``mean`` and ``scale`` as in Standardized."""

    layers: list[Layer]
    mean: list[Ball]
    scale: list[Ball]
    is_standardized: bool = False

    @property
    def has_steps(self) -> bool:
        return any(layer.activation == "step" for layer in self.layers)

    def at(self, point: Sequence[float]) -> Ball:
        """The network's output at a point."""
        units = self.standard([arb(x) for x in point])
        for layer in self.layers:
            weighted = (layer.weights * arb_mat(len(units), 1, units)).entries()
            sums = (z + b for z, b in zip(weighted, layer.biases, strict=True))
            units = [layer.range.at(z)[0] for z in sums]
        return units[0]

    def standard(self, inputs: Sequence[Ball]) -> list[Ball]:
        """(x - mean) / scale."""
        parts = zip(inputs, self.mean, self.scale, strict=True)
        return [(x - mean) / scale for x, mean, scale in parts]

    def over(self, box: Sequence[Ball], centre: Sequence[Ball]) -> Iterator[Unit]:
        """The output over a box around a centre.

        Where steps are undecided it comes once per state that they may be in: each is the network
        with these neurons held at 0 or 1, on the whole box, and a point of the box has the value
        of one of them.
        """
        count = len(box)
        values, centres = self.standard(box), self.standard(centre)
        slopes = [[1 / s if i == k else ZERO for i in range(count)]
                  for k, s in enumerate(self.scale)]  # fmt: skip
        units = [Unit(*parts) for parts in zip(values, centres, slopes, strict=True)]
        offsets = [x - c for x, c in zip(box, centre, strict=True)]
        yield from self._from(0, units, offsets, MOST_CASES)

    def _from(
        self, index: int, units: list[Unit], offsets: Sequence[Ball], cases: int
    ) -> Iterator[Unit]:
        if index == len(self.layers):
            yield units[0]
            return
        layer = self.layers[index]
        sums = _sums(layer, units, offsets)
        if layer.activation != "step":
            yield from self._from(index + 1, [_fired(layer.range, z) for z in sums], offsets, cases)
            return
        states = [_states(z.value) for z in sums]
        undecided = sum(len(found) == 2 for found in states)
        if 2**undecided > cases:
            flat = [_both(len(offsets)) if len(s) == 2 else _held(s[0], offsets) for s in states]
            yield from self._from(index + 1, flat, offsets, cases)
            return
        for chosen in itertools.product(*states):
            held = [_held(state, offsets) for state in chosen]
            yield from self._from(index + 1, held, offsets, cases >> undecided)


def _sums(layer: Layer, units: list[Unit], offsets: Sequence[Ball]) -> Iterator[Unit]:
    """The pre-activations of a layer, in one product of matrices."""
    width = 2 + len(offsets)
    columns = [entry for unit in units for entry in (unit.value, unit.centre, *unit.slopes)]
    entries = (layer.weights * arb_mat(len(units), width, columns)).entries()
    for row, bias in enumerate(layer.biases):
        value, centre, *slopes = entries[row * width : (row + 1) * width]
        value, centre = value + bias, centre + bias
        yield Unit(nearer(value, centre, slopes, offsets), centre, slopes)


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
    return Unit(value, range_.at(z.centre)[0], [slope * d for d in z.slopes])


def _states(z: Ball) -> tuple[Ball, ...]:
    return (ONE,) if z > 0 else (ZERO,) if z <= 0 else (ZERO, ONE)


def _held(state: Ball, offsets: Sequence[Ball]) -> Unit:
    return Unit(state, state, [ZERO] * len(offsets))


def _both(inputs: int) -> Unit:
    return Unit(BETWEEN, BETWEEN, [NONE] * inputs)


def layers_of(model: nn.Module) -> Layers:
    """The layers of an ``Mlp``, standardised or not, its parameters taken as they are."""
    standardized = isinstance(model, Standardized)
    network = model.network if isinstance(model, Standardized) else model
    assert isinstance(network, Mlp)
    found = []
    for layer, name in zip(network.layers, network.names, strict=True):
        assert isinstance(layer, nn.Linear)
        weights, biases = layer.weight.detach().tolist(), layer.bias.detach().tolist()
        matrix = arb_mat([[arb(w) for w in row] for row in weights])
        found.append(Layer(matrix, [arb(b) for b in biases], name))
    inputs = found[0].weights.ncols()
    if standardized:
        means, scales = ([arb(x) for x in t.tolist()] for t in (model.mean, model.scale))
    else:
        means, scales = [ZERO] * inputs, [ONE] * inputs
    return Layers(found, means, scales, standardized)
