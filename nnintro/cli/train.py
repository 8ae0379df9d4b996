"""``nnintro train``: train a network."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro import cli
from nnintro.cli import RUNS, Json, Name, Quiet, RunsDir, Set, emit
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
    smoke: Annotated[bool, typer.Option("--smoke", help="At most 256 samples and 20 updates, for a CI.")] = False,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network, log to TensorBoard, save the run."""
    from nnintro.training.train import launch

    try:
        result = launch(
            config,
            set_ or (),
            runs_dir,
            name=name,
            resume=resume,
            smoke_test=smoke,
            quiet=quiet,
            command=sys.argv,
            signals=SIGNALS,
            started=cli.started,
        )
    except DivergedError as error:
        if json_ and error.summary is not None and not error.reported:
            emit(as_json(error.summary))
        raise
    if json_ and result.is_main:
        emit(as_json(result.run.summary))
    if result.signal is not None:
        raise typer.Exit(128 + signal.Signals(result.signal))
