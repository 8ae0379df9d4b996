"""Rules of networks of steps for the other sections (see ``rules``)."""

from __future__ import annotations

from nnintro.config.datasets.function import FunctionDataset
from nnintro.config.experiment import Experiment, Setup
from nnintro.config.models.mlp import MlpModel, StepsInitialization
from nnintro.config.models.steps import StepOrBump, StepsModel
from nnintro.config.section import Complaint, Complaints, Rule
from nnintro.wording import shown

LARGEST = {"float32": 3.4e38, "bfloat16": 3.4e38, "float64": 1.7e308}
"""By precision, what parameters can hold."""


def steps_draw_one_function(setup: Setup) -> Complaints:
    """A network of steps has one output and one input, or two."""
    task = setup.task
    if not isinstance(setup.model, StepsModel):
        return
    if task.is_classification:
        has = "classes"
    elif task.outputs != 1:
        has = f"{task.outputs} outputs"
    elif task.inputs > 2:
        has = f"{task.inputs} inputs"
    else:
        return
    yield Complaint(
        "model.kind", f"steps follow one function of one input, or two, and this dataset has {has}; expected mlp"
    )


def steps_have_the_inputs_of_the_data(setup: Setup) -> Complaints:
    """Steps and bumps on a line, towers on a plane."""
    model, inputs = setup.model, setup.task.inputs
    if not isinstance(model, StepsModel) or inputs > 2:
        return
    for index, entry in enumerate(model.steps):
        if entry.is_tower is not (inputs == 2):
            yield _misfit(f"model.steps.{index}", entry)


def _misfit(path: str, entry: StepOrBump) -> Complaint:
    if entry.is_tower:
        key, value, wanted = "from", entry.from_, "a number for the dataset's one input"
    elif entry.at is not None:
        key, value, wanted = "at", entry.at, "from and to, one [x1, x2] each, for two inputs"
    else:
        key, value, wanted = "from", entry.from_, "[x1, x2] for the dataset's two inputs"
    return Complaint(f"{path}.{key}", f"expected {wanted}, got {shown(value)}")


def steps_take_raw_inputs(experiment: Experiment) -> Complaints:
    """Places are given in the inputs' own units."""
    if isinstance(experiment.model, StepsModel) and experiment.dataset.standardize != "none":
        yield Complaint(
            "dataset.standardize", "the places of model kind steps are in the units of the inputs; expected none"
        )


def steps_are_of_the_input_itself(experiment: Experiment) -> Complaints:
    """A network of steps, or a start from one, is placed along the input."""
    if not experiment.dataset.formulas:
        return
    if isinstance(experiment.model, StepsModel):
        yield Complaint("dataset.basis", "the places of model kind steps are in the units of the inputs; leave it out")
    elif experiment.start_from_steps is not None:
        yield Complaint("dataset.basis", "initialization: steps follows a formula of the input itself; leave it out")


def steps_fit_the_precision(experiment: Experiment) -> Complaints:
    """Weights and biases are numbers that the run can hold."""
    model, most = experiment.model, LARGEST[experiment.precision]
    if not isinstance(model, StepsModel):
        return
    beyond = f"beyond what {experiment.precision} can hold (about {most:.0e})"
    if abs(model.offset) > most:
        yield Complaint("model.offset", f"{beyond}, got {shown(model.offset)}")
    if 1.5 * model.weight > most:
        yield Complaint("model.steepness", f"{beyond}, got {shown(model.steepness)}")
        return
    for index, entry in enumerate(model.steps):
        places = [] if entry.at is None else [entry.at]
        places += [place for side in entry.sides for place in side]
        if abs(entry.height) > most:
            yield Complaint(f"model.steps.{index}.height", f"{beyond}, got {shown(entry.height)}")
        if not max(map(abs, places)) * model.weight <= most:
            times = "" if model.weight == 1 else f"times the steepness {model.weight:g} "
            yield Complaint(f"model.steps.{index}", f"its place {times}is {beyond}")


def steps_can_be_handed_over(setup: Setup) -> Complaints:
    """A construction becomes the start of a network that is of its form."""
    model, dataset = setup.model, setup.dataset
    if not isinstance(model, MlpModel) or not isinstance(model.initialization, StepsInitialization):
        return
    if not isinstance(dataset, FunctionDataset) or setup.task.inputs != 1:
        reason = "steps follow a formula of one input"
    elif dataset.standardize != "none":
        reason = "steps are placed in the input's own units: dataset.standardize must be none"
    elif len(model.hidden) != 1 or model.activations != ["sigmoid"]:
        reason = "steps become sigmoids: the network must have one hidden layer of them"
    elif model.output_activation != "identity":
        reason = "steps add up to the output itself: model.output_activation must be identity"
    else:
        return
    yield Complaint("model.initialization", reason)


_TASK = (
    "dataset.kind",
    "dataset.domain",
    "dataset.generator",
    "dataset.features",
    "dataset.outputs",
    "dataset.weights",
)

RULES = (
    Rule(steps_take_raw_inputs, ("model.kind", "dataset.standardize")),
    Rule(steps_are_of_the_input_itself, ("dataset.basis", "model.kind", "model.initialization")),
    Rule(steps_fit_the_precision, ("model.steps", "model.steepness", "precision")),
)
"""Of an ``Experiment``."""

DATA_RULES = (
    Rule(
        steps_can_be_handed_over,
        (
            *("model.initialization", "model.hidden", "model.activation"),
            *("model.output_activation", "dataset.standardize", *_TASK),
        ),
    ),
    Rule(steps_draw_one_function, ("model.kind", *_TASK)),
    Rule(steps_have_the_inputs_of_the_data, ("model.steps", *_TASK)),
)
"""Of a ``Setup``."""
