"""Rules that types cannot say: those that hold between keys and between sections.

Each is a small function from a type-correct experiment to complaints.  Beside it in the table
stand the keys that it reads: where one of them is itself in error, the rule is left out, so that
one mistake is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nnintro.config import dataset_rules as data
from nnintro.config import images_rules as images
from nnintro.config import model_rules as model
from nnintro.config import steps_rules as steps
from nnintro.config.descent import CosineSchedule, Lbfgs, Sgd
from nnintro.config.experiment import Experiment
from nnintro.config.models import Layered
from nnintro.config.parse.nodes import Finding, Keys, Node, find
from nnintro.config.section import Complaint
from nnintro.config.table_rules import TABLE_RULES
from nnintro.wording import listing, nearest, shown

Complaints = Iterator[Complaint]
MOST_ROWS = 10_000_000
"""Of history.csv."""


# --- descent ---------------------------------------------------------------------------------


def batch_fits_the_data(experiment: Experiment) -> Complaints:
    """No batch is larger than the training data."""
    descent, n = experiment.descent, experiment.dataset.training_samples
    size = descent.batch_size
    if size is not None and size > n and descent.variant != "stochastic":
        yield Complaint(
            "descent.batch_size", f"expected at most the {n} training samples, got {size}"
        )


def stochastic_takes_one_sample(experiment: Experiment) -> Complaints:
    """Stochastic descent has a batch size of 1 by definition."""
    descent = experiment.descent
    if descent.variant == "stochastic" and descent.batch_size not in (None, 1):
        yield Complaint(
            "descent.batch_size",
            f"stochastic takes one sample per update; expected 1 (or variant: mini-batch), "
            f"got {descent.batch_size}",
        )


def nesterov_has_momentum(experiment: Experiment) -> Complaints:
    """Nesterov's is a kind of momentum."""
    optimizer = experiment.descent.optimizer
    if isinstance(optimizer, Sgd) and optimizer.nesterov and optimizer.momentum == 0:
        yield Complaint(
            "descent.optimizer.nesterov", "nesterov needs a momentum above 0, such as momentum: 0.9"
        )


def lbfgs_sees_all_the_data(experiment: Experiment) -> Complaints:
    """L-BFGS compares gradients, which must be of one and the same function."""
    descent = experiment.descent
    if isinstance(descent.optimizer, Lbfgs) and descent.variant != "batch":
        yield Complaint(
            "descent.optimizer", "lbfgs needs the gradient over all the data; use variant: batch"
        )


def lbfgs_takes_the_gradient_as_it_is(experiment: Experiment) -> Complaints:
    """L-BFGS has neither clipping nor weight decay."""
    descent = experiment.descent
    if not isinstance(descent.optimizer, Lbfgs):
        return
    if descent.clip_norm is not None:
        yield Complaint("descent.clip_norm", "lbfgs does not clip its gradient; leave it out")
    if descent.weight_decay:
        yield Complaint("descent.weight_decay", "lbfgs has no weight decay; expected 0")


def lbfgs_has_one_loss(experiment: Experiment) -> Complaints:
    """Dropout would give L-BFGS another function with every call."""
    model = experiment.model
    dropout = isinstance(model, Layered) and model.dropout
    if isinstance(experiment.descent.optimizer, Lbfgs) and dropout:
        yield Complaint(
            "model.dropout", "lbfgs needs a loss that is the same from call to call; expected 0"
        )


def warmup_ends_in_time(experiment: Experiment) -> Complaints:
    """The warmup is shorter than the run."""
    schedule, total = experiment.descent.schedule, experiment.total_updates
    if isinstance(schedule, CosineSchedule) and 0 < total <= schedule.warmup_steps:
        yield Complaint(
            "descent.schedule.warmup_steps",
            f"expected fewer than the {total} updates of the run, got {schedule.warmup_steps}",
        )


# --- training --------------------------------------------------------------------------------


def epochs_or_steps(experiment: Experiment) -> Complaints:
    """The length of a run is given once."""
    if experiment.training.epochs is not None and experiment.training.steps is not None:
        yield Complaint("training.steps", "give epochs or steps, not both")


