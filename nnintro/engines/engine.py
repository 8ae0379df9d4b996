"""The interface of engines: what they receive, and what the training loop calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from nnintro.config.experiment import Setup
from nnintro.datasets import Samples
from nnintro.descent.schedules import LearningRate
from nnintro.descent.streams import Order, derive, drawn, in_place, shuffled, stream
from nnintro.descent.variants import Plan
from nnintro.engines.world import World
from nnintro.models import Dropout, Mlp
from nnintro.models.forward import Autocast, autocast_for
from nnintro.objectives.losses import Loss

Say = Callable[[str], None]
"""Shows a line to the user."""
Interrupted = Callable[[], bool]


@dataclass(frozen=True)
class Advance:
    """What came of a stretch of updates."""

    step: int
    """Updates made in all; fewer than asked for after an interruption or a divergence."""
    gradient_norm: float = float("nan")
    """Euclidean norm of the last update's gradient, over all parameters, before clipping."""
    update_ratio: float = float("nan")
    """|change of the parameters| / |parameters| in the last update."""
    diverged: bool = False
    """The next update would leave the finite numbers; the parameters are the last good ones."""


class Engine(Protocol):
    """Carries out updates on a network's parameters, in place."""

    name: str

    def advance(self, start: int, stop: int, interrupted: Interrupted, *, measured: bool = True) -> Advance:
        """Make updates ``start`` (from 0) up to ``stop``, excluded.

        Args:
            measured: whether the last update's gradient and change are asked for, which takes time.
        """
        ...


@dataclass
class Work:
    """All that the updates follow from, whichever engine carries them out.

    Network and samples are on one device, in the run's precision.
    """

    setup: Setup
    network: nn.Module
    train: Samples
    plan: Plan
    optimizer: torch.optim.Optimizer
    loss: Loss
    world: World
    """The processes that share the updates."""

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    @property
    def learning_rate(self) -> LearningRate:
        return LearningRate(self.setup.descent, self.setup.total_updates)

    @property
    def autocast(self) -> Autocast:
        return autocast_for(self.setup, self.device)

    @property
    def order(self) -> Order:
        """The order in which each epoch walks the training samples."""
        # One update over all the data has no order but that of its rounding.
        if self.plan.variant == "batch" or not self.setup.descent.shuffle:
            return in_place
        draw = drawn if self.setup.descent.replacement else shuffled
        return draw(self.plan.samples, lambda epoch: stream(self.setup.seed, "order", epoch))

    @property
    def activations(self) -> list[str]:
        """Of each layer of an MLP; none of other networks."""
        return self.network.names if isinstance(self.network, Mlp) else []

    @property
    def dropout(self) -> list[Dropout]:
        """The layers that draw random numbers in an update."""
        return [m for m in self.network.modules() if isinstance(m, Dropout) and m.rate > 0]

    def give_stream_to_dropout(self) -> Callable[[int], None]:
        """Give dropout a random stream of its own; returns what sets it to an update.

        That is called with the update's number before it, so that masks are a function of the update.
        """
        if not self.dropout:
            return lambda _: None
        generator, seed = torch.Generator(self.device), self.setup.seed
        for layer in self.dropout:
            layer.generator = generator

        def to_update(step: int) -> None:
            generator.manual_seed(derive(seed, "dropout", step))

        return to_update
