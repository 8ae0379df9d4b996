"""What a run begins with: its data, and its folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nnintro.config.experiment import Setup
from nnintro.config.load import Config
from nnintro.config.write import as_yaml
from nnintro.datasets import Splits
from nnintro.runs.data import data_text, same_data
from nnintro.runs.folder import create_run_directory
from nnintro.runs.reopen import Reopened
from nnintro.training.setup import build_data


def with_splits(config: Config, reopened: Reopened | None) -> tuple[Setup, Splits[Any]]:
    """The config with what its data says, and the data.

    Raises:
        ConfigError: the config asks for something that does not go with the data.
        DataError: the data cannot be used; or it is not what it was when the run began.
    """
    splits = build_data(config.experiment)
    if reopened is not None:
        return same_data(reopened.directory, splits, config), splits
    return config.setup(splits.found), splits


@contextlib.contextmanager
def run_folder(
    setup: Setup,
    runs_dir: Path,
    reopened: Reopened | None,
    splits: Splits[Any],
    warn: Callable[[str], None],
) -> Iterator[Path]:
    """The run's folder, locked: a new one, or that of the run that goes on."""
    experiment = setup.experiment
    if reopened is None:
        text = data_text(setup, splits)
        folder, lock = create_run_directory(runs_dir, experiment.name, as_yaml(experiment), text)
    else:
        folder, lock = reopened.directory, reopened.lock
    with lock:
        if lock.warning is not None:
            warn(lock.warning)
        yield folder
