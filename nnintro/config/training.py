"""The ``training`` and ``logging`` sections: duration, engine, and what is recorded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nnintro.config.section import Complaint, Complaints, NotNegative, Positive, Rule, Section

_NUMBER = r"[1-9][0-9]{0,8}(\.[0-9]{1,9})?|0\.[0-9]{0,8}[1-9]"
"""A decimal above zero."""


class EarlyStopping(Section):
    """Stop when a metric has not improved for a while, and go back to its best parameters."""

    patience: Positive = 20.0
    """Epochs without an improvement; it is measured at the end of each."""
    metric: str = "validation/loss"
    """The metric that is watched, such as validation/accuracy."""
    minimum_improvement: NotNegative = 0.0
    """What counts as an improvement: a change of more than this."""


_TIMES = {"s": 1.0, "min": 60.0, "h": 3600.0}


class Checkpoints(Section):
    """How often everything is saved that a run needs to go on after it was cut off."""

    every: Annotated[str, Field(pattern=rf"^(off|({_NUMBER}) ?(s|min|h)|[1-9][0-9]{{0,9}} steps?)$")] = "30s"
    """A time such as `30s`, `5min` or `1h`, a number of updates such as `500 steps`, or off."""
    keep: Annotated[int, Field(ge=1, le=1000)] = 2
    """How many of the newest checkpoints stay."""

    @property
    def steps(self) -> int | None:
        """N of `N steps`."""
        return int(self.every.split()[0]) if self.every.endswith(("step", "steps")) else None

    def next_stop(self, step: int) -> int | None:
        """The update after ``step`` at which there is one, where updates are counted for it."""
        return None if self.steps is None else (step // self.steps + 1) * self.steps

    @property
    def seconds(self) -> float | None:
        """The time between two checkpoints, where it is a time that is given."""
        unit = self.every.lstrip("0123456789. ")
        return float(self.every.removesuffix(unit)) * _TIMES[unit] if unit in _TIMES else None


class Training(Section):
    """The length of training and what ends it early."""

    epochs: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    """Passes over the data (default 200); 0 evaluates the untrained model."""
    steps: Annotated[int, Field(ge=0, le=10_000_000_000)] | None = None
    """Updates, in place of epochs."""
    engine: Literal["auto", "autograd", "fused", "graph"] = "auto"
    """Which program carries out the updates; all give the same parameters.  auto takes fused on the
    CPU where it serves the config and autograd would take more than about a second, else autograd.
    It never takes graph (CUDA only), which has not run on a GPU yet."""
    stop_when: Annotated[dict[str, float], Field(min_length=1, max_length=100)] | None = None
    """Metric -> value; training stops at the end of the first epoch after which every metric named is at its
    value or better."""
    early_stopping: EarlyStopping | None = None
    """Stop when a metric no longer improves, and go back to its best parameters."""
    checkpoint: Checkpoints = Field(default_factory=Checkpoints)
    """What is kept on disk while training, so that a run that is cut off can go on."""


def epochs_or_steps(training: Training) -> Complaints:
    """The length of a run is given once."""
    if training.epochs is not None and training.steps is not None:
        yield Complaint("training.steps", "give epochs or steps, not both")


Training.rules = (Rule(epochs_or_steps, ("training.epochs", "training.steps")),)


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
