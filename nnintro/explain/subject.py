"""The training that is to be explained, at its start or at a run's newest checkpoint; or why it cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from nnintro.config.load import Config, load_config
from nnintro.datasets import Data
from nnintro.descent.optimizers import memories_of
from nnintro.errors import ConfigError, Problem, UsageError
from nnintro.explain.backpropagation import Layer
from nnintro.explain.equations import ACTIVATIONS, LOSSES, Array, Loss
from nnintro.explain.optimizers import RULES, Memory
from nnintro.models import Mlp, Network
from nnintro.runs.data import same_data, with_own_data
from nnintro.runs.folder import CONFIG
from nnintro.runs.reopen import run_config
from nnintro.runs.run import read_checkpoint
from nnintro.training.checkpointer import put_back
from nnintro.training.setup import Parts, assemble, build_data
from nnintro.training.start import check_descent
from nnintro.wording import listing

KINDS = ("mlp", "steps")
"""Kinds of models that are affine layers with activations between them, and nothing else."""


@dataclass(frozen=True)
class Subject:
    """A training, ready for the update that comes next."""

    parts: Parts
    where: str
    """The config's path, or the run's folder."""
    made: int = 0
    """Updates made so far."""
    status: str | None = None
    """How the run stands (see ``runs.state.Status``); None of a config."""
    notes: list[str] = field(default_factory=list)
    """What is odd about the checkpoint, in words."""

    @property
    def layers(self) -> list[Layer]:
        """The network's parameters, exactly converted to float64."""
        network = cast(Mlp, self.parts.network)
        return [
            Layer(exact(layer.weight), exact(layer.bias), name)
            for layer, name in zip(network.affine, network.names, strict=True)
        ]

    @property
    def memories(self) -> list[Memory]:
        """What the optimizer remembers of each W and b in turn; zeros before the first update."""
        state, names = self.parts.optimizer.state, memories_of(self.parts.optimizer) or ()
        return [
            {name: exact(state[p][name] if name in state[p] else torch.zeros_like(p)) for name in names}
            for p in self.parts.network.parameters()
        ]

    @property
    def loss(self) -> Loss:
        of_values, of_classes = LOSSES[self.parts.setup.loss_name]
        return of_classes if self.parts.setup.task.kind == "multiclass" else of_values

    @property
    def class_weights(self) -> Array | None:
        """(classes,) what a sample of each class counts, as the training rounds it; None for 1 each."""
        weights = self.parts.splits.class_weights
        return None if weights is None else exact(weights.to(self._train.inputs.dtype))

    @property
    def standardized(self) -> str:
        """What is standardised: none, inputs or both."""
        model = cast(Network, self.parts.model)
        return str(model.architecture()["standardize"])

    @property
    def _train(self) -> Data:
        return cast(Data, self.parts.train)

    def rows(self, update: int, sample: int | None) -> list[int]:
        """The numbers of the training samples in an update, in the order in which it takes them.

        Raises:
            UsageError: there is no such sample.
        """
        plan = self.parts.plan
        if sample is not None:
            if not 0 <= sample < plan.samples:
                raise UsageError(f"--sample: expected a training sample from 0 to {plan.samples - 1}, got {sample}")
            return [sample]
        epoch, within = divmod(update, plan.updates_per_epoch)
        order, blocks = self.parts.order(epoch), plan.blocks(within)
        numbers = torch.arange(plan.samples) if order is None else order
        # Each block of a batch counts |b|/n: together they are the mean over all of their rows.
        return [int(number) for block in blocks for number in numbers[block.start : block.stop]]

    def samples(self, rows: Sequence[int]) -> tuple[Array, Array]:
        """Inputs (rows, d) and targets of training samples, as the network is trained with them."""
        taken = self._train.take(torch.tensor(rows))
        return exact(taken.inputs), exact(taken.targets)


def exact(values: Tensor) -> Array:
    """The same numbers in float64; whole ones stay whole. A copy."""
    values = values.detach().cpu().clone()
    return (values.double() if values.is_floating_point() else values).numpy()


def subject_of_config(path: Path, overrides: Sequence[str]) -> Subject:
    """A training before its first update.

    Raises:
        ConfigError: the config cannot be used, or not explained.
        DataError: the data cannot be used.
    """
    config = _plain(load_config(path, overrides))
    with config.locating():
        _require_kind(config)
        splits = build_data(config.experiment)
        parts = assemble(config.setup(splits.found), splits)
        _require_rows(parts)
    return Subject(parts, str(path), notes=_of_precision(config.experiment.precision))


def subject_of_run(directory: Path, overrides: Sequence[str]) -> Subject:
    """A run's training as it would go on from the newest checkpoint.

    Args:
        overrides: changes from there on.

    Raises:
        CheckpointError: the run cannot be used.
        ConfigError: an override is wrong, or nothing can go on under it; or the run cannot be explained.
        DataError: the data cannot be used, or is not what it was.
    """
    config, _ = run_config(directory)
    config = _plain(load_config(directory / CONFIG, overrides) if overrides else config)
    with config.locating():
        _require_kind(config)
        config, moved = with_own_data(config, directory)
        splits = build_data(config.experiment)
        setup = same_data(directory, splits, config)
        loaded, checkpoint = read_checkpoint(directory, setup)
        where = str(loaded.path)
        check_descent(checkpoint, setup)
        parts = assemble(setup, splits, checkpoint.model, where)
        _require_rows(parts)
    outcome = put_back(checkpoint, parts, where)
    notes = [*moved, *(f"{damage}; {loaded.path.name} is used in its place" for damage in loaded.damaged)]
    if checkpoint.network is not None:
        notes.append(
            "the run was stopped early and its model put back to the best; these are the parameters it had then"
        )
    return Subject(parts, str(directory), outcome.step, outcome.status, [*notes, *_of_precision(setup.precision)])


def _of_precision(precision: str) -> list[str]:
    if precision != "bfloat16":
        return []
    return ["training computes products in bfloat16: its own numbers have two or three digits of these"]


def _plain(config: Config) -> Config:
    """The same updates by the engine and on the device that need nothing compiled and no GPU."""
    experiment = config.experiment
    training = experiment.training.model_copy(update={"engine": "autograd"})
    return replace(config, experiment=experiment.model_copy(update={"device": "cpu", "training": training}))


def _require_kind(config: Config) -> None:
    """Before the data is read, which takes long of images."""
    kind = config.experiment.model.kind
    if kind not in KINDS:
        raise ConfigError.at("model.kind", f"explain does not serve model kind {kind}; expected {listing(KINDS)}")


def _require_rows(parts: Parts) -> None:
    problems = [Problem(f"explain does not serve {what}; expected {wanted}", path)
                for path, what, wanted in _not_served(parts)]  # fmt: skip
    if problems:
        raise ConfigError(problems)


def _not_served(parts: Parts) -> Iterator[tuple[str, str, Any]]:
    """Key, what stands there that has no row in the tables, and what is expected."""
    setup, known = parts.setup, listing(ACTIVATIONS)
    optimizer = setup.descent.optimizer.kind
    for name in dict.fromkeys(n for n in parts.activations if n not in ACTIVATIONS):
        yield "model.activation", f"the activation {name}", known
    if parts.dropout:
        yield "model.dropout", "dropout, whose masks are random", 0
    if setup.loss_name not in LOSSES:
        yield "loss", f"the loss {setup.loss_name}", listing(LOSSES)
    if optimizer not in RULES:
        yield "descent.optimizer", f"the optimizer {optimizer}", listing(RULES)
