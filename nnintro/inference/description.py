"""What an exported file says of itself."""

from __future__ import annotations

import json

from nnintro.inference.block import numpy_type
from nnintro.models import input_precision, output_precision, precision_of
from nnintro.training.run import Run, architecture
from nnintro.version import __version__

INPUT, OUTPUT = "x", "y"


def describe(run: Run) -> dict[str, str]:
    """Keys and values that every format carries; lists and mappings are JSON.

    ``output_kind`` is ``logits`` for a classifier trained on cross entropy, else ``values``.
    ``precision`` is that of the parameters.  ``input_precision`` is float64 where the inputs are
    standardised inside, which float32 may be too coarse for, else the same; ``output_precision`` is
    float64 where the targets were standardised.  ``trained_in`` is
    the config's, which is another one for bfloat16: there the parameters are float32.
    """
    experiment = run.experiment
    task = experiment.task
    return {
        "producer": "nnintro",
        "version": __version__,
        "run": run.directory.resolve().name,
        "task": task.kind,
        "input": INPUT,
        "output": OUTPUT,
        "output_kind": "logits" if experiment.logits else "values",
        "classes": json.dumps(task.classes),
        "precision": numpy_type(precision_of(run.model)).name,
        "input_precision": numpy_type(input_precision(run.model)).name,
        "output_precision": numpy_type(output_precision(run.model)).name,
        "trained_in": experiment.precision,
        "architecture": json.dumps(architecture(experiment)),
    }
