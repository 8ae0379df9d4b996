"""From an experiment to the parts of a training: data, model, engine, each with its streams."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nnintro.config.dataset import Dataset, FunctionDataset
from nnintro.config.experiment import Experiment
from nnintro.config.found import FromFiles
from nnintro.datasets import Data, Samples, Splits, Standardization, build_dataset
from nnintro.descent.optimizers import build_optimizer
from nnintro.descent.schedules import learning_rate
from nnintro.descent.variants import Plan
from nnintro.engines.engine import Engine, Interrupted
from nnintro.errors import CheckpointError, ConfigError
from nnintro.models import MODELS, Standardized, Unet, statistics
from nnintro.training.engines import Autocast, autocast_for, build_engine
from nnintro.training.handover import hand_over
from nnintro.training.losses import Loss, loss_for
from nnintro.training.streams import stream

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}
D = TypeVar("D", bound=Samples)
SEVERAL_THREADS_FROM = 4_000_000
"""Multiplications in an update's largest product from which a second core pays (docs/LOG.md)."""


@dataclass
class Parts:
    """All that a training loop works with."""

    splits: Splits[Any]
    train: Samples
    """On the device, in the run's precision, standardised if the config says so."""
    validation: Samples
    network: nn.Module
    """What is trained: takes standardised inputs."""
    model: nn.Module
    """What is saved: takes raw inputs.  The same object where nothing is standardised."""
    plan: Plan
    engine: Engine
    optimizer: torch.optim.Optimizer
    rate: Callable[[int], float]
    device: torch.device
    autocast: Autocast
    loss: Loss


def resolve_device(name: str) -> torch.device:
    """The device of a config's ``device``; auto is CUDA where it is there.

    Raises:
        ConfigError: CUDA is asked for and absent, or has no device of that number.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count == 0:
            raise ConfigError.at(
                "device", f"{name} was asked for, and torch finds no CUDA device; use auto or cpu"
            )
        if (device.index or 0) >= count:
            raise ConfigError.at("device", f"{name} was asked for, and there are {count} devices")
    return device


def build_data(experiment: Experiment) -> Splits[Any]:
    """The experiment's data, from its own two streams; in float64, but large tables."""
    data, splitting = (stream(experiment.seed, name) for name in ("data", "split"))
    return build_dataset(experiment.dataset, data, splitting, DTYPES[experiment.precision])


def class_weights_of(experiment: Experiment) -> Tensor | None:
    """What a sample of each class counted in a training's loss, (classes,); None for 1 each."""
    dataset = experiment.dataset
    if getattr(dataset, "class_weights", "none") == "none":
        return None
    if isinstance(dataset, FromFiles) and dataset.found is not None:
        return torch.tensor(dataset.found.description["class_weights"], dtype=torch.float64)
    return build_data(experiment).class_weights


def build_model(experiment: Experiment, splits: Splits[Any] | None) -> tuple[nn.Module, nn.Module]:
    """The network to train and the model to save (see ``Parts``), on the CPU.

    Without data (``splits`` None) only the shapes are right: to load parameters into.
    """
    dtype, task, section = DTYPES[experiment.precision], experiment.task, experiment.model
    around = _standardization(experiment, splits)
    low, high = -torch.ones(task.inputs), torch.ones(task.inputs)
    if splits is not None:
        low, high = splits.low, splits.high
        if around is not None:
            low, high = (low - around.mean) / around.scale, (high - around.mean) / around.scale
    generator = stream(experiment.seed, "initialization")
    network = MODELS[section.kind](section, task, low, high, dtype, generator)
    if splits is not None:
        hand_over(network, experiment)
    if isinstance(network, Unet):  # which shifts and scales its channels itself
        if around is not None:
            network.standardize_(around.mean, around.scale)
        return network, network
    if around is None:
        return network, network
    return network, Standardized(
        network, around.mean, around.scale, *_target_standardization(experiment, splits)
    )


def _standardization(experiment: Experiment, splits: Splits[Any] | None) -> Standardization | None:
    """Of the inputs (of images: of their channels); None where they are taken as they are."""
    if experiment.dataset.standardize == "none":
        return None
    if splits is None:
        inputs = experiment.task.inputs
        return Standardization(torch.zeros(inputs), torch.ones(inputs))
    if splits.standardization is not None:
        return splits.standardization
    return Standardization(*statistics(splits.train.inputs))


def _target_standardization(
    experiment: Experiment, splits: Splits[Any] | None
) -> tuple[Tensor, Tensor] | tuple[None, None]:
    """Mean and scale of a regression's targets, (outputs,) each, where they are wanted."""
    if experiment.dataset.standardize != "both" or experiment.task.kind != "regression":
        return None, None
    if splits is None:
        outputs = experiment.task.outputs
        return torch.zeros(outputs), torch.ones(outputs)
    return statistics(splits.train.targets)


