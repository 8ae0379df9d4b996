"""A network together with the shift and scale that its inputs were trained under."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from nnintro.models.table import Row, Tabulated, as_text


class Standardized(nn.Module):
    """network((x - mean) / scale): a trained model that needs nothing else for raw inputs."""

    mean: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:  # (batch, inputs) -> (batch, outputs)
        output: Tensor = self.network((x - self.mean) / self.scale)
        return output

    def rows(self) -> list[Row]:
        features = len(self.mean)
        rest = cast(Tabulated, self.network).rows()
        return [Row("standardize", f"{features} -> {features}", "", 0), *rest]

    def __str__(self) -> str:
        return as_text(self.rows())


def statistics(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each column, (features,) each; a constant one keeps scale 1.

    The deviation divides by n: the inputs are the whole population that training sees.
    """
    mean = inputs.mean(0)
    scale = inputs.std(0, correction=0)
    flat = scale <= 1e-12 * inputs.abs().amax(0).clamp(min=1e-300)
    return mean, torch.where(flat, torch.ones_like(scale), scale)
