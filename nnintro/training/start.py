"""Start a run from its first update, or resume it from a checkpoint: its data, its folder, its parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnintro.config.experiment import Setup, flat_values
from nnintro.config.load import Config
from nnintro.datasets import Splits
from nnintro.engines.world import ALONE, World
from nnintro.errors import CheckpointError, ConfigError, DataError
from nnintro.runs.checkpoint import Loaded, has_checkpoint
from nnintro.runs.data import data_text, same_data, with_own_data
from nnintro.runs.data_files import KEYS as PATHS
from nnintro.runs.data_files import config_text
from nnintro.runs.folder import RunLock, create_run_directory
from nnintro.runs.reopen import Reopened, changed, has_effect
from nnintro.runs.run import architecture, read_checkpoint
from nnintro.runs.state import Checkpoint, Origin, Past, Records
from nnintro.runs.summary import OVER
from nnintro.training.setup import build_data
from nnintro.wording import shown_key


@dataclass(frozen=True)
class Start:
    """The checkpoint to go on from, if there is one."""

    checkpoint: Checkpoint | None = None
    where: str = ""
    """The checkpoint's path, for messages."""
    useless: frozenset[str] = frozenset()
    """Newer checkpoints that cannot be gone on from."""
    concluded: bool = False
    """Whether training came to its end there: only the last words are missing."""

    @property
    def past(self) -> Past:
        """What earlier parts of the run leave, this resumption counted in."""
        if self.checkpoint is None:
            return Past()
        past, step = self.checkpoint.past, self.checkpoint.outcome.step
        return replace(past, resumed=(*past.resumed, step))

    @property
    def records(self) -> Records:
        return Records({}, {}) if self.checkpoint is None else self.checkpoint.records

    @property
    def next_update(self) -> int:
        """The first update whose records are to come."""
        return 0 if self.checkpoint is None else self.checkpoint.outcome.step + 1


def data_of(
    config: Config, reopened: Reopened | None, warn: Callable[[str], None], world: World = ALONE
) -> tuple[Setup, Splits[Any]]:
    """The config with what its data says, and the data, which each process reads for itself.

    Raises:
        ConfigError: the config asks for something that does not go with the data.
        DataError: the data cannot be used; or it is not what it was when the run began, or not the same in all
            processes.
    """
    if reopened is not None:
        config, notes = world.from_main(lambda: with_own_data(config, reopened.directory))
        for note in notes:
            warn(note)
    with world.agreeing():
        splits = build_data(config.experiment)
    _require_same(splits, world)

    def setup() -> Setup:
        if reopened is not None:
            return same_data(reopened.directory, splits, config)
        return config.setup(splits.found)

    return world.from_main(setup), splits


def _require_same(splits: Splits[Any], world: World) -> None:
    """Raise DataError where a process has read other data than the first, from another host's files say."""
    if world.size == 1:
        return
    with world.agreeing():
        fingerprint = None if splits.fingerprint is None else splits.fingerprint()
    own = (len(splits.train), len(splits.validation), fingerprint)
    with world.agreeing():
        for rank, other in enumerate(world.everyone(own)):
            if other != own:
                raise DataError(
                    f"process {rank} has read other data than process {world.rank}: {_amount(*other)}, not "
                    f"{_amount(*own)}; the same files have to be on every host"
                )


def _amount(train: int, validation: int, fingerprint: str | None) -> str:
    of = "" if fingerprint is None else f" (SHA-256 {fingerprint[:8]}...)"
    return f"{train} training and {validation} validation samples{of}"


@contextlib.contextmanager
def opened_folder(
    setup: Setup, runs_dir: Path, reopened: Reopened | None, splits: Splits[Any], warn: Callable[[str], None]
) -> Iterator[tuple[Path, RunLock]]:
    """The run's folder and its lock: a new one, or that of the run that goes on."""
    experiment = setup.experiment
    if reopened is None:
        text_of_config = config_text(experiment, runs_dir / experiment.name)
        folder, lock = create_run_directory(runs_dir, experiment.name, text_of_config, data_text(setup, splits))
    else:
        assert reopened.lock is not None, "who records a run holds its lock"
        folder, lock = reopened.directory, reopened.lock
    with lock:
        if lock.warning is not None:
            warn(lock.warning)
        yield folder, lock


