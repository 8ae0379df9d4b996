"""What an exported file says of itself."""

from __future__ import annotations

import json

import torch

from nnintro.config.experiment import Experiment
from nnintro.config.load import load_config
from nnintro.errors import CheckpointError, ConfigError
from nnintro.training.run import Run, architecture
from nnintro.version import __version__

INPUT, OUTPUT = "x", "y"


def experiment_of(run: Run) -> Experiment:
    """The run's config.

    Raises:
        CheckpointError: it is not there any more, or damaged.
    """
    try:
        return load_config(run.directory / "config.yaml").experiment
    except ConfigError as error:
        raise CheckpointError(f"{run.directory} cannot be used: {error}") from error


def precision_of(run: Run) -> torch.dtype:
    return next(run.model.parameters()).dtype


def describe(run: Run, experiment: Experiment) -> dict[str, str]:
    """Keys and values that every format carries; lists and mappings are JSON.

    ``output_kind`` is ``logits`` for a classifier trained on cross entropy, else ``values``.
    ``precision`` is that of parameters, input and output; ``trained_in`` is the config's, which is
    another one for bfloat16: there the parameters are float32.
    """
    task = experiment.task
    logits = task.is_classification and experiment.loss_name == "cross_entropy"
    return {
        "producer": "nnintro",
        "version": __version__,
        "run": run.directory.resolve().name,
        "task": task.kind,
        "input": INPUT,
        "output": OUTPUT,
        "output_kind": "logits" if logits else "values",
        "classes": json.dumps(task.classes),
        "precision": str(precision_of(run)).removeprefix("torch."),
        "trained_in": experiment.precision,
        "architecture": json.dumps(architecture(experiment)),
    }