def load_parameters(module: nn.Module, parameters: Any, where: str) -> None:
    """Put saved parameters into a module.

    Raises:
        CheckpointError: they are of another module.
    """
    try:
        for name, tensor in module.state_dict().items():
            if parameters[name].dtype != tensor.dtype:
                raise TypeError(f"{name} is of type {parameters[name].dtype}")
        module.load_state_dict(parameters)
    except (RuntimeError, KeyError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())
        message = f"{where}: the checkpoint is of another model than config.yaml: {reason}"
        raise CheckpointError(message) from error


def assemble(
    experiment: Experiment,
    saved: Any = None,
    where: str = "",
    say: Callable[[str], None] = lambda _: None,
    interrupted: Interrupted = lambda: False,
    splits: Splits[Any] | None = None,
) -> Parts:
    """Build everything, on the experiment's device.

    Args:
        splits: the experiment's data, where it was built already.
        saved: parameters of ``Parts.model`` from a checkpoint ``where``, in place of fresh ones.
        say: told what there is to wait for, if there is.
        interrupted: asked whether to give up waiting for it.

    Raises:
        KeyboardInterrupt: ``interrupted`` said so.
        ConfigError: the device is not there, the formula is not finite on the data, or the run's
            precision cannot hold the data.
        DataError: the data cannot be read or used.
        CheckpointError: ``saved`` is of another model.
    """
    device = resolve_device(experiment.device)
    dtype = DTYPES[experiment.precision]
    if splits is None:
        splits = build_data(experiment)
        if splits.found is not None:
            experiment = experiment.with_found(splits.found)
    network, model = build_model(experiment, splits)
    if saved is not None:  # before the data is standardised: by the statistics that are saved
        load_parameters(model, saved, where)
    network.to(device)
    model.to(device)
    train, validation = (
        prepared(data, model).to(device, dtype) for data in (splits.train, splits.validation)
    )
    # Validation first: of a function it has no noise, and shows whether the formula is to blame.
    require_finite(validation, experiment.dataset)
    require_finite(train, experiment.dataset, noisy=getattr(experiment.dataset, "noise", 0) > 0)
    descent = experiment.descent
    plan = Plan(descent.variant, len(train), experiment.batch_size)
    optimizer = build_optimizer(descent, network.parameters())
    rate = learning_rate(descent, experiment.total_updates)
    autocast = autocast_for(experiment, device)
    weights = splits.class_weights
    weights = None if weights is None else weights.to(device, dtype)
    loss = loss_for(experiment.loss_name, experiment.task, weights)
    engine = build_engine(experiment, network, train, plan, optimizer, loss, say, interrupted)
    return Parts(
        splits,
        train,
        validation,
        network,
        model,
        plan,
        engine,
        optimizer,
        rate,
        device,
        autocast,
        loss,
    )


def prepared(data: D, model: nn.Module) -> D:
    """Raw data as the model's inner network takes it.

    Standardised once and for all, in float64, so that no update has to.  Images stay as they are:
    their network does that itself.
    """
    if not isinstance(model, Standardized) or not isinstance(data, Data):
        return data
    inputs = data.inputs
    if not data.inputs_standardized:
        inputs = (inputs - model.mean.cpu()) / model.scale.cpu()
    return replace(data, inputs=inputs, targets=model.scaled(data.targets))


def require_finite(data: Samples, dataset: Dataset, *, noisy: bool = False) -> None:
    """Check data that is in a run's precision already.

    Args:
        noisy: whether a function's targets hold noise, the formula itself being checked before.

    Raises:
        ConfigError: at the dataset's key that is to blame, where a number is not finite.
    """
    inputs, targets = "dataset", "dataset"
    if isinstance(dataset, FunctionDataset):
        inputs, targets = "dataset.domain", "dataset.noise" if noisy else "dataset.formula"
    if not isinstance(data, Data):
        return  # pixels are
    for what, values, key in (("inputs", data.inputs, inputs), ("targets", data.targets, targets)):
        if not bool(values.isfinite().all()):
            dtype = data.inputs.dtype
            name = str(dtype).removeprefix("torch.")
            largest = torch.finfo(dtype).max
            larger = "" if dtype == torch.float64 else ", or train in precision: float64"
            message = f"the {what} go beyond what {name} can hold (at most {largest:.1e})"
            raise ConfigError.at(key, f"{message}; measure them in larger units{larger}")


def threads_for(network: nn.Module, batch: int) -> int:
    """One thread for small products, where a second one costs more than it brings; else all."""
    if any(p.dim() == 4 for p in network.parameters()):  # convolutions: a product for each pixel
        return torch.get_num_threads()
    largest = max((p.numel() for p in network.parameters() if p.dim() > 1), default=1)
    return torch.get_num_threads() if largest * batch >= SEVERAL_THREADS_FROM else 1


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Run torch on so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
