"""data.json: the facts of a run's data files, so that other files are read the same way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.config.experiment import Setup
from nnintro.config.load import Config
from nnintro.config.task import STRICT, Count, DataFacts, Task
from nnintro.config.typed import from_json
from nnintro.errors import CheckpointError, ConfigError, DataError
from nnintro.files import read_bytes, read_json
from nnintro.runs.data_files import DataFile, data_files, found_again
from nnintro.runs.folder import DATA, LARGEST
from nnintro.wording import cause

if TYPE_CHECKING:
    from nnintro.datasets import Splits


def data_text(setup: Setup, splits: Splits[Any]) -> str | None:
    """What data.json says of the data; None where a config says all of it.

    Raises:
        DataError: the file is gone meanwhile, or too much is to be kept of it.
    """
    if splits.fingerprint is None:
        return None
    fingerprint = splits.fingerprint()
    held = {**_values(setup.facts), "fingerprint": fingerprint, "files": _files(setup, fingerprint)}
    held["sha256"] = _sha256(held)
    text = json.dumps(held, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if len(text.encode(errors="backslashreplace")) > LARGEST:  # before hours of training, not after
        raise DataError(
            f"{setup.dataset.files}: what a run keeps of its columns would have more than {LARGEST:,} bytes; "
            "name columns of long texts in exclude"
        )
    return text


def _files(setup: Setup, fingerprint: str) -> dict[str, dict[str, Any]]:
    try:
        return {key: asdict(file) for key, file in data_files(setup.dataset, fingerprint).items()}
    except OSError as error:
        raise DataError(f"{setup.dataset.files}: cannot be read: {cause(error)}") from error


def _values(facts: DataFacts) -> dict[str, Any]:
    return {
        "task": asdict(facts.task),
        "training_samples": facts.training_samples,
        "description": dict(facts.description),
    }


def takes_images(directory: Path) -> bool:
    """Whether a run was trained on images; what is wrong with it shows when it is loaded."""
    try:
        held = read_json(directory / DATA, LARGEST)
        return held["task"]["image"] is not None
    except (OSError, ValueError, KeyError, TypeError):
        return False


SETTINGS = ("threshold", "point_radius", "class_weights", "skips_rows")
"""Of a description: what the config says besides, and may be changed; what earlier versions did not know."""


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
        return config.setup(_read(directory, config.experiment.dataset.kind).facts)
    except ConfigError as error:
        raise CheckpointError(f"{directory} cannot be used: {error}") from error


def with_own_data(config: Config, directory: Path) -> tuple[Config, tuple[str, ...]]:
    """A run's config with the paths at which its data is now, and a note where that was moved (see ``found_again``).

    Raises:
        CheckpointError: data.json is missing or damaged.
    """
    if config.experiment.dataset.files is None:
        return config, ()
    held = _read(directory, config.experiment.dataset.kind)
    files = held.files
    if not files and held.facts.task.image is None:  # of a run that earlier versions have made, of one file
        files = {key: DataFile(path, None, held.fingerprint) for key, path in config.experiment.dataset.paths.items()}
    return found_again(config, directory, files)


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
    held = _read(directory, config.experiment.dataset.kind)
    was = held.facts
    if _form(was) != _form(now) or held.fingerprint != splits.fingerprint():
        paths = " or ".join(config.experiment.dataset.paths.values()) or "the data"
        raise DataError(
            f"{paths}: has changed since the run in {directory} began; it can only go on over the same data"
        )
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


@dataclass(frozen=True)
class _Held:
    """What data.json says."""

    __pydantic_config__ = STRICT

    task: Task
    training_samples: Count
    description: dict[str, Any]
    fingerprint: str
    sha256: str
    files: dict[str, DataFile] = field(default_factory=dict)

    @property
    def facts(self) -> DataFacts:
        return DataFacts(self.task, self.training_samples, self.description)


def _read(directory: Path, kind: str) -> _Held:
    from nnintro.datasets import DATASETS  # which loads torch

    path = directory / DATA
    try:
        text = read_bytes(path, LARGEST)
        held = from_json(_Held, text)
        values = json.loads(text)
        if values.pop("sha256") != _sha256(values):
            raise ValueError("sha256: was changed after it was made")
        reading = DATASETS[kind].reading
        if reading is None or _described(reading, held.facts) != held.task:
            raise ValueError("task: is not that of the description")
        return held
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {cause(error)}") from error
    except ValueError as error:
        raise CheckpointError(f"{path}: is damaged: {error}") from error


def _described(reading: Callable[[Mapping[str, Any]], Any], facts: DataFacts) -> Any:
    """The task of what the description says."""
    try:
        return reading(facts.description).task
    except ValueError as error:
        raise ValueError(f"description.{error}") from None
