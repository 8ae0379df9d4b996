"""Model section -> the network to train and the model to save."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nnintro.config.experiment import Setup
from nnintro.descent.streams import stream
from nnintro.errors import CheckpointError
from nnintro.models import MODELS, Standardization, Standardized, Unet

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


@dataclass(frozen=True)
class Region:
    """Where the data lies, which a network is built around; all in the data's own units."""

    low: Tensor
    """(inputs,) lower corner of the box that the inputs fill."""
    high: Tensor
    """(inputs,) upper corner."""
    inputs: Standardization | None = None
    """Of the inputs (of images: of their channels); None where they are taken as they are."""
    targets: Standardization | None = None

    @classmethod
    def unknown(cls, setup: Setup) -> Region:
        """One of the right shapes, for a network that parameters are to be loaded into."""
        inputs, outputs = setup.task.inputs, setup.task.outputs
        wanted, is_regression = setup.dataset.standardize, setup.task.kind == "regression"
        return cls(
            -torch.ones(inputs),
            torch.ones(inputs),
            None if wanted == "none" else Standardization.none(inputs),
            Standardization.none(outputs) if wanted == "both" and is_regression else None,
        )


def build_model(setup: Setup, region: Region) -> tuple[nn.Module, nn.Module]:
    """The network to train and the model to save, on the CPU.

    They are one and the same where nothing is standardised, and of images, which the network
    standardises itself.
    """
    dtype, task, section = DTYPES[setup.precision], setup.task, setup.model
    around, low, high = region.inputs, region.low, region.high
    if around is not None:
        low, high = (low - around.mean) / around.scale, (high - around.mean) / around.scale
    generator = stream(setup.seed, "initialization")
    network = MODELS[section.kind](section, task, low, high, dtype, generator)
    if around is None:
        return network, network
    if isinstance(network, Unet):  # which shifts and scales its channels itself
        network.standardize_(around.mean, around.scale)
        return network, network
    targets = region.targets
    units = (None, None) if targets is None else (targets.mean, targets.scale)
    return network, Standardized(network, around.mean, around.scale, *units)


def load_parameters(module: nn.Module, parameters: Any, where: str) -> None:
    """Put saved parameters into a module.

    Raises:
        CheckpointError: they are of another module.
    """
    try:
        for name, tensor in module.state_dict().items():
            if parameters[name].dtype != tensor.dtype:
                raise TypeError(f"{name} is of type {parameters[name].dtype}")
        module.load_state_dict(parameters)
    except (RuntimeError, KeyError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())
        message = f"{where}: the checkpoint is of another model than config.yaml: {reason}"
        raise CheckpointError(message) from error
