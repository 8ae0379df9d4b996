"""dataset kind ``function``: samples of a formula over a box."""

from __future__ import annotations

import torch
from torch import Tensor

from nnintro.config.datasets.function import FunctionDataset, grid_side
from nnintro.datasets.samples import Data, Splits, Truth, noisy
from nnintro.errors import ConfigError
from nnintro.formula import parse, torch_function
from nnintro.formula.tree import variable_names

VALIDATION_POINTS = 2001
VALIDATION_POINTS_MANY_INPUTS = 20_000
MOST_INPUTS_OF_A_GRID = 4


def build_function(dataset: FunctionDataset, data: torch.Generator, *_: object) -> Splits:
    """Sample the formula; validation is a dense noise-free grid over the same box, or the samples without noise."""
    function = torch_function(parse(dataset.formula, len(dataset.domain)))
    domain = torch.tensor(dataset.domain, dtype=torch.float64)  # (inputs, 2)
    low, high = domain[:, 0], domain[:, 1]

    if dataset.sampling == "grid":
        inputs = grid(low, high, grid_side(dataset.samples, len(low)))
    else:
        uniform = torch.rand(dataset.samples, len(low), generator=data, dtype=torch.float64)
        inputs = low + (high - low) * uniform
    values = finite_values(function, inputs)
    train = Data(inputs, noisy(values, dataset.noise, data))
    if dataset.validation == "samples":
        return Splits(train, Data(inputs, values), low, high)

    dense = dense_grid(low, high)
    validation = Data(dense, finite_values(function, dense))
    return Splits(train, validation, low, high, truth=function)


def grid(low: Tensor, high: Tensor, side: int) -> Tensor:
    """(side**inputs, inputs): ``side`` evenly spaced points along each axis, corners included.

    The last input varies fastest.
    """
    axes = [torch.linspace(float(a), float(b), side, dtype=torch.float64) for a, b in zip(low, high, strict=True)]
    return torch.cartesian_prod(*axes).reshape(-1, len(axes))


def dense_grid(low: Tensor, high: Tensor) -> Tensor:
    """Validation points: a grid in up to four dimensions, Sobol's sequence in more.

    In many dimensions a grid of affordable size has only corners; Sobol's points (with the box's
    own scaling) keep filling the inside.
    """
    inputs = len(low)
    if inputs == 1:
        return grid(low, high, VALIDATION_POINTS)
    if inputs <= MOST_INPUTS_OF_A_GRID:
        return grid(low, high, grid_side(VALIDATION_POINTS_MANY_INPUTS, inputs))
    sequence = torch.quasirandom.SobolEngine(inputs)  # type: ignore[no-untyped-call]
    points = sequence.draw(VALIDATION_POINTS_MANY_INPUTS, dtype=torch.float64)
    return low + (high - low) * points


def finite_values(function: Truth, inputs: Tensor) -> Tensor:
    """The formula at (n, inputs), (n, 1); ConfigError where it is not finite."""
    values = function(inputs)
    bad = (~values.isfinite()).nonzero()
    if len(bad):
        point = inputs[bad[0, 0]].tolist()
        at = ", ".join(f"{n} = {value:g}" for n, value in zip(variable_names(len(point)), point, strict=True))
        raise ConfigError.at("dataset.formula", f"not a finite number at {at}, which is in the domain")
    return values