def watched_metrics_exist(experiment: Experiment) -> Complaints:
    """A run stops by metrics that it records."""
    training = experiment.training
    known = ["train/loss", *experiment.task.validation_tags(experiment.loss_name)]
    for tag in training.stop_when or {}:
        if tag not in known:
            message = f"unknown metric; {_expected_metric(tag, known)}"
            yield Complaint("training.stop_when", message, entry=tag)
    early = training.early_stopping
    if early is not None and early.metric not in known:
        message = _expected_metric(early.metric, known)
        yield Complaint("training.early_stopping.metric", message)


def history_fits_into_memory(experiment: Experiment) -> Complaints:
    """What is measured is kept until the end."""
    every, total = experiment.logging.every, experiment.total_updates
    if every is not None and total // every > MOST_ROWS:
        least = -(-total // MOST_ROWS)
        yield Complaint(
            "logging.scalars",
            f"the {total:,} updates give {total // every:,} rows, and the history holds "
            f"{MOST_ROWS:,}; expected auto, off, or at least every {least} steps",
        )


def _expected_metric(tag: str, known: list[str]) -> str:
    # All have long beginnings in common: alike are those whose ends are.
    ends = {name.rpartition("/")[2]: name for name in known}
    close = nearest(tag, known, 0.9) or ends.get(nearest(tag.rpartition("/")[2], ends) or "")
    meant = f"; did you mean '{close}'?" if close else ""
    return f"expected {listing(known)}, got {shown(tag)}{meant}"


# --- the table -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """A check, and the keys that it reads."""

    check: Callable[[Experiment], Complaints]
    reads: tuple[str, ...]
    needs_data: bool = False
    """Whether it asks for the task or the number of samples, which may stand in files."""


_SAMPLES = ("dataset.samples", "dataset.validation")
_CLASSES = ("dataset.generator", "dataset.classes", "dataset.proportions")
_TASK = (
    "dataset.kind",
    "dataset.domain",
    "dataset.generator",
    "dataset.features",
    "dataset.outputs",
    "dataset.weights",
)
_OPTIMIZER = "descent.optimizer"
_BATCH = ("descent.variant", "descent.batch_size")
_LENGTH = ("training.epochs", "training.steps")

RULES = (
    Rule(data.formula_is_sound, ("dataset.formula", "dataset.domain")),
    Rule(data.grid_is_regular, ("dataset.samples", "dataset.sampling", "dataset.domain")),
    Rule(data.features_fit, ("dataset.generator", "dataset.features", "dataset.weights")),
    Rule(data.weights_fit, ("dataset.generator", "dataset.features", "dataset.weights")),
    Rule(data.only_linear_has_weights, ("dataset.generator", "dataset.weights", "dataset.bias")),
    Rule(data.only_linear_has_outputs, ("dataset.generator", "dataset.outputs")),
    Rule(
        data.weights_are_of_one_output,
        ("dataset.generator", "dataset.outputs", "dataset.weights", "dataset.bias"),
    ),
    Rule(data.class_features_fit, ("dataset.generator", "dataset.features")),
    Rule(data.classes_fit, (*_CLASSES, "dataset.features")),
    Rule(data.proportions_are_shares, _CLASSES),
    Rule(data.every_class_on_both_sides, (*_SAMPLES, *_CLASSES, "dataset.name")),
    Rule(
        data.weights_are_of_classes,
        ("dataset.class_weights", "dataset.name", "loss"),
        needs_data=True,
    ),
    Rule(model.one_activation_per_hidden_layer, ("model.hidden", "model.activation")),
    Rule(model.dropout_has_units_to_drop, ("model.hidden", "model.dropout")),
    Rule(model.spread_has_units_to_place, ("model.hidden", "model.initialization")),
    Rule(
        steps.steps_can_be_handed_over,
        (
            "model.initialization",
            "model.hidden",
            "model.activation",
            "model.output_activation",
            "dataset.standardize",
            *_TASK,
        ),
        needs_data=True,
    ),
    Rule(steps.steps_draw_one_function, ("model.kind", *_TASK), needs_data=True),
    Rule(steps.steps_have_the_inputs_of_the_data, ("model.steps", *_TASK), needs_data=True),
    Rule(steps.steepness_is_a_sigmoids, ("model.activation", "model.steepness")),
    Rule(steps.steps_take_raw_inputs, ("model.kind", "dataset.standardize")),
    Rule(steps.steps_fit_the_precision, ("model.steps", "model.steepness", "precision")),
    Rule(steps.towers_fit_into_memory, ("model.steps",)),
    Rule(images.images_come_from_one_place, ("dataset.path", "dataset.generator")),
    Rule(
        images.image_keys_go_with_their_place,
        (
            *("dataset.path", "dataset.generator", "dataset.fit", "dataset.channels"),
            *("dataset.noise", "dataset.signal_to_noise"),
        ),
    ),
    Rule(images.made_images_have_two_classes, ("dataset.generator", "dataset.classes")),
    Rule(images.points_need_two_classes, ("dataset.point_radius", "dataset.classes")),
    Rule(images.class_names_differ, ("dataset.classes",)),
    Rule(
        images.made_images_have_room,
        ("dataset.generator", "dataset.size", "dataset.samples", "dataset.memory"),
    ),
    *(Rule(check, reads) for check, reads in TABLE_RULES),
    Rule(model.images_go_through_a_unet, ("model.kind", "dataset.kind")),
    Rule(model.loss_fits_the_task, ("loss", "dataset.kind"), needs_data=True),
    Rule(
        model.logits_stay_logits,
        ("loss", "dataset.kind", "model.output_activation"),
        needs_data=True,
    ),
    Rule(batch_fits_the_data, (*_SAMPLES, *_BATCH), needs_data=True),
    Rule(stochastic_takes_one_sample, _BATCH),
    Rule(nesterov_has_momentum, (f"{_OPTIMIZER}.nesterov", f"{_OPTIMIZER}.momentum")),
    Rule(lbfgs_sees_all_the_data, (_OPTIMIZER, "descent.variant")),
    Rule(
        lbfgs_takes_the_gradient_as_it_is,
        (_OPTIMIZER, "descent.clip_norm", "descent.weight_decay"),
    ),
    Rule(lbfgs_has_one_loss, (_OPTIMIZER, "model.dropout")),
    Rule(
        warmup_ends_in_time,
        ("descent.schedule.warmup_steps", *_BATCH, *_LENGTH, *_SAMPLES),
        needs_data=True,
    ),
    Rule(epochs_or_steps, _LENGTH),
    Rule(
        watched_metrics_exist,
        ("training.early_stopping.metric", "dataset.kind", "loss", *_CLASSES),
        needs_data=True,
    ),
    Rule(
        history_fits_into_memory,
        ("logging.scalars", *_BATCH, *_LENGTH, *_SAMPLES),
        needs_data=True,
    ),
)


def broken_rules(experiment: Experiment, root: Node, broken: set[Keys]) -> list[Finding]:
    """What the rules say about an experiment whose keys in ``broken`` are not the user's own.

    Where the data was not looked at yet, those that need it are left for ``broken_by_data``.
    """
    return [
        _finding(complaint, root)
        for rule in RULES
        if experiment.is_known or not rule.needs_data
        if not any(_touched(key, broken) for key in rule.reads)
        for complaint in rule.check(experiment)
    ]


def broken_by_data(experiment: Experiment, root: Node) -> list[Finding]:
    """What the rules that need the data say, once it was looked at."""
    return [
        _finding(complaint, root)
        for rule in RULES
        if rule.needs_data
        for complaint in rule.check(experiment)
    ]


def _touched(path: str, broken: set[Keys]) -> bool:
    """Whether a key, or a section above it, is broken."""
    keys = tuple(path.split("."))
    return any(keys[:depth] in broken for depth in range(1, len(keys) + 1))


def _finding(complaint: Complaint, root: Node) -> Finding:
    keys: Keys = tuple(complaint.path.split("."))
    if complaint.entry is not None:
        keys = (*keys, complaint.entry)
    return Finding(find(root, keys, of_key=complaint.entry is not None), keys, complaint.message)
