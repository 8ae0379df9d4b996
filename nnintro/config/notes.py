"""What a valid config should still be told about: choices that train less than they seem to."""

from __future__ import annotations

from nnintro.config.experiment import Experiment
from nnintro.config.models.mlp import MlpModel, ZerosInitialization
from nnintro.config.models.unet import UnetModel


def notes(experiment: Experiment) -> list[str]:
    """Sentences for the user, none for most configs."""
    model = experiment.model
    found: list[str] = []
    if not experiment.is_known:
        return ["what follows from the data was not checked: training looks at its files first"]
    if experiment.total_updates == 0:
        return found  # nothing is trained
    if isinstance(model, UnetModel):
        return _of_blocks(experiment, model)
    if model.output_activation == "step":
        found.append(
            "the output activation is step: its gradient is zero everywhere, so nothing is trained"
        )
    elif "step" in model.activations:
        last = len(model.activations) - model.activations[::-1].index("step")
        found.append(
            f"hidden layer {last} has the activation step, whose gradient is zero everywhere: "
            f"only the layers behind it are trained"
        )
    if not isinstance(model, MlpModel) or not model.hidden:
        return found
    if isinstance(model.initialization, ZerosInitialization):
        found.append(
            "all weights start at zero: the units of a hidden layer get the same gradient and "
            "stay equal to each other"
        )
    return found


def _of_blocks(experiment: Experiment, model: UnetModel) -> list[str]:
    descent, n = experiment.descent, experiment.dataset.training_samples
    in_blocks = descent.variant == "batch" and experiment.batch_size < n
    if not in_blocks or model.normalization != "batch":
        return []
    return [
        "batch normalization takes its means over a block, not over all the data: in blocks of "
        f"{experiment.batch_size} this is not the update over all {n} images at once; "
        "normalization: group (or none) makes it so, for every size of block"
    ]
