"""The ``descent`` section: the variant of gradient descent, the optimizer and the schedule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nnintro.config.section import (
    Complaint,
    Complaints,
    Count,
    Fraction,
    NameOrMapping,
    NotNegative,
    Positive,
    Rule,
    Section,
    exactly,
)

Betas = Annotated[list[Fraction], Field(min_length=2, max_length=2), exactly(2, "two numbers [beta1, beta2]")]


class Sgd(Section):
    """weight <- weight - rate * gradient, with Polyak's or Nesterov's momentum if wanted."""

    kind: Literal["sgd"]
    momentum: Fraction = 0.0
    """The share of the last update that is carried on; 0 is plain gradient descent."""
    nesterov: bool = False
    """Look ahead along the momentum (Nesterov, 1983); needs a momentum above 0."""


class Adagrad(Section):
    """Duchi, Hazan and Singer (2011)."""

    kind: Literal["adagrad"]
    epsilon: Positive = 1e-10
    """Added to the denominator, against division by zero."""


class Rmsprop(Section):
    """Tieleman and Hinton (2012)."""

    kind: Literal["rmsprop"]
    smoothing: Fraction = 0.99
    """Decay of the running mean of the squared gradient."""
    epsilon: Positive = 1e-8
    """Added to the denominator, against division by zero."""
    momentum: Fraction = 0.0
    """The share of the last update that is carried on."""


class Adam(Section):
    """Kingma and Ba (2015); weight decay enters the gradient."""

    kind: Literal["adam"]
    betas: Betas = Field(default=[0.9, 0.999])
    """Decay of the running means of the gradient and of its square."""
    epsilon: Positive = 1e-8
    """Added to the denominator, against division by zero."""


class Adamw(Section):
    """Loshchilov and Hutter (2019); weight decay acts on the weights themselves."""

    kind: Literal["adamw"]
    betas: Betas = Field(default=[0.9, 0.999])
    """Decay of the running means of the gradient and of its square."""
    epsilon: Positive = 1e-8
    """Added to the denominator, against division by zero."""


class Lbfgs(Section):
    """Limited-memory BFGS (Liu and Nocedal, 1989) over the whole data."""

    kind: Literal["lbfgs"]
    history: Annotated[int, Field(ge=1, le=1000)] = 10
    """Past gradients from which the curvature is estimated."""
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Quasi-Newton iterations in one update."""
    line_search: Literal["none", "strong_wolfe"] = "strong_wolfe"
    """strong_wolfe searches the step length; none takes the learning rate."""


Optimizer = Annotated[Sgd | Adagrad | Rmsprop | Adam | Adamw | Lbfgs, Field(discriminator="kind"), NameOrMapping()]


class ConstantSchedule(Section):
    """The learning rate as it is."""

    kind: Literal["constant"]


class StepSchedule(Section):
    """The learning rate multiplied by `factor` after every `every` updates."""

    kind: Literal["step"]
    every: Count = 1000
    """Updates between two steps."""
    factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    """What the learning rate is multiplied by."""


class ExponentialSchedule(Section):
    """Falls by the same factor with each update, down to the fraction `final` at the end."""

    kind: Literal["exponential"]
    final: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Fraction of the learning rate at the end."""


class CosineSchedule(Section):
    """Rises linearly over `warmup_steps`, then follows half a cosine down to `final`."""

    kind: Literal["cosine"]
    warmup_steps: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Updates of the linear rise; fewer than the run has."""
    final: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Fraction of the learning rate at the end."""


Schedule = Annotated[
    ConstantSchedule | StepSchedule | ExponentialSchedule | CosineSchedule, Field(discriminator="kind"), NameOrMapping()
]


class Descent(Section):
    """One variant of gradient descent."""

    variant: Literal["batch", "mini-batch", "stochastic"] = "mini-batch"
    """batch: all samples make one update; mini-batch: a block; stochastic: one sample."""
    batch_size: Count | None = None
    """mini-batch: samples per update (default 32); batch: samples per block (memory only)."""
    shuffle: bool = True
    """Whether each epoch walks the data in an order of its own."""
    replacement: bool = False
    """Draw every sample independently of the others, as the lecture's stochastic descent: an epoch is
    then n draws, which leave about 1/e of the n samples out."""
    learning_rate: Annotated[float, Field(gt=0, le=1e6)] = 0.1
    """The lecture's eta."""
    optimizer: Optimizer = Field(default_factory=lambda: Sgd(kind="sgd"), json_schema_extra={"default": "sgd"})
    """A name, or a mapping with its kind and settings."""
    schedule: Schedule = Field(
        default_factory=lambda: ConstantSchedule(kind="constant"), json_schema_extra={"default": "constant"}
    )
    """How the learning rate changes: a name, or a mapping with its kind and settings."""
    weight_decay: NotNegative = 0.0
    """The L2 penalty's factor on all parameters."""
    clip_norm: Positive | None = None
    """Longest gradient (Euclidean norm over all parameters); longer ones are scaled down."""


def stochastic_takes_one_sample(descent: Descent) -> Complaints:
    """Stochastic descent has a batch size of 1 by definition."""
    if descent.variant == "stochastic" and descent.batch_size not in (None, 1):
        yield Complaint(
            "descent.batch_size",
            f"stochastic takes one sample per update; expected 1 (or variant: mini-batch), got {descent.batch_size}",
        )


def replacement_needs_draws(descent: Descent) -> Complaints:
    """Independent draws are neither all samples nor the data's own order."""
    if not descent.replacement:
        return
    if descent.variant == "batch":
        message = "batch takes every sample once; expected false (or variant: mini-batch or stochastic)"
        yield Complaint("descent.replacement", message)
    elif not descent.shuffle:
        yield Complaint("descent.replacement", "samples drawn at random have no order to keep; expected shuffle: true")


def nesterov_has_momentum(descent: Descent) -> Complaints:
    """Nesterov's is a kind of momentum."""
    optimizer = descent.optimizer
    if isinstance(optimizer, Sgd) and optimizer.nesterov and optimizer.momentum == 0:
        yield Complaint("descent.optimizer.nesterov", "nesterov needs a momentum above 0, such as momentum: 0.9")


def lbfgs_sees_all_the_data(descent: Descent) -> Complaints:
    """L-BFGS compares gradients, which must be of one and the same function."""
    if isinstance(descent.optimizer, Lbfgs) and descent.variant != "batch":
        yield Complaint("descent.optimizer", "lbfgs needs the gradient over all the data; use variant: batch")


def lbfgs_takes_the_gradient_as_it_is(descent: Descent) -> Complaints:
    """L-BFGS has neither clipping nor weight decay."""
    if not isinstance(descent.optimizer, Lbfgs):
        return
    if descent.clip_norm is not None:
        yield Complaint("descent.clip_norm", "lbfgs does not clip its gradient; leave it out")
    if descent.weight_decay:
        yield Complaint("descent.weight_decay", "lbfgs has no weight decay; expected 0")


Descent.rules = (
    Rule(stochastic_takes_one_sample, ("descent.variant", "descent.batch_size")),
    Rule(replacement_needs_draws, ("descent.replacement", "descent.variant", "descent.shuffle")),
    Rule(nesterov_has_momentum, ("descent.optimizer.nesterov", "descent.optimizer.momentum")),
    Rule(lbfgs_sees_all_the_data, ("descent.optimizer", "descent.variant")),
    Rule(lbfgs_takes_the_gradient_as_it_is, ("descent.optimizer", "descent.clip_norm", "descent.weight_decay")),
)
