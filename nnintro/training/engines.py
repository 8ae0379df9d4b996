"""The engine of an experiment: which one, and what it takes from the config."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from nnintro.config.experiment import Experiment
from nnintro.config.model import MlpModel
from nnintro.datasets import Data, Samples
from nnintro.descent.schedules import learning_rate, learning_rates
from nnintro.descent.variants import Batches, Order, Plan, Rows, in_place, shuffled
from nnintro.engines.autograd import Autograd
from nnintro.engines.captured.launch import Captured, CaptureError, Launching
from nnintro.engines.engine import Engine, Interrupted
from nnintro.engines.graph import Graph
from nnintro.models import Dropout
from nnintro.training.choice import choose_engine, not_served, passed_over
from nnintro.training.losses import Loss
from nnintro.training.streams import derive, stream

if TYPE_CHECKING:
    from nnintro.datasets.images import ImageData

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
    from nnintro.engines.fused import Fused
    from nnintro.engines.problem import Problem

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


def autocast_for(experiment: Experiment, device: torch.device) -> Autocast:
    if experiment.precision != "bfloat16":
        return contextlib.nullcontext
    return lambda: torch.autocast(device.type, dtype=torch.bfloat16)
