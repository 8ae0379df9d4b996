"""The ``model`` section: the network; one file a kind."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from nnintro.config.models.mlp import MlpModel
from nnintro.config.models.steps import StepsModel
from nnintro.config.models.unet import UnetModel

Model = Annotated[MlpModel | StepsModel | UnetModel, Field(discriminator="kind")]

Layered = MlpModel | StepsModel
"""Models that are affine layers with activations between them."""


def resolved(model: Any) -> dict[str, Any]:
    """The settings whose default follows from others, written out."""
    if isinstance(model, StepsModel) and model.activation == "sigmoid":
        return {"steepness": model.weight}
    return {}
