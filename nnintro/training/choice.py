"""Which engine carries out a config, decided from the config and the device alone.

Whether the fused engine's kernel happens to be compiled already must not matter: the same config
gives the same bits.
"""

from __future__ import annotations

from typing import Literal

import torch

from nnintro.config.experiment import Experiment
from nnintro.config.model import MlpModel
from nnintro.errors import ConfigError

AUTOGRAD_UPDATE_SECONDS = 2.5e-4
"""What autograd spends on calls for each block, about, whatever is in it."""
AUTOGRAD_FLOPS = 2e10
WORTH_SECONDS = 1.0
"""Autograd is done within this time, or it is worth loading (and once compiling) the kernel."""


def choose_engine(experiment: Experiment, device: torch.device) -> Literal["autograd", "fused"]:
    """The engine of ``training.engine``; for auto, fused where it serves and where it pays.

    Raises:
        ConfigError: fused is asked for, and it does not serve this config.
    """
    reason = not_fused_because(experiment, device)
    wanted = experiment.training.engine
    if wanted == "fused" and reason is not None:
        raise ConfigError.at(
            "training.engine", f"fused does not serve {reason}; expected auto or autograd"
        )
    if wanted == "autograd" or reason is not None:
        return "autograd"
    return (
        "fused" if wanted == "fused" or autograd_seconds(experiment) > WORTH_SECONDS else "autograd"
    )


def not_fused_because(experiment: Experiment, device: torch.device) -> str | None:
    """What keeps a config from the fused engine, in a few words; None where nothing does."""
    model = experiment.model
    if not isinstance(model, MlpModel):
        return f"model kind {model.kind}"
    if device.type != "cpu":
        return f"the device {device}"
    if experiment.precision == "bfloat16":
        return "precision bfloat16"
    if experiment.descent.optimizer.kind == "lbfgs":
        return "the optimizer lbfgs"
    return "dropout" if model.dropout > 0 else None


def autograd_seconds(experiment: Experiment) -> float:
    """About how long autograd would take: calls for every block, and products of every sample."""
    widths = [experiment.task.inputs, *experiment.model.hidden, experiment.task.outputs]
    weights = sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    n, size = experiment.dataset.training_samples, experiment.batch_size
    samples = n if experiment.descent.variant == "batch" else min(size, n)
    blocks = -(-samples // size)
    update = blocks * AUTOGRAD_UPDATE_SECONDS + 6 * weights * samples / AUTOGRAD_FLOPS
    return experiment.total_updates * update
