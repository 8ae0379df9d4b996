"""What an exported file says of itself."""

from __future__ import annotations

import json

from nnintro.config.experiment import Experiment
from nnintro.config.found import FromFiles
from nnintro.config.images import ImagesDataset
from nnintro.datasets.images import Format
from nnintro.datasets.tables import Encoding
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
        **_of_files(experiment),
    }


def _of_files(experiment: Experiment) -> dict[str, str]:
    """What only runs on files have to say: how a file becomes ``x``.

    ``features`` names the inputs of a table, one by one, and ``columns`` is the description in
    data.json that they follow from.  A file's pixels are divided by ``pixel_scale``.
    """
    dataset = experiment.dataset
    if not isinstance(dataset, FromFiles) or dataset.found is None:
        return {}
    described = dataset.found.description
    if isinstance(dataset, ImagesDataset):
        return {"pixel_scale": f"{Format.from_description(described).largest:g}"}
    features = Encoding.from_description(described).feature_names
    return {"features": json.dumps(features), "columns": json.dumps(dict(described))}
