"""Export a trained run: write a temporary file, read it back, compare outputs, then rename it."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import IO, cast

import torch
from torch import Tensor

from nnintro.errors import ConfigError, DataError, memory_for
from nnintro.exports import FORMATS, SUFFIXES, require_format
from nnintro.exports.agreement import Agreement, compare
from nnintro.files import chosen_format, require_place, write_whole
from nnintro.models import Network, input_precision, output_precision, precision_of
from nnintro.models.forward import evaluating, own_modes
from nnintro.models.standardized import numpy_type
from nnintro.runs.data import with_own_data
from nnintro.runs.data_files import with_paths
from nnintro.runs.folder import explained
from nnintro.runs.run import Run, architecture, load_run
from nnintro.training.setup import build_data
from nnintro.version import __version__
from nnintro.wording import plain


def export(
    run: Run | str | Path, output: str | Path | None = None, format: str | None = None, runs_dir: str | Path = "runs"
) -> Path:
    """Write a trained run's network as a file for other programs.

    The file takes raw inputs (batch, inputs) and gives (batch, outputs), for every batch size: any standardisation and
    any basis functions are inside, dropout is off, classifiers trained on cross entropy give logits. Inputs are in the
    parameters' precision, with a standardisation or a basis in float64. The file is read back and compared with the
    network before it takes its name; whatever was under that name before stays until then.

    Args:
        run: a run's folder, its name in ``runs_dir``, or what ``nnintro.train`` returned.
        output: the file; by default the run's name with the format's suffix, in the run's folder.
        format: ``onnx``, ``torch`` or ``safetensors``; by default what the output's suffix says,
            and onnx without an output.

    Returns:
        The path of the file.

    Raises:
        UsageError: the format is unknown or contradicts the suffix, its package is missing, or no
            file can be at the path.
        CheckpointError: there is no such run, or the file cannot be written.
        NnintroError: the file does not compute what the network computes, or cannot hold it.
    """
    chosen = None if output is None else Path(output)
    name = "onnx" if output is None and format is None else chosen_format(format, chosen, SUFFIXES)
    opened = run if isinstance(run, Run) else load_run(run, runs_dir)
    place = chosen or default_path(opened.directory, name)
    write_export(opened, name, place)
    return place


def default_path(directory: Path, format: str) -> Path:
    """The run's name with the format's suffix, in the run's folder."""
    return directory / f"{directory.resolve().name}{FORMATS[format].suffix}"


@own_modes()
@memory_for("the file and its check")
def write_export(run: Run, format: str, path: Path) -> Agreement:
    """``export`` with everything chosen; how far the file is from the network."""
    require_format(format)
    place = require_place(path)
    low, high = region(run)
    codec = importlib.import_module(FORMATS[format].module)
    agreements: list[Agreement] = []

    def write_and_check(file: IO[bytes]) -> None:
        file.write(data)
        # What is read back must be what is on the disk, not what waits in a buffer.
        file.flush()
        os.fsync(file.fileno())
        program, image = codec.load(Path(file.name)), run.setup.task.image
        agreements.append(compare(run.model, program, low, high, image))

    with evaluating(run.model):
        data = codec.encode(run.model, describe(run))
        with explained(f"cannot write {place}"):
            write_whole(place, write_and_check)
    return agreements[0]


def region(run: Run) -> tuple[Tensor, Tensor]:
    """Corners of the box that the data fills, (inputs,) each, in float64.

    From the standardisation where there is one, else from the data; where that is gone, [-1, 1].
    """
    model = cast(Network, run.model)
    if model.standardizes_itself and not run.setup.basis:  # which would be standardised, not the inputs
        mean, scale = model.mean.double(), model.scale.double()
        return mean - 3 * scale, mean + 3 * scale
    try:
        config, _ = with_own_data(run.config, run.directory)
        splits = build_data(with_paths(run.setup.experiment, config.experiment.dataset.paths))
    except (DataError, ConfigError):
        # An export must not depend on a file that training alone needed.
        corner = torch.ones(run.setup.task.inputs, dtype=torch.float64)
        return -corner, corner
    return splits.low, splits.high


INPUT, OUTPUT = "x", "y"


def describe(run: Run) -> dict[str, str]:
    """Keys and values that every format carries; lists and mappings are JSON.

    ``output_kind`` is ``logits`` for a classifier trained on cross entropy, ``scores`` for one whose outputs' signs are
    the classes (loss: perceptron), else ``values``. ``precision`` is that of
    the parameters. ``input_precision`` is float64 where the inputs are standardised inside, which float32 may be too
    coarse for, else the same; ``output_precision`` is float64 where the targets were standardised. ``trained_in`` is
    the config's, which is another one for bfloat16: there the parameters are float32.
    """
    setup, task = run.setup, run.setup.task
    return {
        "producer": "nnintro",
        "version": __version__,
        "run": plain(run.directory.resolve().name),
        "task": task.kind,
        "input": INPUT,
        "output": OUTPUT,
        "output_kind": "logits" if setup.logits else "scores" if setup.scores else "values",
        "classes": json.dumps(task.classes),
        "precision": numpy_type(precision_of(run.model)).name,
        "input_precision": numpy_type(input_precision(run.model)).name,
        "output_precision": numpy_type(output_precision(run.model)).name,
        "trained_in": setup.precision,
        "architecture": json.dumps(architecture(setup)),
        **_of_files(run),
    }


def _of_files(run: Run) -> dict[str, str]:
    """What only runs on files have to say: how a file becomes ``x``.

    ``features`` names the inputs of a table, one by one, and ``columns`` is the description in
    data.json that they follow from.  A file's pixels are divided by ``pixel_scale``.
    """
    form = run.reading
    if form is None:
        return {}
    if not run.has_table:
        return {"pixel_scale": f"{form.largest:g}"}
    return {"features": json.dumps(form.feature_names), "columns": json.dumps(dict(run.setup.facts.description))}
