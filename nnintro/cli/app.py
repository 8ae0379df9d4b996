"""Register the commands, and turn an error into a message and an exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from nnintro import cli
from nnintro.cli import emit, say
from nnintro.cli.certify import certify
from nnintro.cli.construct import construct
from nnintro.cli.dashboard import dashboard
from nnintro.cli.evaluate import evaluate
from nnintro.cli.explain import explain
from nnintro.cli.export import export
from nnintro.cli.find_rate import find_rate
from nnintro.cli.init import init
from nnintro.cli.predict import predict
from nnintro.cli.runs import runs
from nnintro.cli.schema import schema
from nnintro.cli.sweep import sweep
from nnintro.cli.train import train
from nnintro.cli.validate import validate
from nnintro.errors import DataError, NnintroError, UsageError, memory_for
from nnintro.version import __version__
from nnintro.wording import cause, plain

app = typer.Typer(
    name="nnintro",
    help="Small neural networks from a YAML file: the introductory lecture, made runnable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    train, sweep, find_rate, validate, evaluate, predict, explain, export, construct, certify, runs, dashboard, schema,
    init,
):  # fmt: skip
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        emit(f"nnintro {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Small neural networks from a YAML file: the introductory lecture, made runnable."""


UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)
"""What a full disk, or one that fails, answers."""


def run(started: float) -> NoReturn:
    """Run the command line and leave with the right exit code."""
    cli.started = started
    if isinstance(sys.stdout, io.TextIOWrapper):  # an ASCII locale has no Umlaut: shown as an escape, it does not crash
        sys.stdout.reconfigure(errors="backslashreplace")
    # Of a warning a reader wants what it says, and not the line of code that says it.
    warnings.formatwarning = lambda message, *_, **__: f"warning: {plain(str(message))}\n"
    if sys.stderr is None:  # closed (`2>&-`): what is said to None would go to stdout, among data
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (for as long as the process lives)
    try:
        _require_folder()
        with memory_for("this command"):
            app(standalone_mode=True)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except NnintroError as error:
        if not error.reported:
            with contextlib.suppress(OSError):  # a terminal that has been closed
                say(error)
        code = error.exit_code
    except OSError as error:
        # The help pages are printed by typer itself; every other write reports its own error.
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        with contextlib.suppress(OSError):
            say(f"cannot write to stdout: {cause(error)}")
        code = DataError.exit_code
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    _leave(code)


def _require_folder() -> None:
    """Raise UsageError where the working folder was removed: below torch, MKL ends the process over that."""
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        raise UsageError("the working folder is gone: go to one that is there (cd), and try again") from None


def _leave(code: int) -> NoReturn:
    """End the process at once: everything is saved, and taking torch apart takes half a second."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        # A reader that has gone away (`| head`, a closed terminal) is not an error.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
