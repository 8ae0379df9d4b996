"""The table of optimizers: each one's update as numpy, and as the equations that a reader sees.

They are torch.optim's. A weight w (every number of W and of b alike) has a gradient g and the optimizer's memory of
it, which begins with zeros; t = 1, 2, ... counts the updates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnintro.config.descent import Adagrad, Adam, Adamw, Descent, Rmsprop, Sgd
from nnintro.explain.equations import Array

Memory = Mapping[str, Array]
"""torch's name of what an optimizer remembers -> its numbers, in the shape of the parameter."""


@dataclass(frozen=True)
class Step:
    """One update: which optimizer, its settings, and how far."""

    descent: Descent
    eta: float
    """The learning rate of this update."""
    t: int
    """The number of this update for the optimizer, from 1."""

    @property
    def rule(self) -> Rule:
        return RULES[self.descent.optimizer.kind]

    @property
    def decay(self) -> float:
        return self.descent.weight_decay

    @property
    def equations(self) -> list[str]:
        """In the order in which they are computed."""
        decay = f"g <- g + {self.decay:g} w" if self.rule.has_penalty else f"w <- w - {self.decay:g} eta w"
        return [*([decay] if self.decay else []), *self.rule.equations(self.descent.optimizer)]

    def penalized(self, w: Array, g: Array) -> Array:
        """The gradient with that of the L2 penalty (decay/2) w^2, for optimizers in which decay is one."""
        return g + self.decay * w if self.rule.has_penalty else g

    def update(self, w: Array, g: Array, memory: Memory) -> tuple[Array, Memory]:
        """(w, dL/dw, memory) -> w and memory after the update."""
        return self.rule.update(self.descent.optimizer, self, w, self.penalized(w, g), memory)


@dataclass(frozen=True)
class Rule:
    """An optimizer."""

    update: Callable[[Any, Step, Array, Array, Memory], tuple[Array, Memory]]
    """(its section, the update, w, g, memory) -> w and memory after it."""
    equations: Callable[[Any], list[str]]
    """Its section -> the equations of w, g and its memories."""
    letters: Mapping[str, str]
    """torch's name of a memory -> its letter in the equations."""
    has_penalty: bool = True
    """Whether weight decay enters the gradient; else it shrinks the weights themselves."""


def sgd(o: Sgd, step: Step, w: Array, g: Array, memory: Memory) -> tuple[Array, Memory]:
    """Plain, or with Polyak's (1964) or Nesterov's (1983) momentum."""
    if o.momentum == 0:
        return w - step.eta * g, memory
    v = o.momentum * memory["momentum_buffer"] + g
    direction = g + o.momentum * v if o.nesterov else v
    return w - step.eta * direction, {"momentum_buffer": v}


def _sgd_equations(o: Sgd) -> list[str]:
    if o.momentum == 0:
        return ["w <- w - eta g"]
    direction = f"(g + {o.momentum:g} v)" if o.nesterov else "v"
    return [f"v <- {o.momentum:g} v + g", f"w <- w - eta {direction}"]


def adagrad(o: Adagrad, step: Step, w: Array, g: Array, memory: Memory) -> tuple[Array, Memory]:
    """Duchi, Hazan and Singer (2011)."""
    v = memory["sum"] + g**2
    return w - step.eta * g / (np.sqrt(v) + o.epsilon), {"sum": v}


def rmsprop(o: Rmsprop, step: Step, w: Array, g: Array, memory: Memory) -> tuple[Array, Memory]:
    """Tieleman and Hinton (2012), with momentum if wanted."""
    v = o.smoothing * memory["square_avg"] + (1 - o.smoothing) * g**2
    direction = g / (np.sqrt(v) + o.epsilon)
    if o.momentum == 0:
        return w - step.eta * direction, {"square_avg": v}
    m = o.momentum * memory["momentum_buffer"] + direction
    return w - step.eta * m, {"square_avg": v, "momentum_buffer": m}


def _rmsprop_equations(o: Rmsprop) -> list[str]:
    mean = f"v <- {o.smoothing:g} v + {1 - o.smoothing:g} g^2"
    direction = f"g / (sqrt(v) + {o.epsilon:g})"
    if o.momentum == 0:
        return [mean, f"w <- w - eta {direction}"]
    return [mean, f"m <- {o.momentum:g} m + {direction}", "w <- w - eta m"]


def adam(o: Adam, step: Step, w: Array, g: Array, memory: Memory) -> tuple[Array, Memory]:
    """Kingma and Ba (2015)."""
    return _adam(o, step, w, g, memory)


def adamw(o: Adamw, step: Step, w: Array, g: Array, memory: Memory) -> tuple[Array, Memory]:
    """Loshchilov and Hutter (2019): weight decay shrinks the weights themselves."""
    return _adam(o, step, w * (1 - step.eta * step.decay), g, memory)


def _adam(o: Adam | Adamw, step: Step, w: Array, g: Array, memory: Memory) -> tuple[Array, Memory]:
    beta1, beta2 = o.betas
    m = beta1 * memory["exp_avg"] + (1 - beta1) * g
    v = beta2 * memory["exp_avg_sq"] + (1 - beta2) * g**2
    # Both means begin with zeros, and are too small by these factors as long as t is small.
    mean, square = m / (1 - beta1**step.t), v / (1 - beta2**step.t)
    return w - step.eta * mean / (np.sqrt(square) + o.epsilon), {"exp_avg": m, "exp_avg_sq": v}


def _adam_equations(o: Adam | Adamw) -> list[str]:
    beta1, beta2 = o.betas
    return [
        f"m <- {beta1:g} m + {1 - beta1:g} g",
        f"v <- {beta2:g} v + {1 - beta2:g} g^2",
        f"m' = m / (1 - {beta1:g}^t),  v' = v / (1 - {beta2:g}^t)",
        f"w <- w - eta m' / (sqrt(v') + {o.epsilon:g})",
    ]


MOMENTS = {"exp_avg": "m", "exp_avg_sq": "v"}
RULES: dict[str, Rule] = {
    "sgd": Rule(sgd, _sgd_equations, {"momentum_buffer": "v"}),
    "adagrad": Rule(adagrad, lambda o: ["v <- v + g^2", f"w <- w - eta g / (sqrt(v) + {o.epsilon:g})"], {"sum": "v"}),
    "rmsprop": Rule(rmsprop, _rmsprop_equations, {"square_avg": "v", "momentum_buffer": "m"}),
    "adam": Rule(adam, _adam_equations, MOMENTS),
    "adamw": Rule(adamw, _adam_equations, MOMENTS, has_penalty=False),
}
"""kind -> its update. What is not here is refused: lbfgs asks for the gradient at points of its own choice."""
