"""Find hidden relu layers that are dead: every unit is 0 at every training sample, so that no gradient passes."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from nnintro.datasets.samples import Data
from nnintro.models import Mlp
from nnintro.models.forward import evaluating
from nnintro.training.setup import Parts

ROWS = 4096
"""Samples that are looked at together."""


def dead_layers(parts: Parts) -> list[str]:
    """A sentence for the first hidden layer that is dead; nothing, at the price of a few rows, where none is."""
    if not isinstance(parts.network, Mlp) or not isinstance(parts.train, Data):
        return []
    network, inputs = parts.network, parts.train.inputs
    candidates = {number for number, name in enumerate(network.names[:-1]) if name == "relu"}
    with evaluating(network):
        for start in range(0, len(inputs), ROWS):
            if not candidates:
                break
            candidates &= _silent(network, inputs[start : start + ROWS])
    if not candidates:
        return []
    number = min(candidates)
    units = network.widths[number + 1]
    return [
        f"hidden layer {number + 1} is dead: all {units} of its relu units are 0 at every training sample, so that the "
        "network is a constant and nothing before the layer learns; try a smaller learning rate, initialization: he, "
        "or activation: leaky_relu"
    ]


def _silent(network: Mlp, x: Tensor) -> set[int]:
    """The numbers of the hidden layers, from 0, whose outputs are all 0."""
    silent = set()
    for number, (layer, activation) in enumerate(zip(network.affine[:-1], network.activations, strict=False)):
        x = cast(Tensor, activation(layer(x)))
        if not torch.count_nonzero(x):
            silent.add(number)
    return silent
