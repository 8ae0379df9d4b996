"""Dataset kinds ``regression`` and ``classification``: problems made by a generator."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nnintro.config.section import Count, Fraction, NotNegative, Section, Standardize, held_out
from nnintro.config.task import Task


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
