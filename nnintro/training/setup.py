"""Build the parts of a training from its setup: data, model and engine, each with its random streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from nnintro.config.experiment import Experiment, Setup
from nnintro.datasets import Samples, Splits, build_dataset
from nnintro.datasets.samples import Coinciding, Data, coinciding, prepared, require_finite
from nnintro.descent.optimizers import build_optimizer
from nnintro.descent.streams import stream
from nnintro.descent.variants import Plan
from nnintro.engines.choose import build_engine
from nnintro.engines.device import resolve_device
from nnintro.engines.engine import Engine, Interrupted, Work
from nnintro.engines.world import ALONE, World
from nnintro.errors import ConfigError, memory_for
from nnintro.formula.tree import variable_names
from nnintro.models import Standardization, statistics
from nnintro.models.basis import basis_functions, first_not_finite
from nnintro.models.build import DTYPES, Region, build_model, load_parameters
from nnintro.objectives.losses import loss_for
from nnintro.objectives.metrics import undefined
from nnintro.training.evaluation import Evaluator, build_evaluator
from nnintro.training.handover import hand_over
from nnintro.training.looks import MEASURED_IMAGES, MEASURED_SAMPLES, WATCHED_SAMPLES, looks
from nnintro.training.loop import Keeper, Loop, Observer
from nnintro.training.stopping import Patience
from nnintro.wording import counted

UPDATE_TAGS = ("descent/learning_rate", "descent/gradient_norm", "descent/update_ratio", "speed/steps_per_second")


@dataclass
class Parts(Work):
    """All that a training loop works with; ``network`` is what is trained, and takes standardised inputs."""

    splits: Splits[Any]
    validation: Samples
    """As ``train``: on the device, in the run's precision, standardised if the config says so."""
    model: nn.Module
    """What is saved: takes raw inputs.  The same object as ``network`` where nothing is standardised."""
    engine: Engine
    evaluator: Evaluator
    patience: Patience | None
    """Early stopping, where it is asked for."""
    coinciding: Coinciding
    """Inputs of which many training values are one number in the run's precision."""
    moments: list[int]
    """Updates after which training is looked at."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The scalars that are recorded, in the order of their columns."""
        setup = self.setup
        return ("train/loss", *setup.task.validation_tags(setup.loss_name), *UPDATE_TAGS)

    @property
    def undefined(self) -> dict[str, str]:
        """Metric -> why it has no value on the validation data."""
        task, per_class = self.setup.task, {}
        if task.is_segmentation:
            return {}
        if task.is_classification:
            labels = cast(Data, self.validation).targets.reshape(-1).long()
            counts = torch.bincount(labels, minlength=len(task.classes)).tolist()
            per_class = dict(zip(task.classes, counts, strict=True))
        return undefined(len(self.validation), per_class)

    def measured_sample(self) -> Samples:
        """The training samples on which a curve is measured: all, or a fixed sample of them."""
        most = MEASURED_SAMPLES if self.setup.task.image is None else MEASURED_IMAGES
        return self._sample(self.train, most, "measured")

    def watched_sample(self) -> Samples:
        """The validation samples on which the stopping rules are measured at each epoch's end.

        All of them; of a regression's that are more than WATCHED_SAMPLES and than a quarter of the training samples
        (a formula's grid, say), a fixed sample of as many, so that measuring costs little beside the updates.
        """
        # Of classes and images all: a sample may lack a rare class, and some metrics with it.
        if self.setup.task.kind != "regression":
            return self.validation
        return self._sample(self.validation, max(WATCHED_SAMPLES, len(self.train) // 4), "watched")

    def _sample(self, samples: Samples, most: int, name: str) -> Samples:
        if len(samples) <= most:
            return samples
        rows = torch.randperm(len(samples), generator=stream(self.setup.seed, name))[:most]
        return samples.take(rows.to(self.device))

    def _watching(self, validation: Callable[[], Samples]) -> Callable[[], dict[str, float]]:
        """Measures what the stopping rules ask for, and nothing else; the first process does, for all of them."""
        early = [] if self.patience is None else [self.patience.metric]
        tags = [*(self.setup.training.stop_when or {}), *early]
        if not self.world.is_main:
            return lambda: self.world.from_main(dict)
        train, evaluator = self.measured_sample(), replace(self.evaluator, validation=validation())
        return lambda: self.world.from_main(lambda: evaluator.measure(train, tags))

    @property
    def need(self) -> str:
        """What training takes memory for, and what takes less, in words."""
        images = self.setup.task.image is not None
        less = "descent.batch_size or dataset.size" if images else "descent.batch_size"
        return f"updates over {counted(self.setup.batch_size, 'sample')} at a time; a smaller {less} takes less"

    def loop(
        self,
        measure: Callable[[], dict[str, float]],
        observer: Observer,
        keeper: Keeper,
        interrupted: Interrupted,
        interrupted_anywhere: Interrupted | None = None,
    ) -> Loop:
        """The training loop over these parts.

        Args:
            interrupted_anywhere: asks all processes that share the updates; by default there is this one alone.
        """
        return Loop(
            model=self.network,
            engine=self.engine,
            plan=self.plan,
            total=self.setup.total_updates,
            moments=self.moments,
            measure=measure,
            watched=self._watching(self.watched_sample),
            confirmed=self._watching(lambda: self.validation),
            learning_rate=self.learning_rate,
            observer=observer,
            keeper=keeper,
            interrupted=interrupted,
            interrupted_anywhere=interrupted_anywhere,
            stop_when=self.setup.training.stop_when or {},
            patience=self.patience,
        )


@memory_for("the data")
def build_data(experiment: Experiment) -> Splits[Any]:
    """The experiment's data, from its own two streams; in float64, but large tables."""
    data, splitting = (stream(experiment.seed, name) for name in ("data", "split"))
    dtype = DTYPES[experiment.precision]
    return build_dataset(experiment.dataset.under(experiment.loss), data, splitting, dtype)


def class_weights_of(setup: Setup) -> Tensor | None:
    """What a sample of each class counted in a training's loss, (classes,); None for 1 each."""
    if not setup.dataset.weighs_classes:
        return None
    known = setup.facts.description.get("class_weights")
    if known is not None:
        return torch.tensor(known, dtype=torch.float64)
    return build_data(setup.experiment).class_weights


def region_of(setup: Setup, splits: Splits[Any]) -> Region:
    """Where the data lies, and how its inputs and targets are to be standardised.

    Raises:
        ConfigError: a basis function is not finite on the data.
    """
    wanted, inputs, targets = setup.dataset.standardize, None, None
    low, high, values = splits.low, splits.high, None
    if setup.basis:
        values = _basis_on(setup, splits)
        low, high = values.amin(0), values.amax(0)
    if wanted != "none":
        around = splits.standardization
        inputs = around or Standardization(*statistics(splits.train.inputs if values is None else values))
    if wanted == "both" and setup.task.kind == "regression":
        targets = Standardization(*statistics(splits.train.targets))
    return Region(low, high, inputs, targets, setup.basis)


def _basis_on(setup: Setup, splits: Splits[Any]) -> Tensor:
    """The basis functions of the training inputs, (n, formulas); ConfigError where one is not finite on the data."""
    for data in (splits.validation, splits.train):
        bad = first_not_finite(setup.basis, data.inputs)
        if bad is not None:
            _, index, at = bad
            raise ConfigError.at(f"dataset.basis.{index}", f"not a finite number at {at}, which is in the data")
    return basis_functions(setup.basis, splits.train.inputs)


@memory_for("the network that the config describes, and its data")
def assemble(
    setup: Setup,
    splits: Splits[Any],
    saved: Any = None,
    where: str = "",
    say: Callable[[str], None] = lambda _: None,
    interrupted: Interrupted = lambda: False,
    world: World = ALONE,
) -> Parts:
    """Build everything, on the setup's device.

    Args:
        splits: the data.
        saved: parameters of ``Parts.model`` from a checkpoint ``where``, in place of fresh ones.
        say: shows what there is to wait for, if there is.
        interrupted: whether to give up waiting for it.
        world: the processes that share the updates; all of them assemble the same.

    Raises:
        KeyboardInterrupt: ``interrupted`` said so.
        ConfigError: the device is not there, the formula is not finite on the data, or the run's
            precision cannot hold the data.
        DataError: the data cannot be read or used.
        CheckpointError: ``saved`` is of another model.
        OutOfMemoryError: the machine has not the memory.
    """
    device = resolve_device(setup.experiment.device, world)
    dtype = DTYPES[setup.precision]
    network, model = build_model(setup, region_of(setup, splits))
    if saved is None:
        hand_over(network, setup)
    else:  # before the data is standardised: by the statistics that are saved
        load_parameters(model, saved, where)
    model.to(device)  # and the network in it
    exact = prepared(splits.train, model)
    together = splits.coinciding
    if isinstance(exact, Data):
        names = setup.dataset.formulas or variable_names(setup.task.inputs)
        together = {**together, **coinciding(exact.inputs, names, dtype)}
    train, validation = exact.to(device, dtype), prepared(splits.validation, model).to(device, dtype)
    del exact
    # Validation first: of a function it has no noise, and shows whether the formula is to blame.
    for part, noise in ((validation, False), (train, True)):
        inputs, targets = setup.dataset.keys_of_numbers(noise=noise)
        require_finite(part, "dataset.basis" if setup.basis else inputs, targets)
    plan = Plan(setup.descent.variant, len(train), setup.batch_size)
    optimizer = build_optimizer(setup.descent, network.parameters())
    weights = splits.class_weights
    weights = None if weights is None else weights.to(device, dtype)
    loss = loss_for(setup.loss_name, setup.task, weights, ignores=setup.dataset.ignores_pixels)
    work = Work(setup, network, train, plan, optimizer, loss, world)
    parts = Parts(
        **vars(work),
        splits=splits,
        validation=validation,
        model=model,
        engine=build_engine(work, say, interrupted),
        evaluator=build_evaluator(setup, network, model, loss, validation, work.autocast),
        patience=_patience(setup),
        coinciding=together,
        moments=looks(setup.total_updates, plan, len(validation), setup.experiment.logging.every),
    )
    _refuse_to_watch(parts.undefined, setup)
    return parts


def _refuse_to_watch(undefined: Mapping[str, str], setup: Setup) -> None:
    """Raise ConfigError where a stopping rule waits for a metric that has no value on the validation data."""
    training = setup.training
    keys = {tag: f"training.stop_when.{tag}" for tag in training.stop_when or {}}
    if training.early_stopping is not None:
        keys[training.early_stopping.metric] = "training.early_stopping.metric"
    for name, why in undefined.items():
        if key := keys.get(f"validation/{name}"):
            raise ConfigError.at(key, f"in the validation data {why}; watch another metric, or split otherwise")


def _patience(setup: Setup) -> Patience | None:
    early = setup.training.early_stopping
    if early is None:
        return None
    return Patience(early.metric, early.patience, early.minimum_improvement)
