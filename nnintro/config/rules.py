"""Rules that pydantic's types cannot say: those that hold between keys and between sections.

Each is a small function from a type-correct experiment to complaints ``(key, message)``.
``needs`` names the keys that a rule reads: where one of them is itself in error, the rule is
left out, so that one mistake is reported once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nnintro.config.dataset import (
    CLASSIFICATION_SHAPES,
    REGRESSION_FEATURES,
    ClassificationDataset,
    FunctionDataset,
    RegressionDataset,
)
from nnintro.config.descent import CosineSchedule, Lbfgs, Sgd
from nnintro.config.experiment import Experiment, grid_side
from nnintro.config.model import SpreadInitialization
from nnintro.config.section import listing
from nnintro.formula import FormulaError, first_non_finite, parse

Complaint = tuple[str, str]
Check = Callable[[Experiment], Iterator[Complaint]]
PROBED_POINTS = 4096


@dataclass(frozen=True)
class Rule:
    needs: tuple[str, ...]
    check: Check


RULES: list[Rule] = []


def rule(*needs: str) -> Callable[[Check], Check]:
    """Enter a check into RULES."""

    def enter(check: Check) -> Check:
        RULES.append(Rule(needs, check))
        return check

    return enter


# --- dataset ---------------------------------------------------------------------------------


@rule("dataset.formula", "dataset.domain")
def formula_is_sound(experiment: Experiment) -> Iterator[Complaint]:
    dataset = experiment.dataset
    if not isinstance(dataset, FunctionDataset):
        return
    try:
        formula = parse(dataset.formula, len(dataset.domain))
    except FormulaError as error:
        yield "dataset.formula", str(error)
        return
    point = first_non_finite(formula, _probes(dataset.domain))
    if point is not None:
        names = ["x"] if len(point) == 1 else [f"x{i + 1}" for i in range(len(point))]
        at = ", ".join(f"{name} = {value:g}" for name, value in zip(names, point, strict=True))
        yield "dataset.formula", f"not a finite number at {at}, which lies in the domain"


def _probes(domain: list[list[float]]) -> Iterator[tuple[float, ...]]:
    """A grid with the corners on it: the validation grid in one dimension, coarser in more."""
    side = 2001 if len(domain) == 1 else max(2, grid_side(PROBED_POINTS, len(domain)))
    axes = [
        [low + (high - low) * (index / (side - 1)) for index in range(side)]
        for low, high in domain
    ]
    yield tuple(math.fsum(interval) / 2 for interval in domain)
    yield from itertools.islice(itertools.product(*axes), PROBED_POINTS)


@rule("dataset.samples", "dataset.sampling", "dataset.domain")
def grid_is_regular(experiment: Experiment) -> Iterator[Complaint]:
    dataset = experiment.dataset
    if not isinstance(dataset, FunctionDataset) or dataset.sampling != "grid":
        return
    inputs = len(dataset.domain)
    side = grid_side(dataset.samples, inputs)
    if side**inputs != dataset.samples:
        near = [k**inputs for k in (side, side + 1)]
        yield (
            "dataset.samples",
            f"a grid over {inputs} inputs needs the same number of points along each; "
            f"expected {listing([str(n) for n in near])} (or sampling: uniform), "
            f"got {dataset.samples}",
        )


@rule("dataset.generator", "dataset.features", "dataset.weights")
def regression_features_fit(experiment: Experiment) -> Iterator[Complaint]:
    dataset = experiment.dataset
    if not isinstance(dataset, RegressionDataset):
        return
    fewest, most, _ = REGRESSION_FEATURES[dataset.generator]
    count, name = dataset.feature_count, dataset.generator
    if dataset.weights is not None and dataset.generator == "linear":
        if len(dataset.weights) != count:
            yield "dataset.weights", f"expected one weight per feature ({count}), " + (
                f"got {len(dataset.weights)}"
            )
    elif count < fewest or (most is not None and count > most):
        wanted = f"{fewest}" if most == fewest else f"at least {fewest}"
        yield "dataset.features", f"{name} has {wanted} features, got {count}"


@rule("dataset.generator", "dataset.weights", "dataset.bias", "dataset.outputs")
def only_linear_has_weights(experiment: Experiment) -> Iterator[Complaint]:
    dataset = experiment.dataset
    if not isinstance(dataset, RegressionDataset):
        return
    if dataset.generator != "linear":
        for key in ("weights", "bias"):
            if getattr(dataset, key) is not None:
                yield f"dataset.{key}", f"only the generator linear has it, not {dataset.generator}"
        if dataset.outputs != 1:
            yield "dataset.outputs", f"{dataset.generator} has one output, got {dataset.outputs}"
    elif dataset.outputs != 1:
        for key in ("weights", "bias"):
            if getattr(dataset, key) is not None:
                yield f"dataset.{key}", "can be given for one output only"


@rule("dataset.generator", "dataset.features", "dataset.classes")
def classification_shape_fits(experiment: Experiment) -> Iterator[Complaint]:
    dataset = experiment.dataset
    if not isinstance(dataset, ClassificationDataset):
        return
    features, classes = CLASSIFICATION_SHAPES[dataset.generator]
    if features is not None and dataset.feature_count != features:
        yield "dataset.features", f"{dataset.generator} has {features} features, " + (
            f"got {dataset.feature_count}"
        )
    if classes is not None and dataset.class_count != classes:
        yield "dataset.classes", f"{dataset.generator} has {classes} classes, " + (
            f"got {dataset.class_count}"
        )
    if dataset.generator == "hypercube" and dataset.class_count > 2 ** dataset.feature_count:
        yield "dataset.classes", f"{dataset.feature_count} features give a cube of " + (
            f"{2**dataset.feature_count} corners, too few for {dataset.class_count} classes"
        )


@rule("dataset.proportions", "dataset.classes", "dataset.generator")
def proportions_are_shares(experiment: Experiment) -> Iterator[Complaint]:
    dataset = experiment.dataset
    if not isinstance(dataset, ClassificationDataset) or dataset.proportions is None:
        return
    shares, classes = dataset.proportions, dataset.class_count
    if len(shares) != classes:
        yield "dataset.proportions", f"expected one share per class ({classes}), got {len(shares)}"
    elif not math.isclose(math.fsum(shares), 1, abs_tol=1e-6):
        yield "dataset.proportions", f"shares must add up to 1, got {math.fsum(shares):g}"


@rule("dataset.samples", "dataset.classes", "dataset.proportions", "dataset.validation")
def every_class_on_both_sides(experiment: Experiment) -> Iterator[Complaint]:
    dataset = experiment.dataset
    if not isinstance(dataset, ClassificationDataset):
        return
    classes = dataset.class_count
    if dataset.validation_samples < classes or dataset.training_samples < classes:
        yield (
            "dataset.samples",
            f"{dataset.training_samples} training and {dataset.validation_samples} validation "
            f"samples cannot both hold all {classes} classes; expected more samples",
        )


# --- model and loss --------------------------------------------------------------------------


@rule("model.hidden", "model.activation")
def one_activation_per_hidden_layer(experiment: Experiment) -> Iterator[Complaint]:
    model = experiment.model
    if isinstance(model.activation, list) and len(model.activation) != len(model.hidden):
        yield "model.activation", f"expected one name, or one per hidden layer " + (
            f"({len(model.hidden)}), got {len(model.activation)}"
        )


@rule("model.hidden", "model.dropout", "model.initialization")
def without_a_hidden_layer(experiment: Experiment) -> Iterator[Complaint]:
    model = experiment.model
    if model.hidden:
        return
    if model.dropout > 0:
        yield "model.dropout", "there is no hidden layer to drop units from; expected 0"
    if isinstance(model.initialization, SpreadInitialization):
        yield "model.initialization", "spread places hidden units, and there are none"


@rule("loss", "dataset.kind")
def loss_fits_the_task(experiment: Experiment) -> Iterator[Complaint]:
    if experiment.loss == "cross_entropy" and not experiment.task.is_classification:
        yield "loss", "cross_entropy needs classes, and this dataset is a regression; use mse"


@rule("loss", "dataset.kind", "model.output_activation")
def logits_stay_logits(experiment: Experiment) -> Iterator[Complaint]:
    name = experiment.model.output_activation
    if experiment.loss_name != "cross_entropy" or name == "identity":
        return
    if not experiment.task.is_classification:
        return
    contained = "contains the sigmoid already" if name == "sigmoid" else "takes logits"
    yield "model.output_activation", f"cross_entropy {contained}; expected identity, got {name}"


# --- descent ---------------------------------------------------------------------------------


@rule("dataset", "descent.batch_size", "descent.variant")
def batch_fits_the_data(experiment: Experiment) -> Iterator[Complaint]:
    size, n = experiment.descent.batch_size, experiment.dataset.training_samples
    if size is not None and size > n and experiment.descent.variant != "stochastic":
        yield "descent.batch_size", f"{size} is larger than the {n} training samples"


@rule("descent.variant", "descent.batch_size")
def stochastic_takes_one_sample(experiment: Experiment) -> Iterator[Complaint]:
    descent = experiment.descent
    if descent.variant == "stochastic" and descent.batch_size not in (None, 1):
        yield (
            "descent.batch_size",
            f"stochastic takes one sample per update; expected 1, got {descent.batch_size} "
            "(or variant: mini-batch)",
        )


@rule("descent.optimizer")
def nesterov_has_momentum(experiment: Experiment) -> Iterator[Complaint]:
    optimizer = experiment.descent.optimizer
    if isinstance(optimizer, Sgd) and optimizer.nesterov and optimizer.momentum == 0:
        yield "descent.optimizer.nesterov", "needs a momentum above 0"


@rule("descent")
def lbfgs_sees_all_the_data(experiment: Experiment) -> Iterator[Complaint]:
    descent = experiment.descent
    if not isinstance(descent.optimizer, Lbfgs):
        return
    if descent.variant != "batch":
        yield "descent.optimizer", "lbfgs needs the gradient over all the data; use variant: batch"
    if descent.clip_norm is not None:
        yield "descent.clip_norm", "lbfgs does not clip its gradient"
    if descent.weight_decay:
        yield "descent.weight_decay", "lbfgs has no weight decay"
    if experiment.model.dropout:
        yield "model.dropout", "lbfgs needs a loss that does not change from call to call"


@rule("descent", "training.epochs", "training.steps", "dataset")
def warmup_ends_in_time(experiment: Experiment) -> Iterator[Complaint]:
    schedule, total = experiment.descent.schedule, experiment.total_updates
    if isinstance(schedule, CosineSchedule) and 0 < total <= schedule.warmup_steps:
        yield (
            "descent.schedule.warmup_steps",
            f"expected fewer than the {total} updates of the run, got {schedule.warmup_steps}",
        )


# --- training --------------------------------------------------------------------------------


@rule("training.epochs", "training.steps")
def epochs_or_steps(experiment: Experiment) -> Iterator[Complaint]:
    if experiment.training.epochs is not None and experiment.training.steps is not None:
        yield "training.steps", "give epochs or steps, not both"


@rule("training.stop_when", "training.early_stopping", "dataset", "loss")
def watched_metrics_exist(experiment: Experiment) -> Iterator[Complaint]:
    training = experiment.training
    known = ("train/loss", *experiment.task.validation_tags(experiment.loss_name))
    for tag in training.stop_when or {}:
        if tag not in known:
            yield f"training.stop_when.{tag}", f"unknown metric; expected {listing(known)}"
    early = training.early_stopping
    if early is not None and early.metric not in known:
        yield "training.early_stopping.metric", f"expected {listing(known)}, got '{early.metric}'"
