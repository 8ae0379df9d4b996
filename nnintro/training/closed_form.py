"""Linear regression in closed form: the least-squares solution beside the neuron that descent trained."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.config.experiment import Setup
from nnintro.datasets import Data, Splits, input_names
from nnintro.datasets.samples import prepared
from nnintro.models import Mlp, Standardized
from nnintro.training.words import Finding

MOST_WORK = 2e9
"""Samples times squared columns: a second or so of a singular value decomposition."""
MOST_SHOWN = 12
"""Coefficients that are printed one by one."""
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class LeastSquares:
    """All parameters of one affine layer that make the mean squared error the least.

    Attributes:
        loss: that least error, in the units that the network is trained in.
        parameters: (inputs + 1, outputs) weights, the biases last: of all that reach it the shortest.
        rank: of the inputs with a column of ones; below ``len(parameters)`` many reach it.
        directions: (rank, inputs + 1) orthonormal rows: along them the error rises, along others it does not.
    """

    loss: float
    parameters: Tensor
    rank: int
    directions: Tensor

    def distance(self, parameters: Tensor) -> float:
        """The Euclidean distance of (inputs + 1, outputs) parameters from the nearest that reach it."""
        return float((self.directions @ (parameters - self.parameters)).norm())


def solve(inputs: Tensor, targets: Tensor) -> LeastSquares:
    """Minimise (1/n) sum |x_i W + b - y_i|^2, of (n, inputs) and (n, outputs), by the singular values of [x, 1].

    Its columns are of length 1 meanwhile: which of them are collinear does not depend on their units.  Golub and Van
    Loan, Matrix Computations, 4th edition, sections 5.3.6 and 5.5.
    """
    columns = torch.cat([inputs, torch.ones_like(inputs[:, :1])], dim=1).double()
    sizes = columns.norm(dim=0)
    sizes = torch.where(sizes > 0, sizes, torch.ones_like(sizes))
    left, values, right = torch.linalg.svd(columns / sizes, full_matrices=False)
    # float32 data is exact only up to rounding: smaller singular values are noise.
    is_double = inputs.dtype == torch.float64
    smallest = values[0] * torch.finfo(inputs.dtype).eps * (max(columns.shape) if is_double else 4)
    rank = int((values > smallest).sum())
    left, values, right = left[:, :rank], values[:rank], right[:rank]
    coordinates = (left.T @ targets.double()) / values[:, None]
    if rank == len(sizes):
        parameters, directions = right.T @ coordinates / sizes[:, None], torch.eye(rank, dtype=torch.float64)
    else:
        # All p with (right * sizes) p = coordinates are as good; the rows span the directions that matter.
        basis, triangle = torch.linalg.qr((right * sizes).T)
        parameters, directions = basis @ torch.linalg.solve(triangle.T, coordinates), basis.T
    residual = columns @ parameters - targets.double()
    return LeastSquares(float(residual.square().mean()), parameters, rank, directions)


class Line:
    """A network of one affine layer under the mean squared error, and the closed form of its task."""

    def __init__(self, model: nn.Module, splits: Splits[Any], names: Sequence[str]) -> None:
        self.model, self._splits = model, splits
        self.names = [*names, "bias"]

    @property
    def parameters(self) -> Tensor:
        """(inputs + 1, outputs) of the network as it is now, in its own units."""
        network = self.model.network if isinstance(self.model, Standardized) else self.model
        assert isinstance(network, Mlp)
        (layer,) = network.affine
        return torch.cat([layer.weight.detach().T, layer.bias.detach()[None]]).double().cpu()

    @functools.cached_property
    def solution(self) -> LeastSquares:
        data = prepared(self._splits.train, self.model)
        return solve(data.inputs, data.targets)

    def in_units(self, parameters: Tensor) -> Tensor:
        """(inputs + 1, outputs) parameters for inputs (or basis functions) and targets in their own units."""
        if not isinstance(self.model, Standardized):
            return parameters
        weights = parameters[:-1] / self.model.scale.cpu()[:, None]
        bias = parameters[-1] - self.model.mean.cpu() @ weights
        both = torch.cat([weights, bias[None]])
        if not self.model.has_targets:
            return both
        both = both * self.model.target_scale.cpu()
        both[-1] += self.model.target_mean.cpu()
        return both

    def arrays(self) -> dict[str, Array]:
        """What the figure draws: ``trained`` and ``optimal`` (inputs + 1, outputs), in their own units."""
        return {
            "trained": self.in_units(self.parameters).numpy(),
            "optimal": self.in_units(self.solution.parameters).numpy(),
        }


def line_of(model: nn.Module, setup: Setup, splits: Splits[Any]) -> Line | None:
    """The linear regression that a training is; None where it is something else, or too large to solve beside it."""
    network = model.network if isinstance(model, Standardized) else model
    if not isinstance(network, Mlp) or network.names != ["identity"] or setup.loss_name != "mse":
        return None
    if setup.task.kind != "regression" or not isinstance(splits.train, Data):
        return None
    if len(splits.train) * (network.widths[0] + 1) ** 2 > MOST_WORK:
        return None
    return Line(model, splits, [str(f) for f in setup.basis] or input_names(setup))


def least_squares(model: nn.Module, setup: Setup, splits: Splits[Any], train_loss: float) -> Finding | None:
    """How far the trained neuron is from the best one there is, in its loss and in its parameters."""
    line = line_of(model, setup, splits)
    if line is None:
        return None
    best, wanted = line.solution, line.in_units(line.solution.parameters)
    distance = best.distance(line.parameters)
    values = {
        "loss": best.loss,
        "trained_loss": train_loss,
        "distance": distance,
        "rank": best.rank,
        "parameters": len(best.parameters),
        "weights": wanted[:-1].T.tolist(),
        "bias": wanted[-1].tolist(),
    }
    fact = f"loss {best.loss:.6g}; trained {train_loss:.6g}, its parameters {distance:.3g} away"
    if isinstance(model, Standardized) and model.has_inputs:
        fact += " (of standardised data; below, in units)"
    if best.rank < len(best.parameters):
        fact += (
            f"\nthe data do not tell {len(best.parameters)} parameters apart (rank {best.rank}): many reach that "
            "loss; shown is the shortest, the distance is to the nearest"
        )
    return Finding("least_squares", values, {"least squares": "\n".join([fact, *_table(line, wanted)])})


def _table(line: Line, wanted: Tensor) -> Iterator[str]:
    """A row for each coefficient, of one output: its name, the closed form's value, the trained one."""
    if wanted.shape[1] != 1 or len(wanted) > MOST_SHOWN:
        return
    trained = line.in_units(line.parameters)
    rows = [("", "closed form", "trained")]
    rows += [(n, f"{a:.6g}", f"{b:.6g}") for n, a, b in zip(line.names, wanted[:, 0], trained[:, 0], strict=True)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, best, found in rows:
        yield f"{name:<{widths[0]}}  {best:>{widths[1]}}  {found:>{widths[2]}}"
