"""A trained network in exact arithmetic: its layers in balls, and its value at points."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, arb_mat
from torch import nn

from nnintro.models import Mlp, Standardized
from nnintro.proofs.balls import ONE, ZERO, Ball
from nnintro.proofs.ranges import RANGES, Range


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
    """A network of one output in exact arithmetic; ``mean`` and ``scale`` as in Standardized."""

    layers: list[Layer]
    mean: list[Ball]
    scale: list[Ball]
    is_standardized: bool = False

    @property
    def has_steps(self) -> bool:
        return any(layer.activation == "step" for layer in self.layers)

    @property
    def size(self) -> int:
        """How many weights there are."""
        return sum(layer.weights.nrows() * layer.weights.ncols() for layer in self.layers)

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


def layers_of(model: nn.Module) -> Layers:
    """The layers of an ``Mlp``, standardised or not, its parameters taken as they are."""
    network = model.network if isinstance(model, Standardized) else model
    assert isinstance(network, Mlp)
    found = []
    for layer, name in zip(network.layers, network.names, strict=True):
        assert isinstance(layer, nn.Linear)
        weights, biases = layer.weight.detach().tolist(), layer.bias.detach().tolist()
        matrix = arb_mat([[arb(w) for w in row] for row in weights])
        found.append(Layer(matrix, [arb(b) for b in biases], name))
    if isinstance(model, Standardized):
        assert not model.has_targets  # a formula's are taken as they are
        means, scales = ([arb(x) for x in t.tolist()] for t in (model.mean, model.scale))
        return Layers(found, means, scales, is_standardized=True)
    inputs = found[0].weights.ncols()
    return Layers(found, [ZERO] * inputs, [ONE] * inputs)
