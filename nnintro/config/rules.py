"""Rules across sections, and the function that runs all rules.

A rule is a small function from a type-correct section (here: from the whole experiment, or from
the experiment and what its data says) to complaints.  The rules of one section are below it in
its file, in its ``rules``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from nnintro.config import steps_rules
from nnintro.config.descent import CosineSchedule, Lbfgs
from nnintro.config.experiment import Experiment, Setup
from nnintro.config.losses import LOSSES, misfit
from nnintro.config.models.mlp import GivenInitialization, MlpModel
from nnintro.config.parse.nodes import Finding, Keys, Node, find
from nnintro.config.section import Complaint, Complaints, Rule
from nnintro.config.task import METRICS, prediction_names
from nnintro.formula import FormulaError, parse
from nnintro.wording import listing, nearest, quoted, shown

REACHES_ALL = ("identity", "leaky_relu")
"""The activations whose values are all numbers."""
MOST_ROWS = 10_000_000
"""Of history.csv."""


# --- data, model and loss ----------------------------------------------------------------------


def the_model_takes_the_data(experiment: Experiment) -> Complaints:
    """A U-Net takes images and gives maps; the other models take rows of numbers."""
    model, dataset = experiment.model, experiment.dataset
    if model.takes == dataset.gives:
        return
    if model.takes == "images":
        why = f"{model.kind} takes images, and this dataset is of kind {dataset.kind}; expected mlp"
    else:
        why = f"{model.kind} takes rows of numbers, and this dataset has images; expected unet"
    yield Complaint("model.kind", why)


def basis_can_be_read(setup: Setup) -> Complaints:
    """Every basis function is a formula of the dataset's inputs."""
    for index, text in enumerate(setup.dataset.formulas):
        try:
            parse(text, setup.variables)
        except FormulaError as error:
            yield Complaint(f"dataset.basis.{index}", str(error))


def given_parameters_fit(setup: Setup) -> Complaints:
    """Parameters by hand have the shapes of the layers, and are for inputs as they are."""
    model = setup.model
    if not isinstance(model, MlpModel) or not isinstance(model.initialization, GivenInitialization):
        return
    path, layers = "model.initialization.layers", model.initialization.layers
    widths = [setup.network_task.inputs, *model.hidden, setup.task.outputs]
    if len(layers) != len(widths) - 1:
        yield Complaint(path, f"expected one entry for each of the {len(widths) - 1} layers, got {len(layers)}")
        return
    for index, (layer, inputs, outputs) in enumerate(zip(layers, widths[:-1], widths[1:], strict=True)):
        sizes = {len(row) for row in layer.W}
        if len(layer.W) != outputs or sizes != {inputs}:
            got = f"{len(layer.W)} of {listing(sorted(sizes))}"
            yield Complaint(f"{path}.{index}.W", f"expected {outputs} rows of {inputs} weights, got {got}")
        if len(layer.b) != outputs:
            yield Complaint(f"{path}.{index}.b", f"expected {outputs}, one a neuron, got {len(layer.b)}")
        most = steps_rules.LARGEST[setup.precision]
        if max(map(abs, [*layer.b, *(weight for row in layer.W for weight in row)])) > most:
            yield Complaint(f"{path}.{index}", f"beyond what {setup.precision} can hold (about {most:.0e})")
    if setup.dataset.standardize != "none":
        message = "weights given by hand are for the inputs in their own units; expected none"
        yield Complaint("dataset.standardize", message)


def loss_fits_the_task(setup: Setup) -> Complaints:
    """Cross entropy compares classes, Dice areas; bce knows two classes."""
    why = misfit(setup.loss_name, setup.task) if setup.experiment.loss is not None else None
    if why is not None:
        of_numbers = setup.dataset.kind == "table" and setup.task.kind == "regression" and setup.task.outputs == 1
        yield Complaint(
            "loss", f"{why}; dataset.task: classification takes its numbers as classes" if of_numbers else why
        )


def logits_stay_logits(setup: Setup) -> Complaints:
    """Cross entropy contains the sigmoid or softmax already."""
    name, loss = setup.model.final_activation, setup.loss_name
    if (setup.logits or setup.scores) and setup.task.classes and name != "identity":
        why = "contains the sigmoid already" if name == "sigmoid" else "takes logits as they are"
        if setup.scores:
            why = "looks at the sum z itself"
        yield Complaint("model.output_activation", f"{loss} {why}; expected identity, got '{name}'")


