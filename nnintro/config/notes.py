"""What a valid config should still be told about: choices that train less than they seem to."""

from __future__ import annotations

from nnintro.config.experiment import Experiment
from nnintro.config.model import ZerosInitialization


def notes(experiment: Experiment) -> list[str]:
    """Sentences for the user, none for most configs."""
    model, found = experiment.model, []
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
    if isinstance(model.initialization, ZerosInitialization) and model.hidden:
        found.append(
            "all weights start at zero: the units of a hidden layer get the same gradient and "
            "stay equal to each other"
        )
    return found
