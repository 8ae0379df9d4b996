"""The command line: which commands there are, and how an error becomes a message and a code."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from nnintro.cli import clock
from nnintro.cli.dashboard import dashboard
from nnintro.cli.init import init
from nnintro.cli.runs import runs
from nnintro.cli.schema import schema
from nnintro.cli.train import train
from nnintro.cli.validate import validate
from nnintro.errors import NnintroError
from nnintro.version import __version__

app = typer.Typer(
    name="nnintro",
    help="Small neural networks from a YAML file: the introductory lecture, made runnable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, validate, schema, init, runs, dashboard):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"nnintro {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Small neural networks from a YAML file: the introductory lecture, made runnable."""


def run(started: float) -> NoReturn:
    """Run the command line and leave with the right exit code."""
    clock.started = started
    try:
        app(standalone_mode=True)
    except NnintroError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        _leave_quietly()
    sys.exit(0)


def _leave_quietly() -> NoReturn:
    """Whoever read our output has enough of it (``| head``): no fault, and nothing more to say."""
    # Python flushes stdout once more on its way out, which would fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)
