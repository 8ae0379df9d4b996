"""A network together with what its inputs go through: basis functions, and standardisation as of its targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.formula import Formula
from nnintro.models.basis import basis_functions
from nnintro.models.network import Network, Row


@dataclass(frozen=True)
class Standardization:
    """(x - mean) / scale for each feature, (features,) each in float64; 0 and 1 leave one alone."""

    mean: Tensor
    scale: Tensor

    @classmethod
    def none(cls, columns: int) -> Standardization:
        """Leaves every column as it is."""
        return cls(torch.zeros(columns), torch.ones(columns))


class Standardized(Network):
    """network((x - mean) / scale): a trained model that needs nothing else for raw inputs.

    With basis functions phi it is network((phi(x) - mean) / scale). Where the targets were standardised too,
    target_scale * network(...) + target_mean: the outputs are in the targets' own units.

    Means, scales and what is done with them are in float64, whatever the network's precision; only the quotient is
    rounded to it. In float32 neighbouring Unix timestamps are one number, two minutes wide.

    Args:
        network: its parameters say in which precision it computes.
        inputs: None for inputs as they are.
        targets: None for targets as they are.
        basis: formulas of the inputs, which take their place; none for the inputs themselves.
    """

    takes = "rows"
    standardizes_itself = True
    target_mean: Tensor
    target_scale: Tensor

    def __init__(
        self,
        network: nn.Module,
        inputs: Standardization | None,
        targets: Standardization | None = None,
        basis: Sequence[Formula] = (),
    ) -> None:
        super().__init__()
        self.network, self.basis, self.has_inputs = network, tuple(basis), inputs is not None
        inputs = inputs or Standardization.none(len(self.basis))
        self.register_buffer("mean", inputs.mean.double())
        self.register_buffer("scale", inputs.scale.double())
        self.has_targets = targets is not None
        if targets is not None:
            self.register_buffer("target_mean", targets.mean.double())
            self.register_buffer("target_scale", targets.scale.double())

    def forward(self, x: Tensor) -> Tensor:  # (batch, inputs) -> (batch, outputs)
        standard = (self.features(x) - self.mean) / self.scale
        return self.unscaled(self.network(standard.to(precision_of(self.network))))

    def features(self, x: Tensor) -> Tensor:
        """What is standardised, in float64: (batch, inputs) themselves, or (batch, formulas) their basis functions."""
        return basis_functions(self.basis, x.double()) if self.basis else x.double()

    def unscaled(self, output: Tensor) -> Tensor:
        """The network's outputs, (batch, outputs), in the targets' own units, then in float64:
        in float32 neighbouring numbers about 1e9 are 64 apart."""
        if not self.has_targets:
            return output
        return output.double() * self.target_scale + self.target_mean

    def scaled(self, targets: Tensor) -> Tensor:
        """Targets, (batch, outputs), in the units that the network is trained in."""
        if not self.has_targets:
            return targets
        mean, scale = (t.to(targets.device) for t in (self.target_mean, self.target_scale))
        return (targets - mean) / scale

    def rows(self) -> list[Row]:
        count = len(self.mean)
        rows = [Row("basis", f"{len(self.basis[0].variables)} -> {count}", "", 0)] if self.basis else []
        if self.has_inputs:
            rows.append(Row("standardize", f"{count} -> {count}", "", 0))
        rows += cast(Network, self.network).rows()
        if self.has_targets:
            rows.append(Row("in units", f"{len(self.target_mean)} -> {len(self.target_mean)}", "", 0))
        return rows

    def architecture(self) -> dict[str, Any]:
        standardize = "both" if self.has_targets else "inputs" if self.has_inputs else "none"
        inside = {**cast(Network, self.network).architecture(), "standardize": standardize}
        if not self.basis:
            return inside
        # ``inputs`` is what the whole model takes; the network inside takes one input a formula.
        variables = list(self.basis[0].variables)
        texts = [str(formula) for formula in self.basis]
        return {**inside, "inputs": len(variables), "basis": texts, "variables": variables}


def precision_of(model: nn.Module) -> torch.dtype:
    """The type of a model's parameters."""
    return next(model.parameters()).dtype


def output_precision(model: nn.Module) -> torch.dtype:
    """The type of a model's outputs: float64 where it gives them in the targets' own units."""
    in_units = isinstance(model, Standardized) and model.has_targets
    return torch.float64 if in_units else precision_of(model)


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


Array = np.ndarray[Any, Any]


def numpy_type(dtype: torch.dtype) -> np.dtype[Any]:
    """numpy's type of the same numbers."""
    return np.dtype(str(dtype).removeprefix("torch."))
