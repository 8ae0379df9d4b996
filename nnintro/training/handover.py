"""Initialize a network from a construction: replace its steps by steep sigmoids."""

from __future__ import annotations

import torch
from torch import nn

from nnintro.config.experiment import Setup
from nnintro.errors import ConfigError


def hand_over(network: nn.Module, setup: Setup) -> None:
    """Put the construction for the setup's formula into its network, in place.

    Does nothing where the initialization is another one.  A step of height h at s becomes a unit
    h sigmoid(w (x - s)); units that are left over stay as they are, behind those.

    Raises:
        ConfigError: the construction takes more units than there are, the formula has no finite
            value somewhere, or python-flint is missing.
    """
    start = setup.experiment.start_from_steps
    if start is None:
        return
    formula, (low, high), initialization = start
    first, readout = (m for m in network.modules() if isinstance(m, nn.Linear))
    units = first.out_features
    steps, offset = _steps(formula, (low, high), units, initialization.error)
    places = [place for place, _ in steps]
    left = units - len(steps)
    places += [low + (k + 0.5) / left * (high - low) for k in range(left)]
    heights = [height for _, height in steps] + [0.0] * left
    weight = initialization.steepness / (high - low)
    with torch.no_grad():
        first.weight.fill_(weight)
        first.bias.copy_(-weight * torch.tensor(places, dtype=torch.float64))
        readout.weight.copy_(torch.tensor([heights], dtype=torch.float64))
        readout.bias.fill_(offset)


def _steps(
    text: str, domain: tuple[float, float], units: int, error: float | None
) -> tuple[list[tuple[float, float]], float]:
    """(place, height) of each step, and the offset."""
    key = "model.initialization"
    try:
        from nnintro.proofs.balls import precision
        from nnintro.proofs.construction import construct_for_error, construct_with_neurons
        from nnintro.proofs.target import Target
    except ImportError as missing:
        message = f"steps needs python-flint: pip install 'nnintro[certify]' ({missing})"
        raise ConfigError.at(key, message) from missing
    from nnintro.formula import parse

    with precision():
        target = Target(parse(text, 1), *domain)
        found = construct_with_neurons(target, units) if error is None else construct_for_error(target, error)
    if len(found.steps) > units:
        raise ConfigError.at(
            f"{key}.error",
            f"an error of {error:g} takes {len(found.steps):,} steps, and the hidden layer has "
            f"{units:,} units; expected a larger error, or more units",
        )
    return found.steps, found.values[0]
