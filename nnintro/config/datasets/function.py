"""Dataset kind ``function``: samples of a formula over a box."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from nnintro.config.datasets.basis import Basis
from nnintro.config.section import Complaint, Complaints, Count, DatasetSection, NotNegative, Rule, Standardize, exactly
from nnintro.config.task import DataFacts, Task
from nnintro.formula import FormulaError, evaluate_float, first_non_finite, parse
from nnintro.wording import shown


def _increasing(interval: list[float]) -> list[float]:
    low, high = interval
    if not low < high:
        raise ValueError(f"expected [low, high] with low below high, got [{low:g}, {high:g}]")
    if high - low == float("inf"):
        raise ValueError("the interval is too long for floating point")
    return interval


def boxed(domain: Any) -> Any:
    """Reports `domain: [0, 1]` as one mistake, not as two wrong intervals."""
    items = domain if isinstance(domain, list) else []
    if not items or all(isinstance(end, int | float) for end in items):
        wanted = "one [low, high] per input, such as [[0, 1]]"
        raise ValueError(f"expected {wanted}, got {shown(domain)}")
    return domain


Interval = Annotated[
    list[float], Field(min_length=2, max_length=2), AfterValidator(_increasing), exactly(2, "[low, high]")
]


class FunctionDataset(DatasetSection):
    """Samples of a formula over a box."""

    kind: Literal["function"]
    formula: Annotated[str, Field(min_length=1)]
    """The function to learn, such as `sin(3*x)`; `lecture` names the lecture's function."""
    domain: Annotated[list[Interval], Field(min_length=1, max_length=64), BeforeValidator(boxed)] = Field(
        default=[[0.0, 1.0]]
    )
    """One [low, high] per input; the inputs are x, or x1, x2, ... when there are several."""
    samples: Count = 1000
    """Training samples. A grid over d inputs needs a d-th power: by default one near 1000."""
    sampling: Literal["grid", "uniform"] = "grid"
    """grid: evenly spaced, corners included; uniform: at random."""
    noise: NotNegative = 0.0
    """Standard deviation of Gaussian noise on the training targets."""
    validation: Literal["grid", "samples"] = "grid"
    """grid: dense and noise-free, over the whole domain; samples: the training points themselves, without noise,
    where there is nothing between them (a truth table)."""
    standardize: Standardize = "none"
    """`inputs`: shift and scale each input to mean 0 and standard deviation 1."""
    basis: Basis | None = None
    """Basis functions: formulas of the inputs, such as `[x**2, cos(50*x)]`, that the network takes in place
    of them. They are a part of the model: it is asked with the inputs themselves."""

    @model_validator(mode="after")
    def _fills_a_grid(self) -> FunctionDataset:
        inputs = len(self.domain)
        if "samples" not in self.model_fields_set and self.sampling == "grid":
            side = round(self.samples ** (1 / inputs))
            if inputs <= 10:  # beyond, two points along each are too many
                object.__setattr__(self, "samples", side**inputs)
        return self

    @property
    def facts(self) -> DataFacts:
        task = Task("regression", inputs=len(self.domain), outputs=1, has_truth=self.validation == "grid")
        return DataFacts(task, self.samples)

    @property
    def formulas(self) -> list[str]:
        return self.basis or []

    @property
    def source(self) -> str:
        return self.formula

    def keys_of_numbers(self, *, noise: bool) -> tuple[str, str]:
        return "dataset.domain", "dataset.noise" if noise and self.noise else "dataset.formula"

    def few(self, samples: int) -> dict[str, Any]:
        samples, inputs = min(self.samples, samples), len(self.domain)
        if self.sampling == "grid":
            samples = grid_side(samples, inputs) ** inputs
        return {"samples": samples}


def grid_side(samples: int, inputs: int) -> int:
    """Points along each axis of the largest regular grid of at most ``samples`` points."""
    side = round(math.pow(samples, 1 / inputs))
    while side**inputs > samples:
        side -= 1
    while (side + 1) ** inputs <= samples:
        side += 1
    return max(side, 1)


