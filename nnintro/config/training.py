"""The ``training`` and ``logging`` sections: how long, by which engine, what is written down."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nnintro.config.section import NotNegative, Positive, Section


class EarlyStopping(Section):
    """Stop when a metric has not improved for a while, and go back to its best parameters."""

    patience: Positive = 20.0
    """Epochs without an improvement."""
    metric: str = "validation/loss"
    """The metric that is watched, such as validation/accuracy."""
    minimum_improvement: NotNegative = 0.0
    """What counts as an improvement: a change of more than this."""


class Training(Section):
    """The length of training and what ends it early."""

    epochs: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    """Passes over the data (default 200); 0 evaluates the untrained model."""
    steps: Annotated[int, Field(ge=0, le=10_000_000_000)] | None = None
    """Updates, in place of epochs."""
    engine: Literal["auto", "autograd"] = "auto"
    """Which program carries out the updates; all give the same parameters."""
    stop_when: Annotated[dict[str, float], Field(min_length=1)] | None = None
    """Metric -> value; training stops once every metric named is at its value or better."""
    early_stopping: EarlyStopping | None = None
    """Stop when a metric no longer improves, and go back to its best parameters."""


class Logging(Section):
    """What is written down while training."""

    scalars: Annotated[str, Field(pattern=r"^(auto|off|every [1-9][0-9]{0,9} steps?)$")] = "auto"
    """auto (about a thousand points), off, or `every N steps`."""
    figures: Literal["auto", "off"] = "auto"
    """Pictures of the fit over the data."""
    histograms: Literal["auto", "off"] = "auto"
    """Histograms of the weights."""

    @property
    def every(self) -> int | None:
        """N of `every N steps`."""
        return int(self.scalars.split()[1]) if self.scalars.startswith("every") else None
