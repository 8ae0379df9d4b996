"""The table of optimizers: torch.optim's, built from the config's ``descent`` section.

Weight decay is the L2 penalty's part of the gradient (adamw: decoupled), clipping scales a gradient
that is longer than a bound; neither knows which samples the gradient came from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import nn

from nnintro.config.descent import Adam, Adamw, Descent, Lbfgs, Rmsprop

Optimizer = torch.optim.Optimizer
Arguments = dict[str, Any]
"""What torch's optimizer is built with, by its own names."""
Group = Mapping[str, Any]
"""A param group of torch's optimizer: its settings, by torch's names."""
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


def rmsprop(settings: Rmsprop) -> Arguments:
    return {"alpha": settings.smoothing, "eps": settings.epsilon, "momentum": settings.momentum}


def adam(settings: Adam | Adamw) -> Arguments:
    # ``fused`` is torch's name for the same equations in one kernel per step.
    return {"betas": tuple(settings.betas), "eps": settings.epsilon, "fused": True}


def lbfgs(settings: Lbfgs) -> Arguments:
    return {
        "history_size": settings.history,
        "max_iter": settings.iterations,
        "line_search_fn": None if settings.line_search == "none" else settings.line_search,
    }


def _velocity(group: Group) -> list[str]:
    return ["momentum_buffer"] if group["momentum"] > 0 else []


@dataclass(frozen=True)
class Row:
    """An optimizer of the config."""

    type: type[Optimizer]
    arguments: Callable[[Any], Arguments]
    """Its section -> what torch's is built with, beside the learning rate and the weight decay."""
    memories: Callable[[Group], list[str]] | None
    """The names under which torch keeps tensors of each parameter's shape, in ``state``; None for
    one that remembers no such tensors but one state of all parameters."""
    has_weight_decay: bool = True
    counts_updates: bool = True
    """Whether torch keeps their number for each parameter, as ``step``."""


OPTIMIZERS: dict[str, Row] = {
    "sgd": Row(
        _eager(torch.optim.SGD),
        lambda settings: {"momentum": settings.momentum, "nesterov": settings.nesterov},
        _velocity,
        counts_updates=False,
    ),
    "adagrad": Row(
        _eager(torch.optim.Adagrad), lambda settings: {"eps": settings.epsilon, "fused": True}, lambda _: ["sum"]
    ),
    "rmsprop": Row(_eager(torch.optim.RMSprop), rmsprop, lambda group: ["square_avg", *_velocity(group)]),
    "adam": Row(_eager(torch.optim.Adam), adam, lambda _: ["exp_avg", "exp_avg_sq"]),
    "adamw": Row(_eager(torch.optim.AdamW), adam, lambda _: ["exp_avg", "exp_avg_sq"]),
    "lbfgs": Row(_eager(torch.optim.LBFGS), lbfgs, None, has_weight_decay=False),
}
"""kind -> how it is built, and what it remembers."""


def build_optimizer(descent: Descent, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """The optimizer of a descent section over these parameters."""
    row = OPTIMIZERS[descent.optimizer.kind]
    arguments = {"lr": descent.learning_rate, **row.arguments(descent.optimizer)}
    if row.has_weight_decay:
        arguments["weight_decay"] = descent.weight_decay
    return row.type(parameters, **arguments)


def kind_of(optimizer: Optimizer) -> str:
    """The name in the table of an optimizer that ``build_optimizer`` built."""
    return next(kind for kind, row in OPTIMIZERS.items() if row.type is type(optimizer))


def memories_of(optimizer: Optimizer) -> list[str] | None:
    """What it remembers of each parameter, in the parameter's shape; see ``Row.memories``."""
    memories = OPTIMIZERS[kind_of(optimizer)].memories
    (group,) = optimizer.param_groups
    return None if memories is None else memories(group)
