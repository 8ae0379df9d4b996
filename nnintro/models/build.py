"""Model section -> the network to train and the model to save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nnintro.config.experiment import Setup
from nnintro.config.models import Model
from nnintro.config.task import Task
from nnintro.descent.streams import stream
from nnintro.errors import CheckpointError
from nnintro.formula import Formula, parse
from nnintro.models import MODELS, Network, Standardization, Standardized
from nnintro.models.network import Box

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
    basis: tuple[Formula, ...] = ()
    """Formulas that the network takes in place of the inputs: then the others are of their values."""

    @classmethod
    def unknown(cls, setup: Setup) -> Region:
        """One of the right shapes, for a network that parameters are to be loaded into."""
        task, wanted = setup.network_task, setup.dataset.standardize
        if wanted == "both" and task.kind != "regression":
            wanted = "inputs"  # classes stay as they are
        return cls.of_shape(task.inputs, task.outputs, wanted, setup.basis)

    @classmethod
    def of_shape(cls, inputs: int, outputs: int, standardize: str, basis: tuple[Formula, ...] = ()) -> Region:
        return cls(
            -torch.ones(inputs),
            torch.ones(inputs),
            None if standardize == "none" else Standardization.none(inputs),
            Standardization.none(outputs) if standardize == "both" else None,
            basis,
        )


def build_model(setup: Setup, region: Region) -> tuple[Network, Network]:
    """The network to train and the model to save, on the CPU.

    They are one and the same where nothing is standardised, and where the network standardises its inputs itself.
    """
    low, high, around = region.low, region.high, region.inputs
    if around is not None:
        low, high = (low - around.mean) / around.scale, (high - around.mean) / around.scale
    generator = stream(setup.seed, "initialization")
    network = build_network(setup.model, setup.network_task, (low, high), DTYPES[setup.precision], generator)
    return network, with_units(network, region)


def build_network(section: Model, task: Task, box: Box, dtype: torch.dtype, generator: torch.Generator) -> Network:
    """The network that a model section describes, its parameters drawn from ``generator``.

    Args:
        box: the region that the network's inputs fill.

    Raises:
        ConfigError: the network cannot be trained on the task's data.
    """
    network = MODELS[section.kind].from_section(section, task)
    # Drawn in float64 and rounded: float32 and float64 runs start at the same point.
    network.double()
    network.initialize_(section, box, generator)
    return network.to(dtype)


def with_units(network: Network, region: Region) -> Network:
    """The network with the region's standardisation in it, or with that and the basis functions around it."""
    if region.inputs is None and not region.basis:
        return network
    if network.standardizes_itself and region.inputs is not None:
        network.standardize_(region.inputs.mean, region.inputs.scale)
        return network
    return Standardized(network, region.inputs, region.targets, region.basis)


def outline(setup: Setup) -> Network:
    """The model that a training saves, in shapes without numbers: nothing is allocated, nothing is drawn."""
    with torch.device("meta"):
        network = MODELS[setup.model.kind].from_section(setup.model, setup.network_task)
    # The region is outside: arithmetic on the meta device imports sympy and torch._dynamo, which takes a second.
    return with_units(network, Region.unknown(setup))


def rebuilt(architecture: Mapping[str, Any], dtype: torch.dtype) -> Network:
    """The model of that ``architecture()``, its parameters and statistics still to be loaded."""
    basis = tuple(parse(text, architecture["variables"]) for text in architecture.get("basis", ()))
    inputs, outputs = len(basis) or architecture["inputs"], architecture["outputs"]
    network = MODELS[architecture["kind"]].from_architecture({**architecture, "inputs": inputs}).to(dtype)
    return with_units(network, Region.of_shape(inputs, outputs, architecture.get("standardize", "none"), basis))


def require_shapes(module: nn.Module, parameters: Any, where: str) -> None:
    """Raise CheckpointError where saved parameters are not of the shapes of a module."""
    for name, tensor in module.state_dict().items():
        found = parameters.get(name) if isinstance(parameters, Mapping) else None
        shape = tuple(found.shape) if isinstance(found, Tensor) else None
        if shape != tuple(tensor.shape):
            what = f"of shape {shape}" if shape is not None else "missing"
            raise CheckpointError(
                f"{where}: the checkpoint is of another model than config.yaml: {name} is {what}, "
                f"not of shape {tuple(tensor.shape)}"
            )


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
        raise CheckpointError(f"{where}: the checkpoint is of another model than config.yaml: {reason}") from error
