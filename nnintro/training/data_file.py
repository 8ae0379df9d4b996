"""data.json: what was found in a run's files, so that others are read the way they were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.config.found import Found, FromFiles
from nnintro.config.load import Config
from nnintro.config.task import Task
from nnintro.errors import CheckpointError, ConfigError, DataError

if TYPE_CHECKING:  # a run's config is read before torch is loaded
    from nnintro.datasets import Splits

NAME = "data.json"


def data_text(splits: Splits[Any]) -> str | None:
    """What data.json says of the data; None where a config says all of it."""
    if splits.found is None:
        return None
    held = {**_values(splits.found), "fingerprint": fingerprint(splits)}
    held["sha256"] = _sha256(held)
    return json.dumps(held, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _values(found: Found) -> dict[str, Any]:
    return {
        "task": asdict(found.task),
        "training_samples": found.training_samples,
        "description": dict(found.description),
    }


def digest(found: Found) -> str:
    """Of what a network's inputs and outputs mean: part of what a checkpoint is of."""
    return _sha256(_values(found))[:16]


def _sha256(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def fingerprint(splits: Splits[Any]) -> str:
    """SHA-256 of the training data: training goes on only over the same."""
    from nnintro.datasets import Data

    found = hashlib.sha256()
    if isinstance(splits.train, Data):
        for tensor in (splits.train.inputs, splits.train.targets):
            found.update(tensor.contiguous().numpy().data)
    else:
        found.update(splits.train.fingerprint().encode())
    return found.hexdigest()


def with_data(config: Config, directory: Path) -> Config:
    """A run's config, knowing the run's data.

    Raises:
        CheckpointError: data.json is missing, damaged, or of another config.
    """
    if config.experiment.is_known:
        return config
    try:
        return config.with_found(_read(directory)[0])
    except ConfigError as error:
        raise CheckpointError(f"{directory} cannot be used: {error}") from error


def require_same_data(directory: Path, splits: Splits[Any], config: Config) -> None:
    """Check that a run's files are what they were when it began.

    Raises:
        DataError: they have changed.
        CheckpointError: data.json is missing or damaged.
    """
    dataset = config.experiment.dataset
    if splits.found is None or not isinstance(dataset, FromFiles):
        return
    found, was = _read(directory)
    if digest(found) != digest(splits.found) or was != fingerprint(splits):
        path = getattr(dataset, "path", None) or "the data"
        raise DataError(
            f"{path}: has changed since the run in {directory} began; it can only go on over the "
            "same data"
        )


def _read(directory: Path) -> tuple[Found, str]:
    path = directory / NAME
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held.pop("sha256") != _sha256(held):
            raise ValueError("its numbers do not add up to its checksum")
        task = held["task"]
        image = None if task["image"] is None else (int(task["image"][0]), int(task["image"][1]))
        task = Task(**{**task, "classes": tuple(map(str, task["classes"])), "image": image})
        return Found(task, int(held["training_samples"]), dict(held["description"])), str(
            held["fingerprint"]
        )
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (
        ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError
    ) as error:  # fmt: skip
        raise CheckpointError(f"{path}: is damaged: {error!r}") from error
