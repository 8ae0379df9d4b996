"""The ``dataset`` section: where the samples come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from nnintro.config.bundled import BundledDataset
from nnintro.config.images import ImagesDataset
from nnintro.config.images import resolved as resolved_images
from nnintro.config.section import Count, Fraction, NotNegative, Section, exactly, held_out
from nnintro.config.table import TableDataset
from nnintro.config.task import Task
from nnintro.config.wording import shown

Standardize = Literal["none", "inputs"]


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


class _Generated(Section):
    samples: Annotated[Count, Field(ge=2)] = 1000
    """Samples in all, validation included."""
    noise: NotNegative = 0.0
    """Standard deviation of Gaussian noise."""
    validation: Annotated[Fraction, Field(gt=0)] = 0.2
    """The fraction of the samples kept for validation."""
    standardize: Standardize = "none"
    """`inputs`: shift and scale each input to mean 0 and standard deviation 1."""

    @property
    def validation_samples(self) -> int:
        return held_out(self.samples, self.validation)

    @property
    def training_samples(self) -> int:
        return self.samples - self.validation_samples


REGRESSION_FEATURES = {
    "linear": (1, None, 1),
    "sine": (1, 1, 1),
    "friedman1": (5, None, 10),
    "friedman2": (4, 4, 4),
    "friedman3": (4, 4, 4),
    "sparse_uncorrelated": (4, None, 10),
}
"""Generator -> (fewest features, most features or None, default)."""


class RegressionDataset(_Generated):
    """Synthetic regression problems with Gaussian noise on the targets."""

    kind: Literal["regression"]
    generator: Literal[
        "linear", "sine", "friedman1", "friedman2", "friedman3", "sparse_uncorrelated"
    ] = "linear"
    """The true function; friedman1 to 3 are those of Friedman (1991)."""
    features: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Inputs; the number that the generator needs by default."""
    outputs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Targets per sample; only `linear` has more than one."""
    weights: Annotated[list[float], Field(min_length=1)] | None = None
    """`linear` with one output: the true weights; drawn from a normal distribution by default."""
    bias: float | None = None
    """`linear`: the true bias; drawn by default."""

    @property
    def feature_count(self) -> int:
        if self.features is not None:
            return self.features
        if self.weights is not None:
            return len(self.weights)
        return REGRESSION_FEATURES[self.generator][2]

    @property
    def task(self) -> Task:
        return Task("regression", inputs=self.feature_count, outputs=self.outputs)


CLASSIFICATION_SHAPES: dict[str, tuple[int | None, int | None]] = {
    "moons": (2, 2),
    "circles": (2, 2),
    "xor": (2, 2),
    "spirals": (2, None),
    "blobs": (None, None),
    "gaussian_quantiles": (None, None),
    "hypercube": (None, None),
}
"""Generator -> (its fixed number of features or None, its fixed number of classes or None)."""


class ClassificationDataset(_Generated):
    """Synthetic classification problems; `noise` blurs the inputs, not the labels."""

    kind: Literal["classification"]
    generator: Literal[
        "moons", "circles", "xor", "spirals", "blobs", "gaussian_quantiles", "hypercube"
    ] = "moons"
    """`hypercube` is scikit-learn's make_classification: clusters about the corners of a cube."""
    classes: Annotated[int, Field(ge=2, le=1000)] | None = None
    """Number of classes; 2 by default."""
    features: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Inputs; 2 by default."""
    proportions: list[Annotated[float, Field(gt=0)]] | None = None
    """The share of each class, such as [0.9, 0.1]; equal shares by default."""

    @property
    def feature_count(self) -> int:
        return self.features or CLASSIFICATION_SHAPES[self.generator][0] or 2

    @property
    def class_count(self) -> int:
        return (
            self.classes
            or CLASSIFICATION_SHAPES[self.generator][1]
            or (len(self.proportions) if self.proportions else 2)
        )

    @property
    def task(self) -> Task:
        k = self.class_count
        names = tuple(str(index) for index in range(k))
        return Task(
            "binary" if k == 2 else "multiclass", self.feature_count, 1 if k == 2 else k, names
        )


Dataset = Annotated[
    FunctionDataset
    | RegressionDataset
    | ClassificationDataset
    | BundledDataset
    | TableDataset
    | ImagesDataset,
    Field(discriminator="kind"),
]


def resolved(dataset: Any) -> dict[str, Any]:
    """The values that were left to the generator, written out."""
    if isinstance(dataset, ImagesDataset):
        return resolved_images(dataset)
    found: dict[str, Any] = {}
    if isinstance(dataset, RegressionDataset | ClassificationDataset):
        found["features"] = dataset.feature_count
    if isinstance(dataset, ClassificationDataset):
        found["classes"] = dataset.class_count
    return found
