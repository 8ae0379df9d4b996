"""One file per command; this file holds what they share: common options, and writing data to stdout."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from nnintro.errors import DataError
from nnintro.wording import cause, plain

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or its name in --runs-dir.")]
RunsDir = Annotated[Path, typer.Option(help="Folder of runs.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the config; repeatable.")
]
Name = Annotated[str | None, typer.Option(help="Name of the run.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")]
Unseen = Annotated[
    Literal["zeros", "error"] | None,
    typer.Option(
        help="Of a run on a table: categories that training did not have; as the run's config says by default."
    ),
]
RUNS = Path("runs")
"""The folder of runs where --runs-dir names no other."""
started: float | None = None
"""time.perf_counter() when nnintro's first line ran; None when used from within Python."""


def emit(text: str) -> None:
    """Print data to stdout; a reader that closes the pipe early is not an error.

    Raises:
        DataError: it cannot be written; the disk that it goes to is full, say.
    """
    try:
        # `nnintro runs | head -1` closes the pipe while there is still something to print.
        with contextlib.suppress(BrokenPipeError):
            print(plain(text), flush=True)
    except OSError as error:
        raise DataError(f"cannot write to stdout: {cause(error)}") from error


def say(text: object) -> None:
    """Print a line to a reader, on stderr."""
    print(plain(str(text)), file=sys.stderr)
