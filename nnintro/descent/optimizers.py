"""How a gradient moves the weights: torch.optim's optimizers under our section's words.

Weight decay is the L2 penalty's part of the gradient (adamw: decoupled), clipping scales a gradient
that is longer than a bound; neither knows which samples the gradient came from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import torch
from torch import nn

from nnintro.config.descent import Adagrad, Adam, Adamw, Descent, Lbfgs, Rmsprop, Sgd

Parameters = Iterable[nn.Parameter]
Shared = dict[str, Any]
Optimizer = torch.optim.Optimizer
T = TypeVar("T", bound=Optimizer)


def _eager(base: type[T]) -> type[T]:
    """A torch optimizer, the same updates to the bit, ready at once.

    torch wraps an optimizer's methods for users who compile them; the first call then imports all
    of torch._dynamo, which takes longer than many a run here.  Nothing here is compiled: the
    methods are taken from under their wrappers, of which only ``no_grad`` is put back.
    """
    plain_step = inspect.unwrap(base.step)

    @torch.no_grad()
    def step(self: Optimizer, closure: Callable[[], float] | None = None) -> Any:
        return plain_step(self, closure)

    step.hooked = True  # type: ignore[attr-defined]  # or torch would wrap it again, to profile it
    wrapped = ("add_param_group", "state_dict", "load_state_dict", "zero_grad")
    methods = {name: inspect.unwrap(getattr(base, name)) for name in wrapped}
    return cast(type[T], type(base.__name__, (base,), {"step": step, **methods}))


_SGD = _eager(torch.optim.SGD)
_Adagrad = _eager(torch.optim.Adagrad)
_RMSprop = _eager(torch.optim.RMSprop)
_Adam = _eager(torch.optim.Adam)
_AdamW = _eager(torch.optim.AdamW)
_LBFGS = _eager(torch.optim.LBFGS)


def sgd(settings: Sgd, parameters: Parameters, shared: Shared) -> Optimizer:
    return _SGD(parameters, momentum=settings.momentum, nesterov=settings.nesterov, **shared)


def adagrad(settings: Adagrad, parameters: Parameters, shared: Shared) -> Optimizer:
    return _Adagrad(parameters, eps=settings.epsilon, **shared)


def rmsprop(settings: Rmsprop, parameters: Parameters, shared: Shared) -> Optimizer:
    return _RMSprop(
        parameters,
        alpha=settings.smoothing,
        eps=settings.epsilon,
        momentum=settings.momentum,
        **shared,
    )


def adam(settings: Adam, parameters: Parameters, shared: Shared) -> Optimizer:
    first, second = settings.betas
    return _Adam(parameters, betas=(first, second), eps=settings.epsilon, **shared)


def adamw(settings: Adamw, parameters: Parameters, shared: Shared) -> Optimizer:
    first, second = settings.betas
    return _AdamW(parameters, betas=(first, second), eps=settings.epsilon, **shared)


def lbfgs(settings: Lbfgs, parameters: Parameters, shared: Shared) -> Optimizer:
    return _LBFGS(
        parameters,
        lr=shared["lr"],
        history_size=settings.history,
        max_iter=settings.iterations,
        line_search_fn=None if settings.line_search == "none" else settings.line_search,
    )


OPTIMIZERS: dict[str, Callable[[Any, Parameters, Shared], Optimizer]] = {
    "sgd": sgd,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "lbfgs": lbfgs,
}

FUSED = frozenset({"adagrad", "adam", "adamw"})
"""Those of which torch has a fused form: the same equations in one kernel per step."""


def build_optimizer(descent: Descent, parameters: Parameters) -> Optimizer:
    """The optimizer of a descent section over these parameters."""
    shared = {"lr": descent.learning_rate, "weight_decay": descent.weight_decay}
    if descent.optimizer.kind in FUSED:
        shared["fused"] = True
    return OPTIMIZERS[descent.optimizer.kind](descent.optimizer, parameters, shared)
