"""Reopen a run to resume it: lock its folder, and check that the experiment is the same."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnintro.config.experiment import Setup, flat_values
from nnintro.config.load import Config, load_config
from nnintro.config.parse.overrides import RIVALS
from nnintro.errors import CheckpointError, ConfigError, Problem
from nnintro.runs.data import setup_of
from nnintro.runs.data_files import KEYS as PATHS
from nnintro.runs.folder import CONFIG, RunLock, find_run, require_own_files
from nnintro.runs.settings import MEANT
from nnintro.runs.summary import OVER, read_summary
from nnintro.wording import shown

LONGEST = 300
"""Characters of a value in a message."""
WITHOUT_EFFECT = ("name", "device", "logging", "training.checkpoint", "training.engine")
"""Keys that change nothing about the updates of a run, nor about when it is over."""

EFFECT_WITHOUT_UPDATES = ("training.early_stopping", "descent.optimizer.kind", "descent.variant", "descent.batch_size")
"""Keys of ``descent`` and ``training`` that have one once all updates are made: the parameters that early stopping has
kept; and what cannot be changed, which is to be said."""


@dataclass(frozen=True)
class Reopened:
    """A run that is to go on, held by its lock."""

    directory: Path
    lock: RunLock | None
    """None in a process that shares its updates and writes nothing: the one that records holds it."""
    config: Config
    changes: tuple[str, ...]
    """What is different from here on, in words."""
    goes_on: bool
    """Whether a change among them has an effect on the updates or on when the run is over."""
    summary: dict[str, Any]
    """What summary.json says; empty where the run was cut off before it had one."""

    @property
    def is_over(self) -> bool:
        """Whether the run has come to its end, and nothing is to be changed about that."""
        return self.summary.get("status") in OVER and not self.goes_on

    @property
    def would_diverge(self) -> bool:
        """Whether it would only meet the same loss again that was no number."""
        return self.summary.get("status") == "diverged" and not self.goes_on


def reopen(
    run: str | Path,
    runs_dir: Path,
    config: str | Path | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    smoke_test: bool = False,
) -> Reopened:
    """Lock a run and see how it is to go on.

    Args:
        config: what it was begun with, for whoever wants that checked; by default its own.
        overrides: changes from here on.

    Raises:
        CheckpointError: it is not a run, or another process trains in it.
        ConfigError: an override is wrong, or ``config`` says something else than the run.
    """
    directory = find_run(run, runs_dir)
    lock = RunLock(directory)
    try:
        require_own_files(directory)
        _, setup = run_config(directory)
        begun = setup.experiment
        now = load_config(directory / CONFIG if config is None else config, overrides)
        now = now.smoked() if smoke_test else now
        experiment = now.setup(setup.facts).experiment
        named = {text.partition("=")[0].strip() for text in overrides}
        if "name" not in named:
            experiment = experiment.model_copy(update={"name": begun.name})
        now = replace(now, experiment=experiment)
        differences = list(changed(flat_values(begun), flat_values(experiment)))
        with now.locating():
            _refuse_what_was_not_asked_for(differences, named)
        changes = tuple(f"{key}: {_shown(a)} -> {_shown(b)}" for key, a, b in differences)
        summary: dict[str, Any] = {}
        with suppress(CheckpointError):  # a summary that is damaged says nothing
            summary = read_summary(directory) or {}
        no_more = summary.get("status") in OVER and summary.get("steps") == now.setup(setup.facts).total_updates
        goes_on = any(has_effect(key, no_more=no_more) for key, _, __ in differences)
        return Reopened(directory, lock, now, changes, goes_on, summary)
    except BaseException:
        lock.close()
        raise


def run_config(directory: Path) -> tuple[Config, Setup]:
    """What a run's config.yaml says, and the same with what its data.json says.

    Raises:
        CheckpointError: it has none, or none that can be used.
    """
    try:
        config = load_config(directory / CONFIG)
    except ConfigError as error:
        raise CheckpointError(f"{directory} cannot be used: {error}") from error
    return config, setup_of(config, directory)


def has_effect(key: str, *, no_more: bool = False) -> bool:
    """Whether a key has a say in the updates of a run, or in when it is over.

    Args:
        no_more: whether the run has made all its updates.
    """
    if no_more and any(_is_in(key, name) for name in ("descent", "training")):
        return any(_is_in(key, name) for name in EFFECT_WITHOUT_UPDATES)
    return not any(_is_in(key, name) for name in WITHOUT_EFFECT)


def _is_in(key: str, section: str) -> bool:
    return key == section or key.startswith(f"{section}.")


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Key, earlier value, present value of what differs; None where there is none."""
    for key in dict.fromkeys([*after, *before]):
        meant = MEANT.get(key)
        if before.get(key, meant) != after.get(key, meant):
            yield key, before.get(key), after.get(key)


def _refuse_what_was_not_asked_for(differences: list[tuple[str, Any, Any]], named: set[str]) -> None:
    rivals = {".".join(one): f"{one[0]}.{other}" for one, other in RIVALS.items()}
    named = named | {rivals[key] for key in named if key in rivals}
    problems = [
        Problem(
            f"the run has {_shown(before)}, and here it is {_shown(after)}; "
            f"to change it from here on: --set {shlex.quote(f'{key}={_written(after)}')}",
            key,
        )
        for key, before, after in differences
        # Where the data is, is for the run to find out; that it is the same is checked when it is read.
        if key not in PATHS and not any(_covers(name, key) for name in named)
    ]
    if problems:
        raise ConfigError(problems)


def _covers(name: str, key: str) -> bool:
    """``--set name=...`` changes ``key``, or something that it is a part of."""
    return key == name or key.startswith(f"{name}.") or name.startswith(f"{key}.")


def _written(value: Any) -> str:
    """As --set takes it."""
    return "null" if value is None else value if isinstance(value, str) else json.dumps(value)


def _shown(value: Any) -> str:
    """The same, where it has not hundreds of numbers."""
    text = _written(value)
    return text if len(text) <= LONGEST else shown(value)
