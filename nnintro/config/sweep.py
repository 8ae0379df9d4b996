"""The ``sweep`` section: which keys take which values, how trials are chosen, and what is compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from nnintro.config.section import Complaint, Complaints, Rule, Section

OVER = "sweep.over"
DEFAULT_TRIALS = 100
MOST_TRIALS = 10_000_000


class Range(Section):
    """The numbers from ``low`` to ``high``, both included; whole numbers for a key that takes these."""

    low: float
    """The smallest value."""
    high: float
    """The largest value."""
    log: bool = False
    """Whether each factor of ten is as likely as the next (from a low above 0), in place of each stretch."""
    points: Annotated[int, Field(ge=2, le=100_000)] = 10
    """How many values a grid takes of it."""


def _range_or_values(value: Any) -> str:
    return "range" if isinstance(value, dict | Range) else "values"


Values = Annotated[
    Annotated[Range, Tag("range")] | Annotated[list[Any], Field(min_length=1, max_length=10_000), Tag("values")],
    Discriminator(_range_or_values),
]


class Sweep(Section):
    """Many trainings of the config, each with other values of some keys: ``nnintro sweep``."""

    over: Annotated[dict[str, Values], Field(min_length=1, max_length=100)]
    """Key (as in --set) -> a list of its values, or a range {low: ..., high: ..., log: true}."""
    sampler: Literal["grid", "random", "tpe"] | None = None
    """grid takes every combination, random draws each trial by itself, tpe learns from earlier trials.
    By default grid where all keys have lists, random where one has a range."""
    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS)] | None = None
    """How many trials random (100 by default) and tpe make; a grid makes all."""
    seeds: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Every trial is the mean over so many seeds, counted from the config's."""
    objective: Annotated[str, Field(min_length=1, max_length=100)] = "validation/loss"
    """The metric by which trials are compared: the smallest loss or error, the largest accuracy, f1, auc or r2."""
    stop_bad_trials: bool = False
    """Stop a trial that is worse than the median of earlier ones, where training takes longer than about a second."""
    keep: Annotated[int, Field(ge=0, le=1000)] = 5
    """How many of the best trials are kept as ordinary runs."""

    @property
    def chosen_sampler(self) -> Literal["grid", "random", "tpe"]:
        """The sampler, its default written out."""
        if self.sampler is not None:
            return self.sampler
        return "random" if any(isinstance(values, Range) for values in self.over.values()) else "grid"

    @property
    def tag(self) -> str:
        """The objective's whole tag: ``accuracy`` is ``validation/accuracy``."""
        return self.objective if "/" in self.objective else f"validation/{self.objective}"


def ranges(over: Mapping[str, Any]) -> Iterator[tuple[str, Range]]:
    """The keys that have a range, and their ranges."""
    return ((key, values) for key, values in over.items() if isinstance(values, Range))


def ranges_go_up(sweep: Sweep) -> Complaints:
    """A range is not empty, and a logarithmic one starts above 0."""
    for key, span in ranges(sweep.over):
        if not span.low < span.high:
            hint = f"; the other way round: low {span.high:g}, high {span.low:g}" if span.low > span.high else ""
            yield Complaint(OVER, f"expected low below high, got {span.low:g} and {span.high:g}{hint}", entry=key)
        elif span.log and span.low <= 0:
            yield Complaint(OVER, f"a logarithmic range starts above 0, got low {span.low:g}", entry=key)
        elif not math.isfinite(span.high - span.low):
            yield Complaint(OVER, f"from {span.low:g} to {span.high:g} is too far for a range", entry=key)


NOT_SWEPT = ("name", "sweep", "logging", "training.checkpoint")
"""Keys that make no difference to the network that is trained."""


def keys_can_be_swept(sweep: Sweep) -> Complaints:
    """A sweep goes over what makes a difference to the network."""
    for key in sweep.over:
        if any(f"{key}.".startswith(f"{name}.") for name in NOT_SWEPT):
            yield Complaint(OVER, "makes no difference to the network that is trained", entry=key)
    if "training.epochs" in sweep.over and "training.steps" in sweep.over:
        yield Complaint(OVER, "give epochs or steps, not both", entry="training.steps")


def seeds_are_given_once(sweep: Sweep) -> Complaints:
    """A sweep over seeds has one training for each."""
    if sweep.seeds > 1 and "seed" in sweep.over:
        yield Complaint("sweep.seeds", f"the sweep goes over seed already; expected 1, got {sweep.seeds}")


def the_grid_is_not_endless(sweep: Sweep) -> Complaints:
    """A grid makes all of its trials."""
    if sweep.chosen_sampler == "grid":
        size = math.prod(values.points if isinstance(values, Range) else len(values) for values in sweep.over.values())
        if size > MOST_TRIALS:
            yield Complaint(OVER, f"a grid of {size:,} trials, of at most {MOST_TRIALS:,}; expected sampler: random")


Sweep.rules = (
    Rule(ranges_go_up, (OVER,)),
    Rule(keys_can_be_swept, (OVER,)),
    Rule(seeds_are_given_once, (OVER, "sweep.seeds")),
    Rule(the_grid_is_not_endless, (OVER, "sweep.sampler")),
)
