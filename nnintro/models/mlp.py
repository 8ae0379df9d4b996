"""model kind ``mlp``: one neuron, one layer, two layers, any depth."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from nnintro.config.models.mlp import MlpModel
from nnintro.config.task import Task
from nnintro.models.activations import ACTIVATIONS, Dropout
from nnintro.models.initialization import INITIALIZATIONS
from nnintro.models.network import Box, Network, Row, Undrawn, parameter_count


class Affine(Undrawn, nn.Linear):
    """x W^T + b."""


class Mlp(Network):
    """Affine layers with activations: u_l = s_l(u_(l-1) W_l^T + b_l), u_0 = x.

    Args:
        widths: inputs, hidden widths, outputs; [d, 1] is a single neuron.
        activations: one name per layer, the output's last.
        dropout: rate behind each hidden activation.
    """

    kind = "mlp"
    takes = "rows"

    def __init__(self, widths: list[int], activations: list[str], dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Affine(a, b) for a, b in pairwise(widths))
        self.activations = nn.ModuleList(ACTIVATIONS[name]() for name in activations)
        self.dropout = Dropout(dropout)
        self.widths, self.names = list(widths), list(activations)

    @classmethod
    def from_section(cls, section: MlpModel, task: Task) -> Self:
        widths = [task.inputs, *section.hidden, task.outputs]
        return cls(widths, [*section.activations, section.output_activation], section.dropout)

    @classmethod
    def from_architecture(cls, architecture: Mapping[str, Any]) -> Self:
        widths = [architecture["inputs"], *architecture["hidden"], architecture["outputs"]]
        return cls(widths, [*architecture["activations"], architecture["output_activation"]])

    @property
    def depends_on_mode(self) -> bool:
        return self.dropout.rate > 0

    @property
    def widest(self) -> int:
        return max(self.widths[1:])  # known without a walk through the modules, which takes longer than small products

    @property
    def affine(self) -> list[nn.Linear]:
        """The affine layers, the output's last."""
        return cast(list[nn.Linear], list(self.layers))

    def initialize_(self, section: MlpModel, box: Box, generator: torch.Generator, /) -> None:
        settings = section.initialization
        INITIALIZATIONS[settings.kind](self.affine, self.names, box, settings, generator)

    def forward(self, x: Tensor) -> Tensor:  # (batch, inputs) -> (batch, outputs)
        *hidden, readout = zip(self.layers, self.activations, strict=True)
        for layer, activation in hidden:
            x = self.dropout(activation(layer(x)))
        layer, activation = readout
        return cast(Tensor, activation(layer(x)))

    def architecture(self) -> dict[str, Any]:
        inputs, *hidden, outputs = self.widths
        *activations, output_activation = self.names
        return {
            "kind": self.kind,
            "inputs": inputs,
            "hidden": hidden,
            "outputs": outputs,
            "activations": activations,
            "output_activation": output_activation,
            "standardize": "none",
        }

    def rows(self) -> list[Row]:
        *hidden, readout = [
            (f"{layer.in_features} -> {layer.out_features}", name, parameter_count(layer))
            for layer, name in zip(self.affine, self.names, strict=True)
        ]
        rows = [Row(f"hidden {number}", *layer) for number, layer in enumerate(hidden, start=1)]
        return [*rows, Row("output", *readout)]
