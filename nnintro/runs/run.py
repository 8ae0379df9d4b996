"""A run on disk, from Python: its model, its numbers, and predictions."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from nnintro.config.experiment import Setup
from nnintro.config.load import Config
from nnintro.errors import CheckpointError, memory_for
from nnintro.models import Network
from nnintro.models.build import Region, build_model, load_parameters, outline, require_shapes
from nnintro.models.forward import own_modes
from nnintro.runs.checkpoint import MOST, Loaded, load_checkpoint
from nnintro.runs.data import digest
from nnintro.runs.folder import find_run
from nnintro.runs.history import read_history
from nnintro.runs.reopen import run_config
from nnintro.runs.state import Checkpoint
from nnintro.runs.summary import read_summary, unfinished
from nnintro.runs.trained import Trained
from nnintro.wording import shown, shown_key

MOST_COLUMNS = 64
"""Of a history: no task has as many metrics."""


class Run(Trained):
    """A trained run on disk.

    Attributes:
        directory: the run's folder.
        summary: what summary.json says.
        config: what it was trained by, with the places of its keys.
        model, setup: see ``Trained``.
    """

    def __init__(
        self, directory: Path, model: nn.Module, summary: dict[str, Any], config: Config, setup: Setup
    ) -> None:
        super().__init__(model, setup)
        self.directory = directory
        self.summary = summary
        self.config = config

    @functools.cached_property
    def history(self) -> dict[str, list[float | None]]:
        """Column name -> values of history.csv; None where nothing was measured."""
        return read_history(self.directory / "history.csv")

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r}, {self.summary.get('status')})"


def architecture(setup: Setup) -> dict[str, Any]:
    """What decides which function a set of parameters is; kept in the checkpoint."""
    return _architecture(setup, outline(setup))


def _architecture(setup: Setup, model: Network) -> dict[str, Any]:
    of_data = {} if setup.dataset.facts is not None else {"data": digest(setup.facts)}
    return {**model.architecture(), **of_data}


def read_checkpoint(directory: Path, setup: Setup, before: int | None = None) -> tuple[Loaded, Checkpoint]:
    """The newest checkpoint (see ``load_checkpoint``), of the model that the setup describes.

    Raises:
        CheckpointError: there is none that can be used; or it is of another model.
    """
    model = outline(setup)
    loaded = load_checkpoint(directory, before, _largest_checkpoint(setup, model))
    checkpoint = Checkpoint.from_plain(loaded.state, str(loaded.path))
    _check_architecture(checkpoint.origin.architecture, _architecture(setup, model), str(directory))
    # Before there is a network: of other sizes it would have other needs of memory.
    require_shapes(model, checkpoint.model, str(loaded.path))
    return loaded, checkpoint


def _largest_checkpoint(setup: Setup, model: Network) -> int:
    """Bytes of a checkpoint of this model, with what its optimizer remembers and its history, in float64, at most."""
    optimizer = setup.descent.optimizer
    copies = 8 + (2 * optimizer.history if optimizer.kind == "lbfgs" else 0)
    values: int = sum(tensor.numel() for tensor in model.state_dict().values())
    every = setup.experiment.logging.every
    points = setup.total_updates // every if every else 0  # by itself it records a thousand
    return MOST + 8 * (copies * values + MOST_COLUMNS * points)


def _check_architecture(saved: Mapping[str, Any], present: Mapping[str, Any], where: str) -> None:
    """Raise CheckpointError where a checkpoint's architecture is not that of now."""
    if repr(saved) == repr(present):
        return
    pairs = [(key, saved.get(key), present.get(key)) for key in {**present, **saved}]
    difference = ", ".join(
        f"{shown_key(key)} {_in_short(was)} became {_in_short(now)}"
        for key, was, now in pairs
        if repr(was) != repr(now)
    )
    raise CheckpointError(f"{where}: the checkpoint is of another model than config.yaml: {difference}")


def _in_short(value: Any) -> str:
    return shown_key(value) if isinstance(value, str) else shown(value)


@own_modes()
@memory_for("the run's network")
def load_run(run: Run | str | Path, runs_dir: str | Path = "runs") -> Run:
    """Open a run, also one that is still going on or was cut off.

    Its summary is then ``{"status": "unfinished", ...}``.  Where the newest checkpoint is damaged
    the one before it is used, with a warning.

    Args:
        run: its folder, or its name in ``runs_dir``; a ``Run`` is read again from its folder.

    Raises:
        CheckpointError: it is not a run, or what it holds is missing, damaged or of another model.
        OutOfMemoryError: the machine has not the memory.
    """
    directory = find_run(run.directory if isinstance(run, Run) else run, runs_dir)
    config, setup = run_config(directory)
    loaded, checkpoint = read_checkpoint(directory, setup)
    for damage in loaded.damaged:
        warnings.warn(f"{damage}; {loaded.path.name} is used in its place", stacklevel=2)
    _, model = build_model(setup, Region.unknown(setup))
    load_parameters(model, checkpoint.model, str(directory))
    summary = _summary(directory, setup.experiment.name, checkpoint.outcome.step)
    return Run(directory, model.eval(), summary, config, setup)


def _summary(directory: Path, name: str, step: int) -> dict[str, Any]:
    summary = read_summary(directory)
    if summary is None or summary.get("status") in ("unfinished", "failed"):
        return {**(summary or unfinished(directory, name)), "directory": str(directory), "steps": step, "metrics": {}}
    return {**summary, "directory": str(directory)}  # it may have been moved
