"""Rules between the keys of the ``dataset`` section (see ``rules``)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from nnintro.config.datasets.bundled import BundledDataset
from nnintro.config.datasets.function import FunctionDataset, grid_side
from nnintro.config.datasets.generated import (
    CLASSIFICATION_SHAPES,
    REGRESSION_FEATURES,
    ClassificationDataset,
    RegressionDataset,
)
from nnintro.config.datasets.table import TableDataset
from nnintro.config.experiment import Experiment
from nnintro.config.section import Complaint
from nnintro.formula import FormulaError, first_non_finite, parse

Complaints = Iterator[Complaint]

MOST_PROBES = 2001
"""Points at which a formula is tried: in one dimension those of the validation grid."""
MOST_WORK = 400_000
"""Points times characters: a long formula is tried at fewer points, in a tenth of a second."""


def formula_is_sound(experiment: Experiment) -> Complaints:
    """The formula can be read, and is finite all over its domain."""
    dataset = experiment.dataset
    if not isinstance(dataset, FunctionDataset):
        return
    try:
        formula = parse(dataset.formula, len(dataset.domain))
    except FormulaError as error:
        yield Complaint("dataset.formula", str(error))
        return
    count = min(MOST_PROBES, MOST_WORK // len(dataset.formula))
    point = first_non_finite(formula, probes(dataset.domain, count))
    if point is not None:
        named = zip(formula.variables, point, strict=True)
        at = ", ".join(f"{name} = {value:g}" for name, value in named)
        yield Complaint("dataset.formula", f"not a finite number at {at}, which is in the domain")


def probes(domain: list[list[float]], count: int) -> Iterator[tuple[float, ...]]:
    """The middle of the domain, then at most ``count`` points of a grid with the corners on it."""
    side = max(2, grid_side(count, len(domain)))
    axes = [
        [low + (high - low) * (index / (side - 1)) for index in range(side)] for low, high in domain
    ]
    yield tuple(low + (high - low) / 2 for low, high in domain)
    yield from itertools.islice(itertools.product(*axes), count)


def grid_is_regular(experiment: Experiment) -> Complaints:
    """A grid has the same number of points along each input."""
    dataset = experiment.dataset
    if not isinstance(dataset, FunctionDataset) or dataset.sampling != "grid":
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


def features_fit(experiment: Experiment) -> Complaints:
    """A regression problem has the number of inputs that its formula needs."""
    dataset = experiment.dataset
    if not isinstance(dataset, RegressionDataset) or dataset.features is None:
        return
    fewest, most, _ = REGRESSION_FEATURES[dataset.generator]
    if dataset.features < fewest or (most is not None and dataset.features > most):
        wanted = f"{fewest}" if most == fewest else f"at least {fewest}"
        yield Complaint(
            "dataset.features", f"{dataset.generator} needs {wanted}, got {dataset.features}"
        )


def weights_fit(experiment: Experiment) -> Complaints:
    """There is one true weight per feature."""
    dataset = experiment.dataset
    if not isinstance(dataset, RegressionDataset) or dataset.generator != "linear":
        return
    if dataset.weights is not None and len(dataset.weights) != dataset.feature_count:
        yield Complaint(
            "dataset.weights",
            f"expected one weight per feature ({dataset.feature_count}), "
            f"got {len(dataset.weights)}",
        )


def only_linear_has_weights(experiment: Experiment) -> Complaints:
    """The other generators have formulas of their own."""
    dataset = experiment.dataset
    if not isinstance(dataset, RegressionDataset) or dataset.generator == "linear":
        return
    for key in _weights_given(dataset):
        yield Complaint(f"dataset.{key}", f"only generator: linear has it, not {dataset.generator}")


def only_linear_has_outputs(experiment: Experiment) -> Complaints:
    """The other generators have one target."""
    dataset = experiment.dataset
    if not isinstance(dataset, RegressionDataset) or dataset.generator == "linear":
        return
    if dataset.outputs != 1:
        yield Complaint(
            "dataset.outputs",
            f"{dataset.generator} has one output; expected 1, got {dataset.outputs}",
        )


def weights_are_of_one_output(experiment: Experiment) -> Complaints:
    """The true weights are a vector, not a matrix."""
    dataset = experiment.dataset
    if not isinstance(dataset, RegressionDataset) or dataset.generator != "linear":
        return
    if dataset.outputs != 1:
        for key in _weights_given(dataset):
            yield Complaint(f"dataset.{key}", f"needs outputs: 1, got outputs: {dataset.outputs}")


def _weights_given(dataset: RegressionDataset) -> list[str]:
    return [key for key in ("weights", "bias") if getattr(dataset, key) is not None]


def class_features_fit(experiment: Experiment) -> Complaints:
    """Moons and the like are drawn in the plane."""
    dataset = experiment.dataset
    if not isinstance(dataset, ClassificationDataset):
        return
    features, _ = CLASSIFICATION_SHAPES[dataset.generator]
    if features is not None and dataset.feature_count != features:
        yield Complaint(
            "dataset.features",
            f"{dataset.generator} needs {features}, got {dataset.feature_count}",
        )


def classes_fit(experiment: Experiment) -> Complaints:
    """Some generators have two classes, and a cube only so many corners."""
    dataset = experiment.dataset
    if not isinstance(dataset, ClassificationDataset):
        return
    features, (_, classes) = dataset.feature_count, CLASSIFICATION_SHAPES[dataset.generator]
    if classes is not None and dataset.class_count != classes:
        yield Complaint(
            "dataset.classes",
            f"{dataset.generator} needs {classes}, got {dataset.class_count}",
        )
    # Enough features hold any number of classes; 2**features need not be computed.
    if dataset.generator == "hypercube" and features < math.log2(dataset.class_count):
        yield Complaint(
            "dataset.classes",
            f"{features} features give a cube of {2**features} corners, too few for "
            f"{dataset.class_count} classes",
        )


def proportions_are_shares(experiment: Experiment) -> Complaints:
    """One share per class, all together 1."""
    dataset = experiment.dataset
    if not isinstance(dataset, ClassificationDataset) or dataset.proportions is None:
        return
    shares, classes = dataset.proportions, dataset.class_count
    if len(shares) != classes:
        yield Complaint(
            "dataset.proportions", f"expected one share per class ({classes}), got {len(shares)}"
        )
    elif not math.isclose(math.fsum(shares), 1, abs_tol=1e-6):
        yield Complaint(
            "dataset.proportions", f"shares must add up to 1, not {math.fsum(shares):g}"
        )


def every_class_on_both_sides(experiment: Experiment) -> Complaints:
    """Training and validation part can each hold a sample of every class."""
    dataset = experiment.dataset
    if not isinstance(dataset, ClassificationDataset | BundledDataset):
        return
    training, validation = dataset.training_samples, dataset.validation_samples
    classes = len(dataset.task.classes)
    if min(training, validation) < classes:
        yield Complaint(
            "dataset.samples",
            f"too few: {training} for training and {validation} for validation cannot both hold "
            f"all {classes} classes",
        )


def weights_are_of_classes(experiment: Experiment) -> Complaints:
    """Class weights need classes."""
    dataset = experiment.dataset
    if not isinstance(dataset, BundledDataset | TableDataset) or dataset.class_weights == "none":
        return
    if not experiment.task.classes:
        yield Complaint(
            "dataset.class_weights", "this dataset is a regression, without classes; expected none"
        )
    elif experiment.loss_name not in ("cross_entropy", "bce"):
        yield Complaint(
            "dataset.class_weights",
            f"only cross_entropy weighs classes, not {experiment.loss_name}; expected none",
        )
