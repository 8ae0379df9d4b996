"""The whole config: its root section, and the values that follow from others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from nnintro.config.datasets import Dataset
from nnintro.config.datasets import resolved as resolved_dataset
from nnintro.config.datasets.bundled import BundledDataset
from nnintro.config.datasets.function import FunctionDataset, grid_side
from nnintro.config.datasets.generated import ClassificationDataset
from nnintro.config.datasets.table import TableDataset
from nnintro.config.descent import CosineSchedule, Descent
from nnintro.config.models import Model
from nnintro.config.models import resolved as resolved_model
from nnintro.config.section import Section
from nnintro.config.task import Found, FromFiles, Task
from nnintro.config.training import Logging, Training

LossName = Literal["mse", "mae", "huber", "cross_entropy", "bce", "dice", "bce+dice"]

LOGIT_LOSSES = ("cross_entropy", "bce", "dice", "bce+dice")
"""Those that take logits: they contain the sigmoid or the softmax."""

DEFAULT_BATCH_SIZE = 32

DEFAULT_EPOCHS = 200

SMOKE_SAMPLES = 256

SMOKE_STEPS = 20


class Experiment(Section):
    """One experiment: data, network, loss, descent."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)] = "run"
    """The run's name and folder; the file's stem by default."""
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

    @property
    def is_known(self) -> bool:
        """Whether task and number of samples are known: of files, once they were looked at."""
        return not isinstance(self.dataset, FromFiles) or self.dataset.found is not None

    def with_found(self, found: Found) -> Experiment:
        """The experiment once its files were looked at."""
        assert isinstance(self.dataset, FromFiles)
        return self.model_copy(update={"dataset": self.dataset.with_found(found)})

    @property
    def task(self) -> Task:
        return self.dataset.task

    @property
    def description(self) -> Mapping[str, Any]:
        """How the data's files become inputs; empty where the config says all of the data."""
        dataset = self.dataset
        known = dataset.found if isinstance(dataset, FromFiles) else None
        return {} if known is None else known.description

    @property
    def loss_name(self) -> LossName:
        return self.loss or ("mse" if self.task.kind == "regression" else "cross_entropy")

    @property
    def logits(self) -> bool:
        """Whether the network's outputs are logits; the rules keep such losses to classes."""
        return self.loss_name in LOGIT_LOSSES

    @property
    def batch_size(self) -> int:
        """Samples in a block of the data: of an update, but for the batch variant."""
        n = self.dataset.training_samples
        if self.descent.batch_size is not None:
            return self.descent.batch_size
        return {"stochastic": 1, "batch": n}.get(self.descent.variant, min(DEFAULT_BATCH_SIZE, n))

    @property
    def updates_per_epoch(self) -> int:
        if self.descent.variant == "batch":
            return 1
        return -(-self.dataset.training_samples // self.batch_size)

    @property
    def total_updates(self) -> int:
        if self.training.steps is not None:
            return self.training.steps
        epochs = DEFAULT_EPOCHS if self.training.epochs is None else self.training.epochs
        return epochs * self.updates_per_epoch


def resolve(experiment: Experiment) -> Experiment:
    """The experiment with every default written out, those that follow from other keys too.

    What follows from files that were not looked at stays open.
    """
    training = experiment.training
    if training.epochs is None and training.steps is None:
        training = training.model_copy(update={"epochs": DEFAULT_EPOCHS})
    update: dict[str, Any] = {
        "dataset": experiment.dataset.model_copy(update=resolved_dataset(experiment.dataset)),
        "model": experiment.model.model_copy(update=resolved_model(experiment.model)),
        "training": training,
    }
    if experiment.is_known:
        size = experiment.batch_size
        update["loss"] = experiment.loss_name
        update["descent"] = experiment.descent.model_copy(update={"batch_size": size})
    return experiment.model_copy(update=update)


def smoke(experiment: Experiment) -> Experiment:
    """The experiment cut down to about 256 samples and 20 updates; every part still runs.

    Before its files were looked at only the samples are cut.
    """
    few: dict[str, Any] = {"samples": _few_samples(experiment.dataset)}
    if isinstance(experiment.dataset, TableDataset):
        few["unseen"] = "zeros"  # of few rows some categories stand in validation alone
    experiment = experiment.model_copy(
        update={"dataset": experiment.dataset.model_copy(update=few)}
    )
    return _few_updates(experiment) if experiment.is_known else experiment


def _few_updates(experiment: Experiment) -> Experiment:
    steps, samples = min(experiment.total_updates, SMOKE_STEPS), experiment.dataset.training_samples
    descent = experiment.descent
    update: dict[str, Any] = {"batch_size": min(experiment.batch_size, samples)}
    if isinstance(descent.schedule, CosineSchedule) and steps > 0:
        warmup = min(descent.schedule.warmup_steps, steps - 1)
        update["schedule"] = descent.schedule.model_copy(update={"warmup_steps": warmup})
    return experiment.model_copy(
        update={
            "descent": descent.model_copy(update=update),
            "training": experiment.training.model_copy(update={"epochs": None, "steps": steps}),
        }
    )


def _few_samples(dataset: Dataset) -> int:
    if isinstance(dataset, TableDataset):
        # The first rows of a series are no samples of their own.
        before = 0 if dataset.window is None else dataset.window - 1 + dataset.horizon
        rows = SMOKE_SAMPLES if 2 * before <= SMOKE_SAMPLES else SMOKE_SAMPLES + before
        return min(dataset.samples or rows, rows)
    samples = min(dataset.samples or SMOKE_SAMPLES, SMOKE_SAMPLES)
    if isinstance(dataset, FunctionDataset) and dataset.sampling == "grid":
        inputs = len(dataset.domain)
        return int(grid_side(samples, inputs) ** inputs)
    if isinstance(dataset, ClassificationDataset | BundledDataset):
        # Many classes need more samples than that to be split at all.
        smaller_part = min(dataset.validation, 1 - dataset.validation)
        needed = math.ceil((len(dataset.task.classes) + 1) / smaller_part)
        return min(dataset.samples or needed, max(samples, needed))
    return samples


def as_values(experiment: Experiment) -> dict[str, Any]:
    """Plain dicts, lists and scalars, as config.yaml holds them; what is unset is left out."""
    return experiment.model_dump(exclude_none=True, by_alias=True)


def flat_values(experiment: Experiment) -> dict[str, Any]:
    """The same with the sections undone: dotted key -> a scalar or a list."""
    return _flat(as_values(experiment), "")


def _flat(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        inner = isinstance(value, dict)
        found.update(_flat(value, f"{prefix}{key}.") if inner else {prefix + key: value})
    return found
