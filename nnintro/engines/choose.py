"""The engine of an experiment: which one, and what it takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch import nn

from nnintro.config.experiment import Experiment
from nnintro.config.models.mlp import MlpModel
from nnintro.datasets import Data, Samples
from nnintro.descent.schedules import learning_rate, learning_rates
from nnintro.descent.streams import derive, stream
from nnintro.descent.variants import Batches, Order, Plan, Rows, in_place, shuffled
from nnintro.engines.autograd import Autograd
from nnintro.engines.captured.launch import Captured, CaptureError, Launching
from nnintro.engines.engine import Engine, Interrupted
from nnintro.engines.graph import MOST_BLOCKS, Graph
from nnintro.errors import ConfigError
from nnintro.models import Dropout
from nnintro.models.forward import autocast_for
from nnintro.objectives.losses import Loss

if TYPE_CHECKING:
    from nnintro.datasets.images import ImageData


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


Autocast = Callable[[], contextlib.AbstractContextManager[Any]]


def build_engine(
    experiment: Experiment,
    network: nn.Module,
    train: Samples,
    plan: Plan,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    say: Callable[[str], None],
    interrupted: Interrupted,
) -> Engine:
    """The engine that is chosen; autograd, and a word about it, where CUDA refuses a capture."""
    device = next(network.parameters()).device
    choice, reason = choose_engine(experiment, device), passed_over(experiment, device)
    if choice == "graph":
        try:
            assert isinstance(train, Data)
            return build_graph(experiment, network, train, plan, optimizer, loss)
        except CaptureError as error:
            choice, reason = "autograd", f"this config on {device}: {error}"
            if experiment.training.engine == "graph":
                raise not_served("graph", reason) from error
    if reason is not None:
        say(f"engine: autograd, for graph does not serve {reason}")
    if choice == "fused":
        assert isinstance(train, Data)
        return _fused(experiment, network, train, plan, optimizer, say, interrupted)
    return _autograd(experiment, network, train, plan, optimizer, loss)


def _autograd(
    experiment: Experiment,
    network: nn.Module,
    train: Samples,
    plan: Plan,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
) -> Engine:
    device = next(network.parameters()).device
    return Autograd(
        network=network,
        loss=loss,
        plan=plan,
        batches=_batches(experiment, train, plan),
        optimizer=optimizer,
        learning_rate=learning_rate(experiment.descent, experiment.total_updates),
        clip_norm=experiment.descent.clip_norm,
        autocast=autocast_for(experiment, device),
        before_update=_dropout_stream(network, experiment.seed, device),
    )


def _batches(experiment: Experiment, train: Samples, plan: Plan) -> Rows:
    order, seed = _order(experiment, plan), experiment.seed
    if isinstance(train, Data):
        return Batches(train.inputs, train.targets, order, plan.batch_size)
    return cast("ImageData", train).batches(
        order, plan.batch_size, lambda epoch: derive(seed, "augmentation", epoch)
    )


def _fused(
    experiment: Experiment,
    network: nn.Module,
    train: Data,
    plan: Plan,
    optimizer: torch.optim.Optimizer,
    say: Callable[[str], None],
    interrupted: Interrupted,
) -> Engine:
    from nnintro.engines.fused import Fused, Problem

    model, task, loss = experiment.model, experiment.task, experiment.loss_name
    assert isinstance(model, MlpModel)
    several = task.kind == "multiclass"
    problem = Problem(
        widths=[task.inputs, *model.hidden, task.outputs],
        activations=[*model.activations, model.output_activation],
        loss=task.kind if experiment.logits else loss,
        one_hot=several and not experiment.logits,
    )
    return Fused(
        network,
        problem,
        plan,
        train.inputs,
        train.targets,
        _order(experiment, plan),
        optimizer,
        learning_rates(experiment.descent, experiment.total_updates),
        experiment.descent.clip_norm,
        torch.get_num_threads(),
        say,
        interrupted,
    )


def build_graph(
    experiment: Experiment,
    network: nn.Module,
    train: Data,
    plan: Plan,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    launching: Launching = Captured,
) -> Engine:
    device = train.inputs.device
    before_update = _dropout_stream(network, experiment.seed, device)
    drawn_from = {m.generator for m in network.modules() if isinstance(m, Dropout)} - {None}
    return Graph(
        network,
        loss,
        plan,
        train.inputs,
        train.targets,
        _order(experiment, plan),
        optimizer,
        learning_rates(experiment.descent, experiment.total_updates),
        experiment.descent.clip_norm,
        autocast_for(experiment, device),
        before_update,
        tuple(cast(set[torch.Generator], drawn_from)),
        launching,
    )


def _order(experiment: Experiment, plan: Plan) -> Order:
    # One update over all the data has no order but that of its rounding.
    if plan.variant == "batch" or not experiment.descent.shuffle:
        return in_place
    return shuffled(plan.samples, lambda epoch: stream(experiment.seed, "order", epoch))


def _dropout_stream(
    network: nn.Module, seed: int, device: torch.device
) -> Callable[[int], None] | None:
    """Sets dropout's stream to an update, so that its masks too are a function of the update."""
    layers = [m for m in network.modules() if isinstance(m, Dropout) and m.rate > 0]
    if not layers:
        return None
    generator = torch.Generator(device)
    for layer in layers:
        layer.generator = generator

    def to_update(step: int) -> None:
        generator.manual_seed(derive(seed, "dropout", step))

    return to_update
