"""Build networks for a formula, and prove error bounds of any network."""

from __future__ import annotations

from nnintro.config.experiment import Experiment
from nnintro.errors import ConfigError
from nnintro.formula import Formula, parse


def formula_of(experiment: Experiment, command: str) -> tuple[Formula, list[tuple[float, float]]]:
    """The formula that a network is to be compared with, and its domain, (low, high) per input.

    Args:
        command: who asks, for the message.

    Raises:
        ConfigError: the dataset has no formula, or one of more than two inputs.
    """
    dataset = experiment.dataset
    if dataset.kind != "function":
        raise ConfigError.at("dataset.kind", f"{command} needs a formula: expected function")
    if len(dataset.domain) > 2:
        raise ConfigError.at("dataset.domain", f"{command} takes one or two inputs, got {len(dataset.domain)}")
    domain = [(float(low), float(high)) for low, high in dataset.domain]
    return parse(dataset.formula, len(domain)), domain
