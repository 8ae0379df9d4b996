"""The ``descent`` section: which samples make an update, in which direction, and how far."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nnintro.config.section import Count, Fraction, NameOrMapping, NotNegative, Positive, Section

Beta = Fraction


class Sgd(Section):
    """weight <- weight - rate * gradient, with Polyak's or Nesterov's momentum if wanted."""

    kind: Literal["sgd"]
    momentum: Fraction = 0.0
    nesterov: bool = False


class Adagrad(Section):
    """Duchi, Hazan and Singer (2011)."""

    kind: Literal["adagrad"]
    epsilon: Positive = 1e-10


class Rmsprop(Section):
    """Tieleman and Hinton (2012)."""

    kind: Literal["rmsprop"]
    smoothing: Fraction = 0.99
    epsilon: Positive = 1e-8
    momentum: Fraction = 0.0


class Adam(Section):
    """Kingma and Ba (2015); weight decay enters the gradient."""

    kind: Literal["adam"]
    betas: Annotated[list[Beta], Field(min_length=2, max_length=2)] = [0.9, 0.999]
    epsilon: Positive = 1e-8


class Adamw(Section):
    """Loshchilov and Hutter (2019); weight decay acts on the weights themselves."""

    kind: Literal["adamw"]
    betas: Annotated[list[Beta], Field(min_length=2, max_length=2)] = [0.9, 0.999]
    epsilon: Positive = 1e-8


class Lbfgs(Section):
    """Limited-memory BFGS (Liu and Nocedal, 1989) over the whole data."""

    kind: Literal["lbfgs"]
    history: Annotated[int, Field(ge=1, le=1000)] = 10
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Quasi-Newton iterations in one update."""
    line_search: Literal["none", "strong_wolfe"] = "strong_wolfe"


Optimizer = Annotated[
    Sgd | Adagrad | Rmsprop | Adam | Adamw | Lbfgs, Field(discriminator="kind"), NameOrMapping
]


class ConstantSchedule(Section):
    """The learning rate as it is."""

    kind: Literal["constant"]


class StepSchedule(Section):
    """The learning rate multiplied by `factor` after every `every` updates."""

    kind: Literal["step"]
    every: Count = 1000
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1


class ExponentialSchedule(Section):
    """Falls by the same factor with each update, down to the fraction `final` at the end."""

    kind: Literal["exponential"]
    final: Annotated[float, Field(gt=0, le=1)] = 0.01


class CosineSchedule(Section):
    """Rises linearly over `warmup_steps`, then follows half a cosine down to `final`."""

    kind: Literal["cosine"]
    warmup_steps: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    final: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of the learning rate at the end."""


Schedule = Annotated[
    ConstantSchedule | StepSchedule | ExponentialSchedule | CosineSchedule,
    Field(discriminator="kind"),
    NameOrMapping,
]


class Descent(Section):
    """One variant of gradient descent."""

    variant: Literal["batch", "mini-batch", "stochastic"] = "mini-batch"
    batch_size: Count | None = None
    """mini-batch: samples per update (default 32); batch: samples per block (memory only)."""
    shuffle: bool = True
    """Whether each epoch walks the data in an order of its own."""
    learning_rate: Annotated[float, Field(gt=0, le=1e6)] = 0.1
    optimizer: Optimizer = Sgd(kind="sgd")
    schedule: Schedule = ConstantSchedule(kind="constant")
    weight_decay: NotNegative = 0.0
    """The L2 penalty's factor on all parameters."""
    clip_norm: Positive | None = None
    """Longest gradient (Euclidean norm over all parameters); longer ones are scaled down."""
