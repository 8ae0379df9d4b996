"""data.json: the facts of a run's data files, so that other files are read the same way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from nnintro.config.experiment import Setup
from nnintro.config.load import Config
from nnintro.config.task import DataFacts, Task, TaskKind
from nnintro.errors import CheckpointError, ConfigError, DataError
from nnintro.runs.folder import DATA
from nnintro.wording import cause

if TYPE_CHECKING:
    from nnintro.datasets import Splits


def data_text(setup: Setup, splits: Splits[Any]) -> str | None:
    """What data.json says of the data; None where a config says all of it.

    Raises:
        DataError: the file is gone meanwhile.
    """
    if splits.fingerprint is None:
        return None
    held = {**_values(setup.facts), "fingerprint": splits.fingerprint()}
    held["sha256"] = _sha256(held)
    return json.dumps(held, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _values(facts: DataFacts) -> dict[str, Any]:
    return {
        "task": asdict(facts.task),
        "training_samples": facts.training_samples,
        "description": dict(facts.description),
    }


def takes_images(directory: Path) -> bool:
    """Whether a run was trained on images; what is wrong with it shows when it is loaded."""
    try:
        held = json.loads((directory / DATA).read_text(encoding="utf-8"))
        return held["task"]["image"] is not None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


SETTINGS = ("threshold", "point_radius", "class_weights")
"""Of a description: what the config says besides, and may be changed under a run."""


def digest(facts: DataFacts) -> str:
    """Of what a network's inputs and outputs mean: part of what a checkpoint is of."""
    return _sha256(_meaning(facts))[:16]


def _meaning(facts: DataFacts) -> dict[str, Any]:
    """All but the settings."""
    values = _values(facts)
    for name in SETTINGS:
        values["description"].pop(name, None)
    return values


def _sha256(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def setup_of(config: Config, directory: Path) -> Setup:
    """A run's config with what its data says.

    Raises:
        CheckpointError: data.json is missing, damaged, or of another config.
    """
    if config.experiment.dataset.facts is not None:
        return config.setup()
    try:
        return config.setup(_read(directory)[0])
    except ConfigError as error:
        raise CheckpointError(f"{directory} cannot be used: {error}") from error


def same_data(directory: Path, splits: Splits[Any], config: Config) -> Setup:
    """The config over a run's own data, which has to be what it was when the run began.

    It goes on to know what the run knows of its columns, and what the config says besides.

    Raises:
        DataError: the files have changed.
        CheckpointError: data.json is missing or damaged.
    """
    now = splits.found
    if now is None or splits.fingerprint is None:
        return config.setup()
    was, identity = _read(directory)
    if _form(was) != _form(now) or identity != splits.fingerprint():
        path = config.experiment.dataset.files or "the data"
        raise DataError(f"{path}: has changed since the run in {directory} began; it can only go on over the same data")
    settings = {key: value for key, value in now.description.items() if key in SETTINGS}
    kept = {key: value for key, value in was.description.items() if key not in SETTINGS}
    return config.setup(replace(was, description={**kept, **settings}))


def _form(facts: DataFacts) -> Any:
    """All but fractions, whose last bits are the machine's."""
    return _without_fractions(json.loads(json.dumps(_meaning(facts))))


def _without_fractions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_fractions(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_fractions(item) for item in value]
    return None if isinstance(value, float) else value


def _read(directory: Path) -> tuple[DataFacts, str]:
    path = directory / DATA
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held.pop("sha256") != _sha256(held):
            raise ValueError("SHA-256 mismatch")
        facts = DataFacts(_task(held["task"]), held["training_samples"], dict(held["description"]))
        _require_counts(facts.training_samples, facts.task.inputs, facts.task.outputs)
        return facts, str(held["fingerprint"])
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {cause(error)}") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path}: is damaged: {error!r}") from error


def _task(held: dict[str, Any]) -> Task:
    image = held["image"]
    if image is not None:
        height, width = image
        _require_counts(height, width)
        image = (height, width)
    task = Task(**{**held, "classes": tuple(map(str, held["classes"])), "image": image})
    if task.kind not in get_args(TaskKind):
        raise ValueError(f"a task of kind {task.kind!r}")
    return task


def _require_counts(*numbers: Any) -> None:
    for number in numbers:
        if type(number) is not int or number < 1:
            raise ValueError(f"expected a whole number above 0, got {number!r}")
