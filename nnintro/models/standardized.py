"""A network together with the shift and scale that its inputs were trained under."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from nnintro.models.table import Row, Tabulated, as_text


class Standardized(nn.Module):
    """network((x - mean) / scale): a trained model that needs nothing else for raw inputs.

    Mean, scale and the division are in float64, whatever the network's precision; only the quotient
    is rounded to it.  In float32 neighbouring Unix timestamps are one number, two minutes wide.

    Args:
        network: its parameters say in which precision it computes.
        mean, scale: (inputs,).
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.double())
        self.register_buffer("scale", scale.double())

    def forward(self, x: Tensor) -> Tensor:  # (batch, inputs) -> (batch, outputs)
        standard = (x.double() - self.mean) / self.scale
        output: Tensor = self.network(standard.to(precision_of(self.network)))
        return output

    def rows(self) -> list[Row]:
        features = len(self.mean)
        rest = cast(Tabulated, self.network).rows()
        return [Row("standardize", f"{features} -> {features}", "", 0), *rest]

    def __str__(self) -> str:
        return as_text(self.rows())


def precision_of(model: nn.Module) -> torch.dtype:
    """The type of a model's parameters and outputs."""
    return next(model.parameters()).dtype


def input_precision(model: nn.Module) -> torch.dtype:
    """The type in which a model's inputs lose nothing: float64 where it standardises them."""
    return torch.float64 if isinstance(model, Standardized) else precision_of(model)


def statistics(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each column, (features,) each; a constant one keeps scale 1.

    The deviation divides by n: the inputs are the whole population that training sees.
    """
    largest = inputs.abs().amax(0)
    # In units of a power of two, which rounds nothing: squares of 1e200 or 1e-200 leave the range.
    units = [math.ldexp(1.0, math.frexp(size)[1] - 1) for size in largest.tolist()]
    unit = torch.tensor(units, dtype=inputs.dtype)
    mean = (inputs / unit).mean(0) * unit
    scale = (inputs / unit).std(0, correction=0) * unit
    flat = scale <= 1e-12 * largest
    return mean, torch.where(flat, torch.ones_like(scale), scale)