def outputs_reach_the_targets(setup: Setup) -> Complaints:
    """What the outputs go through must not keep them from standardised targets, which have mean 0."""
    name = setup.model.final_activation
    if setup.task.kind == "regression" and setup.dataset.standardize == "both" and name not in REACHES_ALL:
        why = f"{name} does not reach all standardised targets, whose mean is 0 and whose deviation is 1"
        remedy = "with dataset.standardize: inputs it acts in the targets' own units"
        yield Complaint("model.output_activation", f"{why}; {remedy}")


def columns_have_no_output_name(setup: Setup) -> Complaints:
    """Predictions stand behind the columns of a file, under names of their own."""
    columns: list[dict[str, Any]] = [*setup.facts.description.get("columns", [])]
    classes, targets = setup.task.classes, [target["name"] for target in setup.facts.description.get("targets", [])]
    taken = set(prediction_names(setup.task, logits=setup.logits, classes=classes, targets=targets)) if columns else ()
    for name in (column["name"] for column in columns):
        if name in taken:
            why = f"column {quoted(name)} is called like what predict writes; rename it in the file"
            yield Complaint("dataset.path", f"{why}, or list it in dataset.exclude")


def weights_are_of_classes(setup: Setup) -> Complaints:
    """Class weights need classes, and a loss that weighs them."""
    if not setup.dataset.weighs_classes:
        return
    if not setup.task.classes:
        why = "this dataset is a regression, without classes"
    elif not LOSSES[setup.loss_name].weighs_classes:
        weighing = " and ".join(name for name, facts in LOSSES.items() if facts.weighs_classes)
        why = f"only {weighing} weigh classes, not {setup.loss_name}"
    else:
        return
    yield Complaint("dataset.class_weights", f"{why}; expected none")


# --- descent and training ----------------------------------------------------------------------


def batch_fits_the_data(setup: Setup) -> Complaints:
    """No batch is larger than the training data."""
    descent, n = setup.descent, setup.training_samples
    size = descent.batch_size
    if size is not None and size > n and descent.variant != "stochastic":
        yield Complaint("descent.batch_size", f"expected at most the {n} training samples, got {size}")


def lbfgs_has_one_loss(experiment: Experiment) -> Complaints:
    """Dropout would give L-BFGS another function with every call."""
    if isinstance(experiment.descent.optimizer, Lbfgs) and experiment.model.is_random:
        yield Complaint("model.dropout", "lbfgs needs a loss that is the same from call to call; expected 0")


def warmup_ends_in_time(setup: Setup) -> Complaints:
    """The warmup is shorter than the run."""
    schedule, total = setup.descent.schedule, setup.total_updates
    if isinstance(schedule, CosineSchedule) and 0 < total <= schedule.warmup_steps:
        yield Complaint(
            "descent.schedule.warmup_steps",
            f"expected fewer than the {total} updates of the run, got {schedule.warmup_steps}",
        )


def watched_metrics_exist(setup: Setup) -> Complaints:
    """A run stops by metrics that it records."""
    training = setup.training
    known = ["train/loss", *setup.task.validation_tags(setup.loss_name)]
    for tag in training.stop_when or {}:
        if tag not in known:
            message = f"unknown metric; {_expected_metric(tag, known)}{_of_numbers(tag, setup)}"
            yield Complaint("training.stop_when", message, entry=tag)
    early = training.early_stopping
    if early is not None and early.metric not in known:
        message = _expected_metric(early.metric, known) + _of_numbers(early.metric, setup)
        yield Complaint("training.early_stopping.metric", message)


def the_objective_exists(setup: Setup) -> Complaints:
    """Trials are compared by a metric that they have."""
    sweep, known = setup.experiment.sweep, ["train/loss", *setup.task.validation_tags(setup.loss_name)]
    if sweep is not None and sweep.tag not in known:
        message = _expected_metric(sweep.objective, known) + _of_numbers(sweep.tag, setup)
        yield Complaint("sweep.objective", message)


