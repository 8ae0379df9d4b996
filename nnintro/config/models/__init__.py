"""The ``model`` section: the network; one file a kind."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nnintro.config.models.mlp import MlpModel
from nnintro.config.models.steps import StepsModel
from nnintro.config.models.unet import UnetModel

Model = Annotated[MlpModel | StepsModel | UnetModel, Field(discriminator="kind")]
