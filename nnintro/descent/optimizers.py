"""How a gradient moves the weights: torch.optim's optimizers under our section's words.

Weight decay is the L2 penalty's part of the gradient (adamw: decoupled), clipping scales a gradient
that is longer than a bound; neither knows which samples the gradient came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from nnintro.config.descent import Adagrad, Adam, Adamw, Descent, Lbfgs, Rmsprop, Sgd

Parameters = Iterable[nn.Parameter]
Shared = dict[str, Any]


def sgd(settings: Sgd, parameters: Parameters, shared: Shared) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters, momentum=settings.momentum, nesterov=settings.nesterov, **shared
    )


def adagrad(settings: Adagrad, parameters: Parameters, shared: Shared) -> torch.optim.Optimizer:
    return torch.optim.Adagrad(parameters, eps=settings.epsilon, **shared)


def rmsprop(settings: Rmsprop, parameters: Parameters, shared: Shared) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(
        parameters,
        alpha=settings.smoothing,
        eps=settings.epsilon,
        momentum=settings.momentum,
        **shared,
    )


def adam(settings: Adam, parameters: Parameters, shared: Shared) -> torch.optim.Optimizer:
    first, second = settings.betas
    return torch.optim.Adam(parameters, betas=(first, second), eps=settings.epsilon, **shared)


def adamw(settings: Adamw, parameters: Parameters, shared: Shared) -> torch.optim.Optimizer:
    first, second = settings.betas
    return torch.optim.AdamW(parameters, betas=(first, second), eps=settings.epsilon, **shared)


def lbfgs(settings: Lbfgs, parameters: Parameters, shared: Shared) -> torch.optim.Optimizer:
    return torch.optim.LBFGS(
        parameters,
        lr=shared["lr"],
        history_size=settings.history,
        max_iter=settings.iterations,
        line_search_fn=None if settings.line_search == "none" else settings.line_search,
    )


OPTIMIZERS: dict[str, Callable[[Any, Parameters, Shared], torch.optim.Optimizer]] = {
    "sgd": sgd,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "lbfgs": lbfgs,
}

FUSED = frozenset({"adagrad", "adam", "adamw"})
"""Those of which torch has a fused form: the same equations in one kernel per step."""


def build_optimizer(descent: Descent, parameters: Parameters) -> torch.optim.Optimizer:
    """The optimizer of a descent section over these parameters."""
    shared = {"lr": descent.learning_rate, "weight_decay": descent.weight_decay}
    if descent.optimizer.kind in FUSED:
        shared["fused"] = True
    return OPTIMIZERS[descent.optimizer.kind](descent.optimizer, parameters, shared)
