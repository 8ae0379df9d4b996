"""The engine of an setup: which one, and what it takes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch import nn

from nnintro.config.experiment import Setup
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


def choose_engine(setup: Setup, device: torch.device) -> Name:
    """The engine of ``training.engine``; for auto, the one that serves and pays on the device.

    On CUDA that is graph; elsewhere it is fused, where autograd would take its time.

    Raises:
        ConfigError: an engine is asked for that does not serve this config.
    """
    wanted = setup.training.engine
    if wanted == "auto":
        return _fastest(setup, device)
    reason = None if wanted == "autograd" else WHY_NOT[wanted](setup, device)
    if reason is not None:
        raise not_served(wanted, reason)
    return wanted


def _fastest(setup: Setup, device: torch.device) -> Name:
    if not_graph_because(setup, device) is None:
        return "graph"
    if not_fused_because(setup, device) is not None:
        return "autograd"
    return "fused" if autograd_seconds(setup) > WORTH_SECONDS else "autograd"


def passed_over(setup: Setup, device: torch.device) -> str | None:
    """Why auto does not take graph on CUDA; None where it does, and off CUDA."""
    if setup.training.engine != "auto" or device.type != "cuda":
        return None
    return not_graph_because(setup, device)


def not_served(engine: str, reason: str) -> ConfigError:
    return ConfigError.at(
        "training.engine", f"{engine} does not serve {reason}; expected auto or autograd"
    )


def not_graph_because(setup: Setup, device: torch.device) -> str | None:
    """What keeps a config from the graph engine, in a few words; None where nothing does."""
    if device.type != "cuda":
        return f"the device {device}"
    if setup.task.image is not None:
        return "images"
    if setup.descent.optimizer.kind == "lbfgs":
        return "the optimizer lbfgs"
    if setup.descent.variant == "batch":
        blocks = -(-setup.training_samples // setup.batch_size)
        if blocks > MOST_BLOCKS:
            return f"updates of {blocks} blocks (at most {MOST_BLOCKS})"
    return None


def not_fused_because(setup: Setup, device: torch.device) -> str | None:
    """What keeps a config from the fused engine, in a few words; None where nothing does."""
    model = setup.model
    if not isinstance(model, MlpModel):
        return f"model kind {model.kind}"
    if device.type != "cpu":
        return f"the device {device}"
    if setup.precision == "bfloat16":
        return "precision bfloat16"
    if setup.descent.optimizer.kind == "lbfgs":
        return "the optimizer lbfgs"
    if getattr(setup.dataset, "class_weights", "none") != "none":
        return "class weights"
    return "dropout" if model.dropout > 0 else None


WHY_NOT: dict[str, Callable[[Setup, torch.device], str | None]] = {
    "fused": not_fused_because,
    "graph": not_graph_because,
}


def autograd_seconds(setup: Setup) -> float:
    """About how long autograd would take: calls for every block, and products of every sample."""
    assert isinstance(setup.model, MlpModel)
    widths = [setup.task.inputs, *setup.model.hidden, setup.task.outputs]
    weights = sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    n, size = setup.training_samples, setup.batch_size
    samples = n if setup.descent.variant == "batch" else min(size, n)
    blocks = -(-samples // size)
    update = blocks * AUTOGRAD_UPDATE_SECONDS + 6 * weights * samples / AUTOGRAD_FLOPS
    return setup.total_updates * update


Autocast = Callable[[], contextlib.AbstractContextManager[Any]]


def build_engine(
    setup: Setup,
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
    choice, reason = choose_engine(setup, device), passed_over(setup, device)
    if choice == "graph":
        try:
            assert isinstance(train, Data)
            return build_graph(setup, network, train, plan, optimizer, loss)
        except CaptureError as error:
            choice, reason = "autograd", f"this config on {device}: {error}"
            if setup.training.engine == "graph":
                raise not_served("graph", reason) from error
    if reason is not None:
        say(f"engine: autograd, for graph does not serve {reason}")
    if choice == "fused":
        assert isinstance(train, Data)
        return _fused(setup, network, train, plan, optimizer, say, interrupted)
    return _autograd(setup, network, train, plan, optimizer, loss)


def _autograd(
    setup: Setup,
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
        batches=_batches(setup, train, plan),
        optimizer=optimizer,
        learning_rate=learning_rate(setup.descent, setup.total_updates),
        clip_norm=setup.descent.clip_norm,
        autocast=autocast_for(setup, device),
        before_update=_dropout_stream(network, setup.seed, device),
    )


def _batches(setup: Setup, train: Samples, plan: Plan) -> Rows:
    order, seed = order_of(setup, plan), setup.seed
    if isinstance(train, Data):
        return Batches(train.inputs, train.targets, order, plan.batch_size)
    return cast("ImageData", train).batches(
        order, plan.batch_size, lambda epoch: derive(seed, "augmentation", epoch)
    )


def _fused(
    setup: Setup,
    network: nn.Module,
    train: Data,
    plan: Plan,
    optimizer: torch.optim.Optimizer,
    say: Callable[[str], None],
    interrupted: Interrupted,
) -> Engine:
    from nnintro.engines.fused import Fused, Problem

    model, task, loss = setup.model, setup.task, setup.loss_name
    assert isinstance(model, MlpModel)
    several = task.kind == "multiclass"
    problem = Problem(
        widths=[task.inputs, *model.hidden, task.outputs],
        activations=[*model.activations, model.output_activation],
        loss=task.kind if setup.logits else loss,
        one_hot=several and not setup.logits,
    )
    return Fused(
        network,
        problem,
        plan,
        train.inputs,
        train.targets,
        order_of(setup, plan),
        optimizer,
        learning_rates(setup.descent, setup.total_updates),
        setup.descent.clip_norm,
        torch.get_num_threads(),
        say,
        interrupted,
    )


def build_graph(
    setup: Setup,
    network: nn.Module,
    train: Data,
    plan: Plan,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    launching: Launching = Captured,
) -> Engine:
    device = train.inputs.device
    before_update = _dropout_stream(network, setup.seed, device)
    drawn_from = {m.generator for m in network.modules() if isinstance(m, Dropout)} - {None}
    return Graph(
        network,
        loss,
        plan,
        train.inputs,
        train.targets,
        order_of(setup, plan),
        optimizer,
        learning_rates(setup.descent, setup.total_updates),
        setup.descent.clip_norm,
        autocast_for(setup, device),
        before_update,
        tuple(cast(set[torch.Generator], drawn_from)),
        launching,
    )


def order_of(setup: Setup, plan: Plan) -> Order:
    # One update over all the data has no order but that of its rounding.
    if plan.variant == "batch" or not setup.descent.shuffle:
        return in_place
    return shuffled(plan.samples, lambda epoch: stream(setup.seed, "order", epoch))


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
