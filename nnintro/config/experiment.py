"""The whole config: its root section, and the values that follow from others."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from nnintro.config.datasets import Dataset
from nnintro.config.descent import CosineSchedule, Descent
from nnintro.config.losses import LOSSES, default_loss
from nnintro.config.models import Model
from nnintro.config.models.mlp import MlpModel, StepsInitialization
from nnintro.config.section import Section
from nnintro.config.sweep import Sweep
from nnintro.config.task import DataFacts, Task, numbered
from nnintro.config.training import Logging, Training
from nnintro.formula import Formula, parse
from nnintro.formula.tree import variable_names

if TYPE_CHECKING:
    LossName = str
else:
    LossName = Literal[tuple(LOSSES)]

_ANY_ALPHABET = WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 100})
"""Of a run's name: in JSON Schema a letter is ASCII, and an editor would mark the others as wrong."""
DEFAULT_BATCH_SIZE = 32
DEFAULT_EPOCHS = 200
SMOKE_SAMPLES = 256
SMOKE_STEPS = 20


class Experiment(Section):
    """One experiment: data, network, loss, descent."""

    name: Annotated[str, Field(pattern=r"^[^\W_][\w.-]*$", max_length=100), _ANY_ALPHABET] = "run"
    """The run's name and folder, in letters of any alphabet; by default that of the file, without its ending."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Every random number of the run follows from it."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:[0-9]{1,3})?)$")] = "auto"
    """auto, cpu, cuda, or cuda:<index>."""
    precision: Literal["float32", "float64", "bfloat16"] = "float32"
    """bfloat16 computes products in bfloat16 (autocast) and keeps parameters in float32."""
    dataset: Dataset
    """Where the samples come from."""
    model: Model
    """The network."""
    loss: LossName | None = None
    """mse by default for regression, cross_entropy for classes, of samples or of pixels."""
    descent: Descent = Field(default_factory=Descent)
    """Which samples make an update, in which direction, and how far."""
    training: Training = Field(default_factory=Training)
    """How long to train, and by which engine."""
    logging: Logging = Field(default_factory=Logging)
    """What is written down while training."""
    sweep: Sweep | None = None
    """Many trainings with other values of some keys, by ``nnintro sweep``; other commands pass over it."""

    @property
    def start_from_steps(self) -> tuple[str, list[float], StepsInitialization] | None:
        """Formula, [low, high] and settings where training starts from a network of steps."""
        start = self.model.initialization if isinstance(self.model, MlpModel) else None
        if not isinstance(start, StepsInitialization) or self.dataset.kind != "function":
            return None
        return self.dataset.formula, self.dataset.domain[0], start

    @property
    def sections(self) -> tuple[Section, ...]:
        sections = (self.dataset, self.model, self.descent, self.training, self.logging)
        return sections if self.sweep is None else (*sections, self.sweep)


class Setup:
    """An experiment together with what its data says: all that decides a training.

    Made once, when the data was looked at (or at once, where the config says all of it).
    """

    def __init__(self, experiment: Experiment, facts: DataFacts) -> None:
        self.experiment, self.facts = experiment, facts
        self.task, self.training_samples = facts.task, facts.training_samples
        self.dataset, self.model = experiment.dataset, experiment.model
        self.descent, self.training = experiment.descent, experiment.training
        self.seed, self.precision = experiment.seed, experiment.precision
        self.loss_name = experiment.loss or default_loss(self.task)
        self.logits = LOSSES[self.loss_name].takes_logits
        """Whether the network's outputs are logits; the rules keep such losses to classes."""
        self.scores = LOSSES[self.loss_name].takes_scores
        """Whether they are sums whose sign is the class."""
        self.variables = tuple(facts.description.get("variables") or variable_names(self.task.inputs))
        """What formulas call the inputs."""

    @functools.cached_property
    def basis(self) -> tuple[Formula, ...]:
        """Formulas of the inputs that the network takes in place of them; none where it takes the inputs.

        Raises:
            FormulaError: one cannot be read; the rules look for that.
        """
        return tuple(parse(text, self.variables) for text in self.dataset.formulas)

    @property
    def network_task(self) -> Task:
        """The task as the network has it, whose inputs are the basis functions where there are some."""
        return replace(self.task, inputs=len(self.basis)) if self.basis else self.task

    @property
    def target_names(self) -> list[str]:
        """Of each number that a regression predicts: a table's column, else y1, y2, ...; none of other tasks."""
        if self.task.kind != "regression":
            return []
        named = [target["name"] for target in self.facts.description.get("targets", [])]
        return named or numbered("y", self.task.outputs)

    @property
    def batch_size(self) -> int:
        """Samples in a block of the data: of an update, but for the batch variant."""
        n = self.training_samples
        if self.descent.batch_size is not None:
            return self.descent.batch_size
        return {"stochastic": 1, "batch": n}.get(self.descent.variant, min(DEFAULT_BATCH_SIZE, n))

    @property
    def updates_per_epoch(self) -> int:
        if self.descent.variant == "batch":
            return 1
        return -(-self.training_samples // self.batch_size)

    @property
    def total_updates(self) -> int:
        if self.training.steps is not None:
            return self.training.steps
        epochs = DEFAULT_EPOCHS if self.training.epochs is None else self.training.epochs
        return epochs * self.updates_per_epoch

    def notes(self) -> list[str]:
        """Sentences for the user about choices that train less than they seem to; mostly none."""
        if self.total_updates == 0:
            return []  # nothing is trained
        n, size = self.training_samples, self.batch_size
        if not (self.model.mixes_samples and self.descent.variant == "batch" and size < n):
            return self.model.notes()
        return [
            *self.model.notes(),
            "batch normalization takes its means over a block, not over all the data: in blocks of "
            f"{size} this is not the update over all {n} images at once; "
            "normalization: group (or none) makes it so, for every size of block",
        ]

    def resolved(self) -> Setup:
        """The same with the defaults written out that follow from the data."""
        descent = self.descent.model_copy(update={"batch_size": self.batch_size})
        update = {"loss": self.loss_name, "descent": descent}
        return Setup(self.experiment.model_copy(update=update), self.facts)

    def with_few_updates(self) -> Setup:
        """The same cut down to about 20 updates, for ``--smoke``."""
        steps, descent = min(self.total_updates, SMOKE_STEPS), self.descent
        update: dict[str, Any] = {"batch_size": min(self.batch_size, self.training_samples)}
        if isinstance(descent.schedule, CosineSchedule) and steps > 0:
            warmup = min(descent.schedule.warmup_steps, steps - 1)
            update["schedule"] = descent.schedule.model_copy(update={"warmup_steps": warmup})
        experiment = self.experiment.model_copy(
            update={
                "descent": descent.model_copy(update=update),
                "training": self.training.model_copy(update={"epochs": None, "steps": steps}),
            }
        )
        return Setup(experiment, self.facts)


def resolve(experiment: Experiment) -> Experiment:
    """The experiment with every default written out, those that follow from other keys too.

    What follows from files that were not looked at stays open (see ``Setup.resolved``).
    """
    training, facts = experiment.training, experiment.dataset.facts
    if training.epochs is None and training.steps is None:
        training = training.model_copy(update={"epochs": DEFAULT_EPOCHS})
    sections = {"dataset": experiment.dataset, "model": experiment.model}
    update: dict[str, Any] = {name: section.model_copy(update=section.resolved()) for name, section in sections.items()}
    experiment = experiment.model_copy(update={**update, "training": training})
    return experiment if facts is None else Setup(experiment, facts).resolved().experiment


def smoke(experiment: Experiment) -> Experiment:
    """The experiment cut down to about 256 samples and 20 updates; every part still runs.

    Before its files were looked at only the samples are cut.
    """
    dataset = experiment.dataset
    few = dataset.model_copy(update=dataset.few(SMOKE_SAMPLES))
    experiment, facts = experiment.model_copy(update={"dataset": few}), few.facts
    return experiment if facts is None else Setup(experiment, facts).with_few_updates().experiment


def as_values(experiment: Experiment) -> dict[str, Any]:
    """Plain dicts, lists and scalars, as config.yaml holds them; what is unset is left out."""
    return experiment.model_dump(exclude_none=True, by_alias=True)


def flat_values(experiment: Experiment) -> dict[str, Any]:
    """The same with the sections undone: dotted key -> a scalar or a list."""
    return _flat(as_values(experiment), "")


def _flat(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        inner = isinstance(value, dict)
        result.update(_flat(value, f"{prefix}{key}.") if inner else {prefix + key: value})
    return result
