"""Model section -> torch.nn.Module."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from nnintro.models.activations import ACTIVATIONS, Dropout
from nnintro.models.initialization import INITIALIZATIONS
from nnintro.models.layers import Row, Tabulated, as_text, parameter_count
from nnintro.models.mlp import Mlp, build_mlp
from nnintro.models.standardized import (
    Standardization,
    Standardized,
    input_precision,
    output_precision,
    precision_of,
    statistics,
)
from nnintro.models.steps import Steps, build_steps
from nnintro.models.unet import Unet, build_unet

__all__ = [
    "ACTIVATIONS",
    "INITIALIZATIONS",
    "MODELS",
    "Dropout",
    "Mlp",
    "Row",
    "Standardization",
    "Standardized",
    "Steps",
    "Tabulated",
    "Unet",
    "as_text",
    "input_precision",
    "output_precision",
    "parameter_count",
    "precision_of",
    "statistics",
]

MODELS: dict[str, Callable[..., nn.Module]] = {
    "mlp": build_mlp,
    "steps": build_steps,
    "unet": build_unet,
}
"""kind -> (section, task, low, high, dtype, generator) -> module."""
