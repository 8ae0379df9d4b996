"""A run together with the config that it was trained by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnintro.config.experiment import Experiment
from nnintro.config.load import Config, load_config
from nnintro.config.task import Task
from nnintro.training.run import Run, load_run


@dataclass(frozen=True)
class Trained:
    """What using a run takes."""

    run: Run
    config: Config

    @property
    def experiment(self) -> Experiment:
        return self.config.experiment

    @property
    def task(self) -> Task:
        return self.experiment.task

    @property
    def logits(self) -> bool:
        """Whether the outputs are logits."""
        return self.experiment.loss_name == "cross_entropy"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the parameters: bfloat16 runs keep them in float32."""
        return np.dtype("float64" if self.experiment.precision == "float64" else "float32")


def open_trained(directory: Path) -> Trained:
    """Open a run's folder.

    Raises:
        CheckpointError: it is no run, or cannot be used (see ``load_run``).
    """
    run = load_run(directory)
    return Trained(run, load_config(run.directory / "config.yaml"))
