"""Dataset kind ``function``: samples of a formula over a box."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from nnintro.config.section import Count, NotNegative, Section, Standardize, exactly
from nnintro.config.task import Task
from nnintro.wording import shown


def _increasing(interval: list[float]) -> list[float]:
    low, high = interval
    if not low < high:
        raise ValueError(f"expected [low, high] with low below high, got [{low:g}, {high:g}]")
    if high - low == float("inf"):
        raise ValueError("the interval is too long for floating point")
    return interval


def _boxed(domain: Any) -> Any:
    """`domain: [0, 1]` is told as the one mistake that it is."""
    items = domain if isinstance(domain, list) else []
    if not items or all(isinstance(end, int | float) for end in items):
        wanted = "one [low, high] per input, such as [[0, 1]]"
        raise ValueError(f"expected {wanted}, got {shown(domain)}")
    return domain


Interval = Annotated[
    list[float],
    Field(min_length=2, max_length=2),
    AfterValidator(_increasing),
    exactly(2, "[low, high]"),
]


class FunctionDataset(Section):
    """Samples of a formula over a box."""

    kind: Literal["function"]
    formula: Annotated[str, Field(min_length=1)]
    """The function to learn, such as `sin(3*x)`; `lecture` names the lecture's function."""
    domain: Annotated[
        list[Interval], Field(min_length=1, max_length=64), BeforeValidator(_boxed)
    ] = Field(default=[[0.0, 1.0]])
    """One [low, high] per input; the inputs are x, or x1, x2, ... when there are several."""
    samples: Count = 1000
    """Training samples. A grid over d inputs needs a d-th power: by default one near 1000."""
    sampling: Literal["grid", "uniform"] = "grid"
    """grid: evenly spaced, corners included; uniform: at random."""
    noise: NotNegative = 0.0
    """Standard deviation of Gaussian noise on the training targets."""
    standardize: Standardize = "none"
    """`inputs`: shift and scale each input to mean 0 and standard deviation 1."""

    @model_validator(mode="after")
    def _fills_a_grid(self) -> FunctionDataset:
        inputs = len(self.domain)
        if "samples" not in self.model_fields_set and self.sampling == "grid":
            side = round(self.samples ** (1 / inputs))
            if inputs <= 10:  # beyond, two points along each are too many
                object.__setattr__(self, "samples", side**inputs)
        return self

    @property
    def task(self) -> Task:
        return Task("regression", inputs=len(self.domain), outputs=1, has_truth=True)

    @property
    def training_samples(self) -> int:
        return self.samples


def grid_side(samples: int, inputs: int) -> int:
    """Points along each axis of the largest regular grid of at most ``samples`` points."""
    side = round(math.pow(samples, 1 / inputs))
    while side**inputs > samples:
        side -= 1
    while (side + 1) ** inputs <= samples:
        side += 1
    return max(side, 1)