def origin(setup: Setup) -> Origin:
    """What a checkpoint says of the config it was made under."""
    variant = setup.descent.variant
    size = 0 if variant == "batch" else setup.batch_size
    return Origin(
        flat_values(setup.experiment),
        architecture(setup),
        _optimizer_kind(setup),
        [variant, setup.training_samples, size],
    )


def find_start(reopened: Reopened | None, setup: Setup, warn: Callable[[str], None]) -> Start:
    """The newest checkpoint of a run that is to go on, fit for the config as it is now.

    Raises:
        CheckpointError: there was one and it cannot be used; or it is of another model.
        ConfigError: the config was changed in a way that nothing can go on from.
    """
    if reopened is None:
        return Start()
    directory = reopened.directory
    if not has_checkpoint(directory):
        steps = reopened.summary.get("steps")
        if steps:
            raise CheckpointError(f"{directory} has no checkpoint left of its {steps} updates")
        return Start()  # cut off before its first checkpoint, a run begins anew
    loaded, checkpoint = read_checkpoint(directory, setup)
    concluded = _is_concluded(checkpoint, setup)
    if not concluded:
        if checkpoint.outcome.status == "diverged":
            loaded, checkpoint = _before_divergence(directory, setup, checkpoint.outcome.step)
        _check_progress(checkpoint, setup)
    for damage in loaded.damaged:
        warn(f"{damage}; going on from {loaded.path.name}")
    return Start(checkpoint, str(loaded.path), loaded.passed_over, concluded)


def _is_concluded(checkpoint: Checkpoint, setup: Setup) -> bool:
    """Whether training had ended, under a config that had the same to say of its updates."""
    differences = changed(checkpoint.origin.config, flat_values(setup.experiment))
    if any(has_effect(key) and key not in PATHS for key, _, __ in differences):
        return False
    return checkpoint.outcome.status in (*OVER, "diverged")


def _before_divergence(directory: Path, setup: Setup, step: int) -> tuple[Loaded, Checkpoint]:
    """The checkpoint before one where training diverged.

    Its parameters are finite and the loss there is not: no learning rate can go on from it.
    """
    if not has_checkpoint(directory, before=step):
        raise CheckpointError(
            f"{directory} diverged after {step:,} updates, and no checkpoint from before that is "
            "kept: begin a new run with a smaller learning rate"
        )
    return read_checkpoint(directory, setup, before=step)


def _check_progress(checkpoint: Checkpoint, setup: Setup) -> None:
    """Raise ConfigError where a changed config cannot go on from the checkpoint."""
    step, total = checkpoint.outcome.step, setup.total_updates
    if step > total:
        key = "training.steps" if setup.training.steps is not None else "training.epochs"
        raise ConfigError.at(key, f"the run is at update {step:,} already, and this is update {total:,}")
    check_descent(checkpoint, setup)


def check_descent(checkpoint: Checkpoint, setup: Setup) -> None:
    """Raise ConfigError where a changed config has another optimizer or other epochs than the checkpoint."""
    was, now = checkpoint.origin, origin(setup)
    if repr(was.optimizer_kind) != repr(now.optimizer_kind):  # whatever it is that was saved
        raise ConfigError.at(
            "descent.optimizer",
            f"the run has the state of {shown_key(was.optimizer_kind)}, which is of no use to {now.optimizer_kind}",
        )
    if repr(was.plan) != repr(now.plan):
        raise ConfigError.at(
            "descent.batch_size",
            f"the run's epochs are of {_in_words(was.plan)}; with {_in_words(now.plan)} they could not be counted on",
        )


def _in_words(plan: list[str | int]) -> str:
    variant, samples, size = plan
    return f"{samples} samples, {shown_key(str(variant))}" + (f" of {size}" if size else "")


def _optimizer_kind(setup: Setup) -> str:
    """What state there is between two updates, as far as settings decide that."""
    optimizer = setup.descent.optimizer
    if optimizer.kind == "lbfgs":
        return f"lbfgs with a history of {optimizer.history}"
    with_momentum = optimizer.kind == "rmsprop" and optimizer.momentum > 0
    return f"{optimizer.kind} with momentum" if with_momentum else optimizer.kind