MOST_PROBES = 2001
"""Points at which a formula is tried: in one dimension those of the validation grid."""
MOST_WORK = 400_000
"""Points times characters: a long formula is tried at fewer points, in a tenth of a second."""


def formula_is_sound(dataset: FunctionDataset) -> Complaints:
    """The formula can be read, and is finite all over its domain."""
    yield from formula_complaints(dataset.formula, dataset.domain)


def formula_complaints(formula: str, domain: list[list[float]]) -> Complaints:
    """The complaint about a formula that cannot be read or is not finite somewhere in ``domain``, if any."""
    try:
        bad = not_finite_at(formula, tuple(map(tuple, domain)))
    except FormulaError as error:
        yield Complaint("dataset.formula", str(error))
        return
    if bad is not None:
        yield Complaint("dataset.formula", f"not a finite number at {bad}, which is in the domain")


def basis_is_finite(dataset: FunctionDataset) -> Complaints:
    """So is every basis function (see ``rules.basis_can_be_read`` for one that cannot be read)."""
    for index, text in enumerate(dataset.formulas):
        with contextlib.suppress(FormulaError):
            bad = not_finite_at(text, tuple(map(tuple, dataset.domain)))
            if bad is not None:
                yield Complaint(f"dataset.basis.{index}", f"not a finite number at {bad}, which is in the domain")


@functools.lru_cache(maxsize=256)  # a thousand trainings on one formula try it once
def not_finite_at(text: str, domain: tuple[tuple[float, ...], ...]) -> str | None:
    """Where in the domain the formula has no finite value, in words; None where it always has."""
    formula = parse(text, len(domain))
    point = first_non_finite(formula, probes(domain, min(MOST_PROBES, MOST_WORK // len(text))))
    if point is None:
        return None
    named = zip(formula.variables, point, strict=True)
    return ", ".join(f"{name} = {value:g}" for name, value in named)


MOST_INPUTS_TRIED = 3
"""A grid over more inputs has too few points along each to tell that a formula is nowhere above 0."""


@functools.lru_cache(maxsize=256)
def one_sided(text: str, domain: tuple[tuple[float, ...], ...]) -> str | None:
    """That a formula is above 0 nowhere in the domain, or everywhere, in words; None where both occur."""
    formula, points = parse(text, len(domain)), probes(domain, min(MOST_PROBES, MOST_WORK // len(text)))
    if len(domain) > MOST_INPUTS_TRIED:
        return None
    above = [evaluate_float(formula, point) > 0 for point in points]
    if any(above) and not all(above):
        return None
    where = "above 0 at all" if all(above) else "above 0 at none"
    return f"{where} of {len(above):,} points of the domain"


def probes(domain: Sequence[Sequence[float]], count: int) -> Iterator[tuple[float, ...]]:
    """The middle of the domain, then at most ``count`` points of a grid with the corners on it."""
    side = max(2, grid_side(count, len(domain)))
    axes = [[low + (high - low) * (index / (side - 1)) for index in range(side)] for low, high in domain]
    yield tuple(low + (high - low) / 2 for low, high in domain)
    yield from itertools.islice(itertools.product(*axes), count)


def grid_is_regular(dataset: FunctionDataset) -> Complaints:
    """A grid has the same number of points along each input."""
    if dataset.sampling != "grid":
        return
    inputs = len(dataset.domain)
    side = grid_side(dataset.samples, inputs)
    if side**inputs != dataset.samples:
        fewer, more = side**inputs, (side + 1) ** inputs
        yield Complaint(
            "dataset.samples",
            f"a grid over {inputs} inputs has equally many points along each; "
            f"expected {fewer} or {more} (or sampling: uniform), got {dataset.samples}",
        )


FunctionDataset.rules = (
    Rule(formula_is_sound, ("dataset.formula", "dataset.domain")),
    Rule(basis_is_finite, ("dataset.basis", "dataset.domain")),
    Rule(grid_is_regular, ("dataset.samples", "dataset.sampling", "dataset.domain")),
)
