"""A trained run as one file for other programs: written, read back, compared, then named."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import torch
from torch import Tensor, nn

from nnintro.errors import ConfigError, DataError
from nnintro.inference import onnx_file, safetensors_file, torch_file
from nnintro.inference.agreement import Agreement, Program, compare
from nnintro.inference.description import describe
from nnintro.inference.export_formats import FORMATS, SUFFIXES, require_package
from nnintro.inference.formats import chosen_format, require_place
from nnintro.models import Standardized, Unet
from nnintro.recording.directory import write_whole
from nnintro.training.assemble import build_data
from nnintro.training.evaluation import evaluating
from nnintro.training.run import Run


@dataclass(frozen=True)
class Codec:
    """How a format is written, and how a file of it is run."""

    encode: Callable[[nn.Module, dict[str, str]], bytes]
    load: Callable[[Path], Program]


CODECS: dict[str, Codec] = {
    "onnx": Codec(onnx_file.encode, onnx_file.load),
    "torch": Codec(torch_file.encode, torch_file.load),
    "safetensors": Codec(safetensors_file.encode, safetensors_file.load),
}


def export_run(run: Run, format: str | None = None, path: str | Path | None = None) -> Path:
    """Write a trained run's network as a file for other programs.

    The file takes raw inputs (batch, inputs) and gives (batch, outputs), for every batch size: any
    standardisation is inside, dropout is off, classifiers trained on cross entropy give logits.
    Inputs are in the parameters' precision, with a standardisation in float64.  The file is read
    back and compared with the network before it takes its name; whatever was under that name before
    stays until then.

    Args:
        run: from ``nnintro.train`` or ``nnintro.load``.
        format: ``onnx``, ``torch`` or ``safetensors``; by default what the path's suffix says.
        path: the file; by default the run's name with the format's suffix, in the run's folder.

    Returns:
        The path of the file.

    Raises:
        UsageError: the format is unknown or contradicts the suffix, its package is missing, or no
            file can be at the path.
        CheckpointError: the file cannot be written.
        NnintroError: the file does not compute what the network computes, or cannot hold it.
    """
    chosen = None if path is None else Path(path)
    name = chosen_format(format, chosen, SUFFIXES)
    place = chosen or default_path(run.directory, name)
    write_export(run, name, place)
    return place


def default_path(directory: Path, format: str) -> Path:
    """The run's name with the format's suffix, in the run's folder."""
    return directory / f"{directory.resolve().name}{FORMATS[format].suffix}"


def write_export(run: Run, format: str, path: Path) -> Agreement:
    """``export_run`` with everything chosen; how far the file is from the network."""
    require_package(format)
    place = require_place(path)
    low, high = region(run)
    codec = CODECS[format]
    found: list[Agreement] = []

    def write_and_check(file: IO[bytes]) -> None:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        found.append(compare(run.model, codec.load(Path(file.name)), low, high))

    with evaluating(run.model):
        data = codec.encode(run.model, describe(run))
        write_whole(place, write_and_check)
    return found[0]


def region(run: Run) -> tuple[Tensor, Tensor]:
    """Corners of the box that the data fills, (inputs,) each, in float64.

    From the standardisation where there is one, else from the data; where that is gone, [-1, 1].
    """
    model = run.model
    if isinstance(model, Standardized | Unet):
        mean, scale = model.mean.double(), model.scale.double()
        return mean - 3 * scale, mean + 3 * scale
    try:
        splits = build_data(run.experiment)
    except (DataError, ConfigError):
        # An export must not depend on a file that training alone needed.
        corner = torch.ones(run.experiment.task.inputs, dtype=torch.float64)
        return -corner, corner
    return splits.low, splits.high
