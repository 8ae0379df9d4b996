"""Where a job begins: at the start of a run, or at a checkpoint that is fit to go on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnintro.config.experiment import Setup, flat_values
from nnintro.errors import CheckpointError, ConfigError
from nnintro.recording.recorder import Records
from nnintro.runs.checkpoint import Loaded, has_checkpoint, load_checkpoint
from nnintro.runs.reopen import Reopened, changed, has_effect
from nnintro.runs.run import architecture, check_architecture
from nnintro.training.loop import OVER
from nnintro.training.state import Past, outcome_of, past_of, records_of


@dataclass(frozen=True)
class Start:
    """What a checkpoint says, if there is one to go on from."""

    state: dict[str, Any] | None = None
    where: str = ""
    """The checkpoint's path, for messages."""
    useless: frozenset[str] = frozenset()
    """Newer checkpoints that cannot be gone on from."""
    concluded: bool = False
    """Whether training came to its end there: only the last words are missing."""

    @property
    def past(self) -> Past:
        return Past() if self.state is None else past_of(self.state, self.where)

    @property
    def records(self) -> Records:
        return Records({}, {}) if self.state is None else records_of(self.state, self.where)

    @property
    def next_update(self) -> int:
        """The first update whose records are to come."""
        return 0 if self.state is None else int(self.state["step"]) + 1


def marks(setup: Setup) -> dict[str, Any]:
    """What a checkpoint says of the config it was made under."""
    return {
        "config": flat_values(setup.experiment),
        "architecture": architecture(setup),
        "optimizer_kind": _optimizer_kind(setup),
        "plan": _plan(setup),
    }


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
    loaded = load_checkpoint(directory)
    check_architecture(loaded.state, setup, str(directory))
    concluded = _is_concluded(loaded, setup)
    if not concluded:
        loaded = _before_divergence(reopened, loaded)
        _check_progress(loaded.state, setup)
    for damage in loaded.damaged:
        warn(f"{damage}; going on from {loaded.path.name}")
    return Start(loaded.state, str(loaded.path), loaded.passed_over, concluded)


def _is_concluded(loaded: Loaded, setup: Setup) -> bool:
    """Whether training had ended, under a config that had the same to say of its updates."""
    config = loaded.state.get("config")
    if not isinstance(config, dict) or "tensor(" in repr(config):
        raise CheckpointError(f"{loaded.path}: the checkpoint is incomplete: it has no config")
    differences = changed(config, flat_values(setup.experiment))
    if any(has_effect(key) for key, _, __ in differences):
        return False
    return outcome_of(loaded.state, str(loaded.path)).status in (*OVER, "diverged")


def _before_divergence(reopened: Reopened, loaded: Loaded) -> Loaded:
    """The checkpoint before one where training diverged.

    Its parameters are finite and the loss there is not: no learning rate can go on from it.
    """
    if loaded.state.get("status") != "diverged":
        return loaded
    step, directory = loaded.state["step"], reopened.directory
    if not has_checkpoint(directory, before=step):
        raise CheckpointError(
            f"{directory} diverged after {step:,} updates, and no checkpoint from before that is "
            "kept: begin a new run with a smaller learning rate"
        )
    return load_checkpoint(directory, before=step)


def _check_progress(state: dict[str, Any], setup: Setup) -> None:
    """Raise ConfigError where a changed config cannot go on from the state."""
    step, total = int(state["step"]), setup.total_updates
    if step > total:
        key = "training.steps" if setup.training.steps is not None else "training.epochs"
        raise ConfigError.at(
            key, f"the run is at update {step:,} already, and this is update {total:,}"
        )
    saved, found = state.get("optimizer_kind"), _optimizer_kind(setup)
    if repr(saved) != repr(found):
        raise ConfigError.at(
            "descent.optimizer",
            f"the run has the state of {saved}, which is of no use to {found}",
        )
    plan = _plan(setup)
    if repr(state.get("plan")) != repr(plan):
        raise ConfigError.at(
            "descent.batch_size",
            f"the run's epochs are of {_in_words(state.get('plan'))}; with {_in_words(plan)} they "
            "could not be counted on",
        )


def _plan(setup: Setup) -> list[str | int]:
    """How an epoch falls into updates."""
    descent = setup.descent
    size = 0 if descent.variant == "batch" else setup.batch_size
    return [descent.variant, setup.training_samples, size]


def _in_words(plan: Any) -> str:
    variant, samples, size = plan if isinstance(plan, list) and len(plan) == 3 else ("?", "?", 0)
    return f"{samples} samples, {variant}" + (f" of {size}" if size else "")


def _optimizer_kind(setup: Setup) -> str:
    """What state there is between two updates, as far as settings decide that."""
    optimizer = setup.descent.optimizer
    if optimizer.kind == "lbfgs":
        return f"lbfgs with a history of {optimizer.history}"
    with_momentum = optimizer.kind == "rmsprop" and optimizer.momentum > 0
    return f"{optimizer.kind} with momentum" if with_momentum else optimizer.kind
