"""A run on disk, from Python: its model, its numbers, and predictions."""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.config.datasets.table import TableDataset
from nnintro.config.experiment import Experiment
from nnintro.config.load import Config
from nnintro.config.task import FromFiles
from nnintro.errors import CheckpointError, DataError
from nnintro.models import input_precision
from nnintro.models.build import Region, architecture_of, build_model, load_parameters
from nnintro.models.forward import outputs_of
from nnintro.runs.checkpoint import load_checkpoint
from nnintro.runs.data import digest
from nnintro.runs.history import read_history
from nnintro.runs.reopen import run_config


class Run:
    """A trained run.

    Attributes:
        directory: the run's folder.
        model: the trained module in evaluation mode, on the CPU; takes raw inputs, with
            ``standardize: inputs`` in float64, else in the parameters' precision.
        summary: what summary.json says.
        config: what it was trained by.
    """

    def __init__(
        self, directory: Path, model: nn.Module, summary: dict[str, Any], config: Config
    ) -> None:
        self.directory = directory
        self.model = model
        self.summary = summary
        self.config = config

    @property
    def experiment(self) -> Experiment:
        return self.config.experiment

    @functools.cached_property
    def history(self) -> dict[str, list[float | None]]:
        """Column name -> values of history.csv; None where nothing was measured."""
        return read_history(self.directory / "history.csv")

    @property
    def features(self) -> list[str]:
        """The names of the network's inputs; of a table such as ``area``, ``city=Ulm``."""
        dataset = self.experiment.dataset
        if isinstance(dataset, TableDataset) and dataset.found is not None:
            from nnintro.datasets.tables import Encoding

            return Encoding.from_description(dataset.found.description).feature_names
        count = self.experiment.task.inputs
        return ["x"] if count == 1 else [f"x{k + 1}" for k in range(count)]

    def predict(self, inputs: Any) -> Tensor:
        """The network's outputs: (n, features) array, list or tensor -> (n, outputs) tensor.

        With one feature, (n,) is taken as (n, 1).  Of images it is (n, channels, height, width) ->
        (n, outputs, height, width), in the units of the training's images and of any size.  The
        outputs are in the parameters' precision, in float64 where the targets were standardised;
        where the loss takes logits they are logits.
        Of a run on a table the inputs may also be columns by name (a dict, a pandas DataFrame, a
        pyarrow table), encoded as the training's were; as numbers they are what ``features`` names.

        Raises:
            DataError: the inputs have another shape, or are no numbers.
        """
        dataset = self.experiment.dataset
        if isinstance(dataset, TableDataset) and _has_columns(inputs):
            from nnintro.datasets.tables import Encoding, encoded_columns

            assert dataset.found is not None
            inputs = encoded_columns(inputs, Encoding.from_description(dataset.found.description))
        try:
            # A copy: torch takes neither read-only arrays nor reversed ones.
            plain = inputs if isinstance(inputs, Tensor) else np.array(inputs)
            if not isinstance(plain, Tensor) and plain.dtype.kind not in "biuf":
                raise TypeError(f"found {plain.dtype}")
            values = torch.as_tensor(plain, dtype=input_precision(self.model), device="cpu")
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"inputs must be numbers in rows of equal length: {error}") from None
        features = self.experiment.task.inputs
        if self.experiment.task.image is not None:
            if values.dim() != 4 or values.shape[1] != features:
                wanted = f"(n, {features}, height, width)"
                raise DataError(f"inputs: expected shape {wanted}, got {tuple(values.shape)}")
            return outputs_of(self.model, values)
        if values.dim() == 1 and features == 1:
            values = values[:, None]
        if values.dim() != 2 or values.shape[1] != features:
            shape = tuple(values.shape)
            raise DataError(f"inputs: expected shape (n, {features}), got {shape}")
        return outputs_of(self.model, values)

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r}, {self.summary.get('status')})"


def _has_columns(inputs: Any) -> bool:
    return isinstance(inputs, Mapping) or hasattr(inputs, "columns")


def architecture(experiment: Experiment) -> dict[str, Any]:
    """What decides which function a set of parameters is; kept in the checkpoint."""
    dataset = experiment.dataset
    of_data = {}
    if isinstance(dataset, FromFiles) and dataset.found is not None:
        of_data = {"data": digest(dataset.found)}
    return {**architecture_of(experiment), **of_data}


def _difference(saved: Any, found: dict[str, Any]) -> str:
    if not isinstance(saved, dict):
        return "it does not say of which"
    return ", ".join(
        f"{key} {saved.get(key)} became {value}"
        for key, value in found.items()
        if repr(saved.get(key)) != repr(value)
    )


def check_architecture(state: Mapping[str, Any], experiment: Experiment, where: str) -> None:
    """Raise CheckpointError where a checkpoint's model is not the experiment's."""
    saved, found = state.get("architecture"), architecture(experiment)
    if repr(saved) != repr(found):  # whatever it is that was saved
        message = f"{where}: the checkpoint is of another model than config.yaml"
        raise CheckpointError(f"{message}: {_difference(saved, found)}")


def load_run(directory: str | Path) -> Run:
    """Open a run's folder, also that of a run that is still going on or was cut off.

    Its summary is then ``{"status": "unfinished", ...}``.  Where the newest checkpoint is damaged
    the one before it is used, with a warning.

    Raises:
        CheckpointError: it is no run, or what it holds is missing, damaged or of another model.
    """
    directory = Path(directory)
    if not directory.is_dir():
        there = Path("runs") / directory
        meant = f"; did you mean {there}?" if there.is_dir() else ""
        raise CheckpointError(f"{directory}: no such run{meant}")
    config = run_config(directory)
    _require_description(config.experiment, directory)
    experiment, loaded = config.experiment, load_checkpoint(directory)
    for damage in loaded.damaged:
        warnings.warn(f"{damage}; {loaded.path.name} is used in its place", stacklevel=2)
    check_architecture(loaded.state, experiment, str(directory))
    _, model = build_model(experiment, Region.unknown(experiment))
    load_parameters(model, loaded.state.get("model"), str(directory))
    return Run(directory, model.eval(), _summary(directory, experiment, loaded.state), config)


def _require_description(experiment: Experiment, directory: Path) -> None:
    """Raise CheckpointError where data.json does not say how files become inputs."""
    dataset = experiment.dataset
    if not isinstance(dataset, FromFiles) or dataset.found is None:
        return
    from nnintro.datasets.images import Format
    from nnintro.datasets.tables import Encoding

    reading = Encoding if isinstance(dataset, TableDataset) else Format
    try:
        reading.from_description(dataset.found.description)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{directory / 'data.json'}: is damaged: {error!r}") from error


def _summary(directory: Path, experiment: Experiment, state: Mapping[str, Any]) -> dict[str, Any]:
    path = directory / "summary.json"
    unfinished = {"status": "unfinished", "name": experiment.name, "directory": str(directory)}
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        summary = unfinished
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{directory} has no readable summary.json: {error}") from error
    if not isinstance(summary, dict):
        raise CheckpointError(f"{path} is no summary: expected a mapping")
    if summary.get("status") == "unfinished":
        return {**unfinished, "steps": state["step"], "metrics": {}}
    return {**summary, "directory": str(directory)}  # it may have been moved
