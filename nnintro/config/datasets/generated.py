"""Dataset kinds ``regression`` and ``classification``: problems made by a generator."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from nnintro.config.datasets.basis import Basis
from nnintro.config.datasets.function import Interval, boxed, formula_complaints, one_sided
from nnintro.config.section import (
    Complaint,
    Complaints,
    Count,
    DatasetSection,
    Fraction,
    NotNegative,
    Rule,
    Standardize,
    class_parts_fit,
    held_out,
    samples_for_classes,
)
from nnintro.config.task import DataFacts, Task, TaskKind


class _Generated(DatasetSection):
    samples: Annotated[Count, Field(ge=2)] = 1000
    """Samples in all, validation included."""
    noise: NotNegative = 0.0
    """Standard deviation of Gaussian noise."""
    validation: Annotated[Fraction, Field(gt=0)] = 0.2
    """The fraction of the samples kept for validation."""
    standardize: Standardize = "none"
    """`inputs`: shift and scale each input to mean 0 and standard deviation 1."""
    basis: Basis | None = None
    """Basis functions: formulas of the inputs, such as `[x**2, cos(50*x)]`, that the network takes in place
    of them. They are a part of the model: it is asked with the inputs themselves."""

    @property
    def formulas(self) -> list[str]:
        return self.basis or []

    def few(self, samples: int) -> dict[str, Any]:
        return {"samples": min(self.samples, samples)}

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
    generator: Literal["linear", "sine", "friedman1", "friedman2", "friedman3", "sparse_uncorrelated"] = "linear"
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
    def source(self) -> str:
        return self.generator

    @property
    def facts(self) -> DataFacts:
        task = Task("regression", inputs=self.feature_count, outputs=self.outputs)
        return DataFacts(task, self.training_samples)

    def resolved(self) -> dict[str, Any]:
        return {"features": self.feature_count}


CLASSIFICATION_SHAPES: dict[str, tuple[int | None, int | None]] = {
    "moons": (2, 2),
    "circles": (2, 2),
    "xor": (2, 2),
    "spirals": (2, None),
    "blobs": (None, None),
    "gaussian_quantiles": (None, None),
    "hypercube": (None, None),
    "formula": (None, 2),
}
"""Generator -> (its fixed number of features or None, its fixed number of classes or None)."""


class ClassificationDataset(_Generated):
    """Synthetic classification problems; `noise` blurs the inputs, not the labels."""

    kind: Literal["classification"]
    generator: Literal["moons", "circles", "xor", "spirals", "blobs", "gaussian_quantiles", "hypercube", "formula"] = (
        "moons"
    )
    """`hypercube` is scikit-learn's make_classification: clusters about the corners of a cube. `formula`
    is a formula of yours."""
    formula: Annotated[str, Field(min_length=1)] | None = None
    """With `generator: formula`: class 1 is where it is above 0, such as `x2 - sin(3*x1)`."""
    domain: Annotated[list[Interval], Field(min_length=1, max_length=64), BeforeValidator(boxed)] | None = None
    """With `generator: formula`: one [low, high] per input, from which samples are drawn uniformly;
    [[-1, 1], [-1, 1]] by default."""
    classes: Annotated[int, Field(ge=2, le=1000)] | None = None
    """Number of classes; 2 by default."""
    features: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Inputs; 2 by default."""
    proportions: list[Annotated[float, Field(gt=0)]] | None = None
    """The share of each class, such as [0.9, 0.1]; equal shares by default."""

    @property
    def box(self) -> list[Interval]:
        """With ``generator: formula``: the domain."""
        return self.domain or [[-1.0, 1.0], [-1.0, 1.0]]

    @property
    def feature_count(self) -> int:
        if self.generator == "formula":
            return len(self.box)
        return self.features or CLASSIFICATION_SHAPES[self.generator][0] or 2

    @property
    def class_count(self) -> int:
        return (
            self.classes
            or CLASSIFICATION_SHAPES[self.generator][1]
            or (len(self.proportions) if self.proportions else 2)
        )

    @property
    def source(self) -> str:
        return self.formula or self.generator

    @property
    def facts(self) -> DataFacts:
        classes = tuple(map(str, range(self.class_count)))
        is_binary = self.class_count == 2
        outputs = 1 if is_binary else self.class_count
        kind: TaskKind = "binary" if is_binary else "multiclass"
        return DataFacts(Task(kind, self.feature_count, outputs, classes), self.training_samples)

    def resolved(self) -> dict[str, Any]:
        return {"features": self.feature_count, "classes": self.class_count}

    def few(self, samples: int) -> dict[str, Any]:
        needed = samples_for_classes(self.class_count, self.validation)
        return {"samples": min(self.samples, max(samples, needed))}