def history_fits_into_memory(setup: Setup) -> Complaints:
    """What is measured is kept until the end."""
    every, total = setup.experiment.logging.every, setup.total_updates
    if every is not None and total // every > MOST_ROWS:
        least = -(-total // MOST_ROWS)
        yield Complaint(
            "logging.scalars",
            f"the {total:,} updates give {total // every:,} rows, and the history holds "
            f"{MOST_ROWS:,}; expected auto, off, or at least every {least} steps",
        )


def _of_numbers(tag: str, setup: Setup) -> str:
    """What to do where a metric of numbers is asked of a table whose target became classes."""
    metric, task = METRICS.get(tag.removeprefix("validation/")), setup.task
    if setup.dataset.kind != "table" or metric is None or "regression" not in metric.tasks or not task.classes:
        return ""
    if not all(re.fullmatch(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?", name) for name in task.classes):
        return ""
    return "; the target was taken as classes, and dataset.task: regression takes its numbers as numbers"


def _expected_metric(tag: str, known: list[str]) -> str:
    # All have long beginnings in common: alike are those whose ends are.
    ends = {name.rpartition("/")[2]: name for name in known}
    close = nearest(tag, known, 0.9) or ends.get(nearest(tag.rpartition("/")[2], ends) or "")
    meant = f"; did you mean '{close}'?" if close else ""
    return f"expected {listing(known)}, got {shown(tag)}{meant}"


# --- the tables --------------------------------------------------------------------------------

_SAMPLES = ("dataset.samples", "dataset.validation")
_CLASSES = ("dataset.generator", "dataset.classes", "dataset.proportions")
_BATCH = ("descent.variant", "descent.batch_size")
_LENGTH = ("training.epochs", "training.steps")
RULES = (
    *steps_rules.RULES,
    Rule(the_model_takes_the_data, ("model.kind", "dataset.kind")),
    Rule(lbfgs_has_one_loss, ("descent.optimizer", "model.dropout")),
)
"""Of an ``Experiment``."""

DATA_RULES = (
    Rule(weights_are_of_classes, ("dataset.class_weights", "dataset.name", "loss")),
    *steps_rules.DATA_RULES,
    Rule(basis_can_be_read, ("dataset.basis", "dataset.kind", "dataset.domain", "dataset.features")),
    Rule(
        given_parameters_fit,
        (
            "model.hidden",
            "model.initialization.layers",
            "precision",
            "dataset.standardize",
            "dataset.basis",
            *_CLASSES,
            *_SAMPLES,
        ),
    ),
    Rule(loss_fits_the_task, ("loss", "dataset.kind")),
    Rule(logits_stay_logits, ("loss", "dataset.kind", "model.output_activation")),
    Rule(outputs_reach_the_targets, ("dataset.standardize", "dataset.kind", "model.output_activation")),
    Rule(columns_have_no_output_name, ("dataset.path", "loss")),
    Rule(batch_fits_the_data, (*_SAMPLES, *_BATCH)),
    Rule(warmup_ends_in_time, ("descent.schedule.warmup_steps", *_BATCH, *_LENGTH, *_SAMPLES)),
    Rule(watched_metrics_exist, ("training.early_stopping.metric", "dataset.kind", "loss", *_CLASSES)),
    Rule(the_objective_exists, ("sweep.objective", "dataset.kind", "loss", *_CLASSES)),
    Rule(history_fits_into_memory, ("logging.scalars", *_BATCH, *_LENGTH, *_SAMPLES)),
)
"""Of a ``Setup``: they need the task or the number of samples, which only files may say."""


def broken_rules(experiment: Experiment, root: Node, broken: set[Keys]) -> list[Finding]:
    """What all rules say about an experiment whose keys in ``broken`` are not the user's own.

    Where only the files say what the data is, its rules are left for ``broken_by_data``.
    """
    facts = experiment.dataset.facts
    parts: list[tuple[Iterable[Rule], Any]] = [
        *((section.rules, section) for section in experiment.sections),
        (RULES, experiment),
    ]
    if facts is not None:
        parts.append((DATA_RULES, Setup(experiment, facts)))
    return [finding for rules, of in parts for finding in _broken(rules, of, root, broken)]


def broken_by_data(setup: Setup, root: Node) -> list[Finding]:
    """What the rules that need the data say, once it was looked at."""
    return list(_broken(DATA_RULES, setup, root, set()))


def _broken(rules: Iterable[Rule], of: Any, root: Node, broken: set[Keys]) -> Iterator[Finding]:
    for rule in rules:
        if not any(_touched(key, broken) for key in rule.reads):
            for complaint in rule.check(of):
                yield _finding(complaint, root)


def _touched(path: str, broken: set[Keys]) -> bool:
    """Whether a key, or a section above it, is broken."""
    keys = tuple(path.split("."))
    return any(keys[:depth] in broken for depth in range(1, len(keys) + 1))


def _finding(complaint: Complaint, root: Node) -> Finding:
    keys: Keys = tuple(complaint.path.split("."))
    if complaint.entry is not None:
        keys = (*keys, complaint.entry)
    return Finding(find(root, keys, of_key=complaint.entry is not None), keys, complaint.message)
