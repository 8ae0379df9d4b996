"""Taking a run up again: its folder, its lock, and whether it is still the same experiment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnintro.config.experiment import Experiment, flat_values, smoke
from nnintro.config.load import Config, load_config
from nnintro.config.override import RIVALS
from nnintro.errors import CheckpointError, ConfigError, Problem
from nnintro.recording.lock import RunLock

OVER = ("completed", "stopped")


@dataclass(frozen=True)
class Reopened:
    """A run that is to go on, held by its lock."""

    directory: Path
    lock: RunLock
    config: Config
    changes: tuple[str, ...]
    """What is different from here on, in words."""
    summary: dict[str, Any]
    """What summary.json says; empty where the run was cut off before it had one."""

    @property
    def is_over(self) -> bool:
        """Whether the run has come to its end, and nothing is to be changed about that."""
        return self.summary.get("status") in OVER and not self.changes

    @property
    def would_diverge(self) -> bool:
        """Whether it would only meet the same loss again that was no number."""
        return self.summary.get("status") == "diverged" and not self.changes


def find_run(run: str | Path, runs_dir: Path) -> Path:
    """The folder of a run, given by its path or by its name in ``runs_dir``.

    Raises:
        CheckpointError: there is none.
    """
    for directory in (Path(run), runs_dir / run):
        if (directory / "config.yaml").is_file():
            return directory
    if Path(run).is_dir():
        raise CheckpointError(f"{run} is no run: it has no config.yaml")
    raise CheckpointError(f"{run}: no such run")


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
        CheckpointError: it is no run, or another process trains in it.
        ConfigError: an override is wrong, or ``config`` says something else than the run.
    """
    directory = find_run(run, runs_dir)
    lock = RunLock(directory)
    try:
        begun = _begun(directory)
        now = load_config(directory / "config.yaml" if config is None else config, overrides)
        experiment = smoke(now.experiment) if smoke_test else now.experiment
        named = {text.partition("=")[0].strip() for text in overrides}
        if "name" not in named:
            experiment = experiment.model_copy(update={"name": begun.name})
        now = Config(experiment, now.source)
        differences = list(_differences(begun, experiment))
        with now.locating():
            _refuse_what_was_not_asked_for(differences, named)
        changes = tuple(f"{key}: {_shown(a)} -> {_shown(b)}" for key, a, b in differences)
        return Reopened(directory, lock, now, changes, _summary(directory))
    except BaseException:
        lock.release()
        raise


def _begun(directory: Path) -> Experiment:
    try:
        return load_config(directory / "config.yaml").experiment
    except ConfigError as error:
        raise CheckpointError(f"{directory} cannot be used: {error}") from error


def _summary(directory: Path) -> dict[str, Any]:
    """summary.json; a run that was killed has none, and one that is damaged says nothing."""
    try:
        summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return summary if isinstance(summary, dict) else {}


Difference = tuple[str, Any, Any]


def _differences(begun: Experiment, now: Experiment) -> Iterator[Difference]:
    """Key, value when the run was begun, value now; None where there is none."""
    before, after = flat_values(begun), flat_values(now)
    for key in dict.fromkeys([*after, *before]):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)


def _refuse_what_was_not_asked_for(differences: list[Difference], named: set[str]) -> None:
    rivals = {".".join(one): f"{one[0]}.{other}" for one, other in RIVALS.items()}
    named = named | {rivals[key] for key in named if key in rivals}
    problems = [
        Problem(
            f"the run has {_shown(before)}, and here it is {_shown(after)}; "
            f"to change it from here on: --set {key}={_shown(after)}",
            key,
        )
        for key, before, after in differences
        if not any(_covers(name, key) for name in named)
    ]
    if problems:
        raise ConfigError(problems)


def _covers(name: str, key: str) -> bool:
    """``--set name=...`` changes ``key``, or something that it is a part of."""
    return key == name or key.startswith(f"{name}.") or name.startswith(f"{key}.")


def _shown(value: Any) -> str:
    """As --set takes it."""
    return "null" if value is None else value if isinstance(value, str) else json.dumps(value)