def features_fit(dataset: RegressionDataset) -> Complaints:
    """A regression problem has the number of inputs that its formula needs."""
    if dataset.features is None:
        return
    fewest, most, _ = REGRESSION_FEATURES[dataset.generator]
    if dataset.features < fewest or (most is not None and dataset.features > most):
        wanted = f"{fewest}" if most == fewest else f"at least {fewest}"
        yield Complaint("dataset.features", f"{dataset.generator} needs {wanted}, got {dataset.features}")


def linear_settings_fit(dataset: RegressionDataset) -> Complaints:
    """Only ``linear`` has true weights, one a feature and for one output, or several outputs."""
    linear, outputs = dataset.generator == "linear", dataset.outputs
    given = [key for key in ("weights", "bias") if getattr(dataset, key) is not None]
    for key in given if not linear or outputs != 1 else ():
        why = (
            f"needs outputs: 1, got outputs: {outputs}"
            if linear
            else f"only generator: linear has it, not {dataset.generator}"
        )
        yield Complaint(f"dataset.{key}", why)
    if not linear and outputs != 1:
        yield Complaint("dataset.outputs", f"{dataset.generator} has one output; expected 1, got {outputs}")
    if linear and dataset.weights is not None and len(dataset.weights) != dataset.feature_count:
        wanted = f"expected one weight per feature ({dataset.feature_count})"
        yield Complaint("dataset.weights", f"{wanted}, got {len(dataset.weights)}")


RegressionDataset.rules = (
    Rule(features_fit, ("dataset.generator", "dataset.features", "dataset.weights")),
    Rule(
        linear_settings_fit, tuple(f"dataset.{key}" for key in ("generator", "features", "outputs", "weights", "bias"))
    ),
)


def shape_fits(dataset: ClassificationDataset) -> Complaints:
    """Moons and the like are two classes in the plane, and a cube has 2^features corners."""
    (features, classes), generator = CLASSIFICATION_SHAPES[dataset.generator], dataset.generator
    if features is not None and dataset.feature_count != features:
        yield Complaint("dataset.features", f"{generator} needs {features}, got {dataset.feature_count}")
    if classes is not None and dataset.class_count != classes:
        yield Complaint("dataset.classes", f"{generator} needs {classes}, got {dataset.class_count}")
    features = dataset.feature_count
    # Enough features hold any number of classes; 2**features need not be computed.
    if generator == "hypercube" and features < math.log2(dataset.class_count):
        yield Complaint(
            "dataset.classes",
            f"{features} features give a cube of {2**features} corners, too few for {dataset.class_count} classes",
        )


def formula_divides_its_domain(dataset: ClassificationDataset) -> Complaints:
    """The formula can be read, is finite all over the domain, and above 0 in a part of it."""
    if dataset.generator != "formula":
        for key in ("formula", "domain"):
            if getattr(dataset, key) is not None:
                yield Complaint(f"dataset.{key}", f"only generator: formula has it, not {dataset.generator}")
        return
    if dataset.formula is None:
        yield Complaint("dataset.generator", "formula needs the key formula, such as x2 - sin(3*x1)")
        return
    if dataset.features not in (None, len(dataset.box)):
        wanted = f"expected {len(dataset.box)}, one for each interval of the domain"
        yield Complaint("dataset.features", f"{wanted}, got {dataset.features}")
    if dataset.proportions is not None:
        yield Complaint("dataset.proportions", "the formula decides the shares of the classes; leave it out")
    if complaints := list(formula_complaints(dataset.formula, dataset.box)):
        yield from complaints
    elif only := one_sided(dataset.formula, tuple(map(tuple, dataset.box))):
        yield Complaint("dataset.formula", f"{only}: there is one class only")


def proportions_are_shares(dataset: ClassificationDataset) -> Complaints:
    """One share per class, all together 1."""
    if dataset.proportions is None or dataset.generator == "formula":
        return
    shares, classes = dataset.proportions, dataset.class_count
    if len(shares) != classes:
        yield Complaint("dataset.proportions", f"expected one share per class ({classes}), got {len(shares)}")
    elif not math.isclose(math.fsum(shares), 1, abs_tol=1e-6):
        yield Complaint("dataset.proportions", f"shares must add up to 1, not {math.fsum(shares):g}")


def every_class_on_both_sides(dataset: ClassificationDataset) -> Complaints:
    """See ``section.class_parts_fit``."""
    yield from class_parts_fit(dataset.training_samples, dataset.validation_samples, dataset.class_count)


_CLASSES = ("dataset.generator", "dataset.classes", "dataset.proportions")

ClassificationDataset.rules = (
    Rule(shape_fits, (*_CLASSES, "dataset.features")),
    Rule(formula_divides_its_domain, (*_CLASSES, "dataset.features", "dataset.formula", "dataset.domain")),
    Rule(proportions_are_shares, _CLASSES),
    Rule(every_class_on_both_sides, ("dataset.samples", "dataset.validation", *_CLASSES)),
)
