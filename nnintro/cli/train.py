"""``nnintro train``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nnintro.cli import output as clock
from nnintro.cli.output import emit


def train(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="YAML file of the experiment.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the config; repeatable."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with this run from its newest checkpoint."),
    ] = None,
    runs_dir: Annotated[Path, typer.Option(help="Folder that runs land in.")] = Path("runs"),
    smoke: Annotated[
        bool, typer.Option("--smoke", help="At most 256 samples and 20 updates, for a CI.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Train a network, log to TensorBoard, save the run."""
    from nnintro.errors import DivergedError
    from nnintro.signals import SIGNALS
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
            signals=tuple(SIGNALS),
            started=clock.started,
        )
    except DivergedError as error:
        if error.summary is not None:
            _print_summary(error.summary, wanted=json_)
        raise
    _print_summary(result.run.summary, wanted=json_)
    if result.signal is not None:
        raise typer.Exit(128 + signal.Signals(result.signal))


def _print_summary(summary: dict[str, Any], *, wanted: bool) -> None:
    if wanted:
        from nnintro.files import as_json

        emit(as_json(summary))
