"""Initialize the weights and biases of an MLP."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from nnintro.config.models.mlp import GivenInitialization, SpreadInitialization, StepsInitialization
from nnintro.models.activations import GAINS
from nnintro.models.network import Box

Layers = list[nn.Linear]
Initializer = Callable[[Layers, Sequence[str], Box, Any, torch.Generator], None]
"""(layers, the activation of each, the region that the inputs fill, settings, generator) -> None, drawn in place."""


def torch_default_(layers: Layers, _: Sequence[str], __: Box, ___: object, generator: torch.Generator) -> None:
    """torch.nn.Linear.reset_parameters, drawn from our own stream, to the same bits."""
    for layer in layers:
        nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
        bound = 1 / math.sqrt(layer.in_features)
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def xavier_(layers: Layers, activations: Sequence[str], _: Box, __: object, generator: torch.Generator) -> None:
    for layer, activation in zip(layers, activations, strict=True):
        gain = GAINS.get(activation, 1.0)
        nn.init.xavier_uniform_(layer.weight, gain=gain, generator=generator)
        nn.init.zeros_(layer.bias)


def he_(layers: Layers, _: Sequence[str], __: Box, ___: object, generator: torch.Generator) -> None:
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(layer.bias)


def zeros_(layers: Layers, *_: object) -> None:
    for parameter in nn.ModuleList(layers).parameters():
        nn.init.zeros_(parameter)


def spread_(
    layers: Layers,
    activations: Sequence[str],
    box: Box,
    settings: SpreadInitialization | StepsInitialization,
    generator: torch.Generator,
) -> None:
    """The first layer's units switch (s = -b/w) at places spread evenly over the data's region.

    With one input, unit h of H has its centre in the middle of the h-th of H equal intervals and the weight steepness /
    (high - low). With several inputs, directions are uniform on the sphere and centres uniform in the box, each input
    measured in units of the box. The other layers start as Xavier's; the last one starts at zero, so that the first
    gradient decides the heights. For ``steps`` this is what the units are that the steps leave over; who knows the
    formula puts the steps in.
    """
    first, *others = layers
    low, high = box[0].double(), box[1].double()
    extent = (high - low).clamp(min=1e-12)  # (inputs,)
    units, inputs = first.out_features, first.in_features
    if inputs == 1:
        centres = ((torch.arange(units, dtype=torch.float64) + 0.5) / units)[:, None]
        directions = torch.ones(units, 1, dtype=torch.float64)
    else:
        centres = torch.rand(units, inputs, generator=generator, dtype=torch.float64)
        directions = torch.randn(units, inputs, generator=generator, dtype=torch.float64)
        directions /= directions.norm(dim=1, keepdim=True)
    weight = settings.steepness * directions / extent
    centre = low + centres * extent
    with torch.no_grad():
        first.weight.copy_(weight)
        first.bias.copy_(-(weight * centre).sum(1))
    xavier_(others, activations[1:], box, None, generator)
    nn.init.zeros_(layers[-1].weight)


def given_(layers: Layers, _: Sequence[str], __: Box, settings: GivenInitialization, ___: torch.Generator) -> None:
    """The numbers of the config, whose shapes the rules have seen."""
    with torch.no_grad():
        for layer, given in zip(layers, settings.layers, strict=True):
            layer.weight.copy_(torch.tensor(given.W, dtype=torch.float64))
            layer.bias.copy_(torch.tensor(given.b, dtype=torch.float64))


INITIALIZATIONS: dict[str, Initializer] = {
    "torch": torch_default_,
    "xavier": xavier_,
    "he": he_,
    "zeros": zeros_,
    "spread": spread_,
    "steps": spread_,
    "given": given_,
}
