"""``nnintro construct``: build the smallest network of steps for a formula."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro import cli
from nnintro.cli import RUNS, Name, Quiet, RunsDir, Set, emit, say
from nnintro.files import as_json
from nnintro.signals import SIGNALS, leaving_tidily


def construct(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file whose dataset is a formula.")],
    error: Annotated[
        float | None, typer.Option(metavar="E", help="How far from the formula at most; 0.05 by default.")
    ] = None,
    neurons: Annotated[
        int | None, typer.Option(metavar="N", help="In its place: the best network of so many neurons.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Build and train networks of several sizes beside it.")
    ] = False,
    set_: Set = None,
    name: Name = None,
    runs_dir: RunsDir = RUNS,
    json_: Annotated[bool, typer.Option("--json", help="Print the certificate as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Build the smallest network of steps for a formula, and prove its error."""
    from nnintro.constructions.construct import construct as build
    from nnintro.constructions.construct import in_words

    with leaving_tidily():
        constructed = build(
            config,
            set_ or (),
            runs_dir,
            error=error,
            neurons=neurons,
            compare_sizes=compare,
            name=name,
            quiet=quiet,
            command=sys.argv,
            signals=SIGNALS,
            started=cli.started,
        )
    if not quiet:
        say(in_words(constructed))
    if json_:
        emit(as_json(constructed.certificate))
