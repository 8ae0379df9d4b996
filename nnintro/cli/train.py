"""``nnintro train``: train a network."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nnintro import cli
from nnintro.cli import RUNS, Json, Name, Quiet, RunsDir, Set, emit
from nnintro.engines.world import World
from nnintro.errors import DivergedError
from nnintro.files import as_json
from nnintro.signals import SIGNALS


def train(
    config: Annotated[Path | None, typer.Argument(metavar="CONFIG", help="YAML file of the experiment.")] = None,
    set_: Set = None,
    name: Name = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with this run from its newest checkpoint.")
    ] = None,
    runs_dir: RunsDir = RUNS,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Train from N seeds, into one folder of runs.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="At most 256 samples and 20 updates, for a CI.")] = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network, log to TensorBoard, save the run."""
    options: dict[str, Any] = {
        "name": name,
        "resume": resume,
        "smoke_test": smoke,
        "quiet": quiet,
        "command": sys.argv,
        "signals": SIGNALS,
        "started": cli.started,
    }
    if seeds is not None:
        World.from_environment().require_alone("--seeds")
        _train_seeds(config, set_ or (), runs_dir, seeds, options, json_=json_)
        return
    from nnintro.training.train import launch

    try:
        result = launch(config, set_ or (), runs_dir, **options)
    except DivergedError as error:
        if json_ and error.summary is not None and not error.reported:
            emit(as_json(error.summary))
        raise
    if json_ and result.is_main:
        emit(as_json(result.run.summary))
    if result.signal is not None:
        raise typer.Exit(128 + signal.Signals(result.signal))


def _train_seeds(
    config: Path | None, overrides: Sequence[str], runs_dir: Path, seeds: int, options: dict[str, Any], *, json_: bool
) -> None:
    from nnintro.sweeps.seeds import train_seeds

    group = train_seeds(config, overrides, runs_dir, seeds=seeds, **options)
    if json_:
        emit(as_json(group.as_dict()))
    if group.signal is not None:
        raise typer.Exit(128 + signal.Signals(group.signal))
    if (error := group.diverged()) is not None:
        raise error
