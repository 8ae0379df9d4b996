"""dataset kind ``bundled``: real data shipped with scikit-learn; nothing is downloaded."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from nnintro.config.datasets.basis import Basis
from nnintro.config.section import (
    Complaints,
    Count,
    DatasetSection,
    Fraction,
    Rule,
    class_parts_fit,
    held_out,
    samples_for_classes,
)
from nnintro.config.task import DataFacts, Task, TaskKind

CLASSES: dict[str, tuple[str, ...]] = {
    "iris": ("setosa", "versicolor", "virginica"),
    "wine": ("class_0", "class_1", "class_2"),
    "breast_cancer": ("malignant", "benign"),
    "digits": tuple(map(str, range(10))),
}

SHAPES = {
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast_cancer": (569, 30, 1),
    "digits": (1797, 64, 10),
    "diabetes": (442, 10, 1),
    "linnerud": (20, 3, 3),
}
"""Name -> (samples, inputs, outputs)."""


class BundledDataset(DatasetSection):
    """Small real data sets, measured by people; scikit-learn describes each of them."""

    kind: Literal["bundled"]
    name: Literal["iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud"]
    """Flowers, wines, tumours of the breast, handwritten digits (8 x 8 pixels): classes.  Progress
    of diabetes, exercise and three measures of the body (linnerud): regressions."""
    samples: Annotated[Count, Field(ge=2)] | None = None
    """At most this many samples, chosen at random (classes in proportion); all by default."""
    validation: Annotated[Fraction, Field(gt=0)] = 0.2
    """The fraction of the samples kept for validation, of each class alike."""
    standardize: Literal["none", "inputs", "both"] = "both"
    """Shift and scale each input to mean 0 and standard deviation 1; both: a regression's targets
    too.  Errors are still in the targets' own units."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: a sample counts by n / (classes * samples of its class) in the loss."""
    basis: Basis | None = None
    """Basis functions: formulas of the inputs, such as `[x**2, cos(50*x)]`, that the network takes in place
    of them. They are a part of the model: it is asked with the inputs themselves."""

    @property
    def facts(self) -> DataFacts:
        _, inputs, outputs = SHAPES[self.name]
        classes = CLASSES.get(self.name, ())
        kinds: dict[int, TaskKind] = {0: "regression", 2: "binary"}
        task = Task(kinds.get(len(classes), "multiclass"), inputs, outputs, classes)
        return DataFacts(task, self.training_samples)

    @property
    def formulas(self) -> list[str]:
        return self.basis or []

    @property
    def source(self) -> str:
        return self.name

    @property
    def weighs_classes(self) -> bool:
        return self.class_weights != "none"

    def few(self, samples: int) -> dict[str, Any]:
        needed = samples_for_classes(len(CLASSES.get(self.name, ())), self.validation)
        return {"samples": min(self.used_samples, max(samples, needed))}

    @property
    def used_samples(self) -> int:
        """Training and validation together."""
        return min(self.samples or SHAPES[self.name][0], SHAPES[self.name][0])

    @property
    def validation_samples(self) -> int:
        return held_out(self.used_samples, self.validation)

    @property
    def training_samples(self) -> int:
        return self.used_samples - self.validation_samples


def every_class_on_both_sides(dataset: BundledDataset) -> Complaints:
    """See ``section.class_parts_fit``."""
    classes = len(CLASSES.get(dataset.name, ()))
    yield from class_parts_fit(dataset.training_samples, dataset.validation_samples, classes)


BundledDataset.rules = (Rule(every_class_on_both_sides, ("dataset.samples", "dataset.validation", "dataset.name")),)
