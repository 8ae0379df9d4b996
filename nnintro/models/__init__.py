"""Networks, one module per kind of model, and their wrappers."""

from __future__ import annotations

from nnintro.models.activations import ACTIVATIONS, Dropout
from nnintro.models.initialization import INITIALIZATIONS
from nnintro.models.mlp import Mlp
from nnintro.models.network import Network, parameter_count
from nnintro.models.standardized import (
    Standardization,
    Standardized,
    input_precision,
    output_precision,
    precision_of,
    statistics,
)
from nnintro.models.steps import Steps
from nnintro.models.unet import Unet

__all__ = [
    "ACTIVATIONS",
    "INITIALIZATIONS",
    "MODELS",
    "Dropout",
    "Mlp",
    "Network",
    "Standardization",
    "Standardized",
    "Steps",
    "Unet",
    "input_precision",
    "output_precision",
    "parameter_count",
    "precision_of",
    "statistics",
]

MODELS: dict[str, type[Network]] = {"mlp": Mlp, "steps": Steps, "unet": Unet}
"""``model.kind`` -> its network: the one place outside the config that knows all kinds."""
