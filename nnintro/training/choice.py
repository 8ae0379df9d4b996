"""Which engine carries out a config, decided from the config and the device alone.

Whether the fused engine's kernel happens to be compiled already must not matter: the same config
gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch

from nnintro.config.experiment import Experiment
from nnintro.config.model import MlpModel
from nnintro.engines.graph import MOST_BLOCKS
from nnintro.errors import ConfigError

AUTOGRAD_UPDATE_SECONDS = 2.5e-4
"""What autograd spends on calls for each block, about, whatever is in it."""
AUTOGRAD_FLOPS = 2e10
WORTH_SECONDS = 1.0
"""Autograd is done within this time, or it is worth loading (and once compiling) the kernel."""


Name = Literal["autograd", "fused", "graph"]


def choose_engine(experiment: Experiment, device: torch.device) -> Name:
    """The engine of ``training.engine``; for auto, the one that serves and pays on the device.

    On CUDA that is graph; elsewhere it is fused, where autograd would take its time.

    Raises:
        ConfigError: an engine is asked for that does not serve this config.
    """
    wanted = experiment.training.engine
    if wanted == "auto":
        return _fastest(experiment, device)
    reason = None if wanted == "autograd" else WHY_NOT[wanted](experiment, device)
    if reason is not None:
        raise not_served(wanted, reason)
    return wanted


def _fastest(experiment: Experiment, device: torch.device) -> Name:
    if not_graph_because(experiment, device) is None:
        return "graph"
    if not_fused_because(experiment, device) is not None:
        return "autograd"
    return "fused" if autograd_seconds(experiment) > WORTH_SECONDS else "autograd"


def passed_over(experiment: Experiment, device: torch.device) -> str | None:
    """Why auto does not take graph on CUDA; None where it does, and off CUDA."""
    if experiment.training.engine != "auto" or device.type != "cuda":
        return None
    return not_graph_because(experiment, device)


def not_served(engine: str, reason: str) -> ConfigError:
    return ConfigError.at(
        "training.engine", f"{engine} does not serve {reason}; expected auto or autograd"
    )


def not_graph_because(experiment: Experiment, device: torch.device) -> str | None:
    """What keeps a config from the graph engine, in a few words; None where nothing does."""
    if device.type != "cuda":
        return f"the device {device}"
    if experiment.task.image is not None:
        return "images"
    if experiment.descent.optimizer.kind == "lbfgs":
        return "the optimizer lbfgs"
    if experiment.descent.variant == "batch":
        blocks = -(-experiment.dataset.training_samples // experiment.batch_size)
        if blocks > MOST_BLOCKS:
            return f"updates of {blocks} blocks (at most {MOST_BLOCKS})"
    return None


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
    if getattr(experiment.dataset, "class_weights", "none") != "none":
        return "class weights"
    return "dropout" if model.dropout > 0 else None


WHY_NOT: dict[str, Callable[[Experiment, torch.device], str | None]] = {
    "fused": not_fused_because,
    "graph": not_graph_because,
}


def autograd_seconds(experiment: Experiment) -> float:
    """About how long autograd would take: calls for every block, and products of every sample."""
    assert isinstance(experiment.model, MlpModel)
    widths = [experiment.task.inputs, *experiment.model.hidden, experiment.task.outputs]
    weights = sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    n, size = experiment.dataset.training_samples, experiment.batch_size
    samples = n if experiment.descent.variant == "batch" else min(size, n)
    blocks = -(-samples // size)
    update = blocks * AUTOGRAD_UPDATE_SECONDS + 6 * weights * samples / AUTOGRAD_FLOPS
    return experiment.total_updates * update
