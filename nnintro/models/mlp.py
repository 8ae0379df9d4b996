"""model kind ``mlp``: one neuron, one layer, two layers, any depth."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nnintro.config.models.mlp import MlpModel
from nnintro.config.task import Task
from nnintro.models.activations import ACTIVATIONS, Dropout
from nnintro.models.initialization import Surroundings, initialize_
from nnintro.models.layers import Row, as_text, parameter_count


class Affine(nn.Linear):
    """x W^T + b; its parameters are left to ``initialize_``, which has a stream of its own."""

    def reset_parameters(self) -> None:
        """Draw nothing: torch's global stream belongs to the user."""


class Mlp(nn.Module):
    """Affine layers with activations: u_l = s_l(u_(l-1) W_l^T + b_l), u_0 = x.

    Args:
        widths: inputs, hidden widths, outputs; [d, 1] is a single neuron.
        activations: one name per layer, the output's last.
        dropout: rate behind each hidden activation.
    """

    def __init__(self, widths: list[int], activations: list[str], dropout: float = 0.0) -> None:
        super().__init__()
        pairs = zip(widths[:-1], widths[1:], strict=True)
        self.layers = nn.ModuleList(Affine(a, b) for a, b in pairs)
        self.activations = nn.ModuleList(ACTIVATIONS[name]() for name in activations)
        self.dropout = Dropout(dropout)
        self.names = list(activations)

    def forward(self, x: Tensor) -> Tensor:  # (batch, inputs) -> (batch, outputs)
        *hidden, readout = zip(self.layers, self.activations, strict=True)
        for layer, activation in hidden:
            x = self.dropout(activation(layer(x)))
        layer, activation = readout
        output: Tensor = activation(layer(x))
        return output

    def rows(self) -> list[Row]:
        last = len(self.layers) - 1
        found = []
        for index, (layer, name) in enumerate(zip(self.layers, self.names, strict=True)):
            assert isinstance(layer, nn.Linear)
            place = "output" if index == last else f"hidden {index + 1}"
            shape = f"{layer.in_features} -> {layer.out_features}"
            found.append(Row(place, shape, name, parameter_count(layer)))
        return found

    def __str__(self) -> str:
        return as_text(self.rows())


def build_mlp(
    model: MlpModel,
    task: Task,
    low: Tensor,
    high: Tensor,
    dtype: torch.dtype,
    generator: torch.Generator,
) -> Mlp:
    """The network a model section describes, its parameters drawn from ``generator``.

    Args:
        low, high: (inputs,) corners of the region that the network's inputs fill.
    """
    names = [*model.activations, model.output_activation]
    network = Mlp([task.inputs, *model.hidden, task.outputs], list(names), model.dropout)
    # Drawn in float64 and rounded: float32 and float64 runs start at the same point.
    network.double()
    layers = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    around = Surroundings(list(names), low.double(), high.double())
    initialize_(layers, around, model.initialization, generator)
    return network.to(dtype)
