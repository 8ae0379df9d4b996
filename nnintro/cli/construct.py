"""``nnintro construct``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import output as clock
from nnintro.cli.output import emit


def construct(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="YAML file whose dataset is a formula.")
    ],
    error: Annotated[
        float | None,
        typer.Option(metavar="E", help="How far from the formula at most; 0.05 by default."),
    ] = None,
    neurons: Annotated[
        int | None,
        typer.Option(metavar="N", help="In its place: the best network of so many neurons."),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Build and train networks of several sizes beside it."),
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the config; repeatable."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    runs_dir: Annotated[Path, typer.Option(help="Folder that runs land in.")] = Path("runs"),
    json_: Annotated[bool, typer.Option("--json", help="Print the certificate as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Build the smallest network of steps for a formula, and prove its error."""
    from nnintro.constructions.construct import construct as build
    from nnintro.constructions.construct import in_words
    from nnintro.files import as_json
    from nnintro.signals import SIGNALS

    found = build(
        config,
        set_ or (),
        runs_dir,
        error=error,
        neurons=neurons,
        compare_sizes=compare,
        name=name,
        quiet=quiet,
        command=sys.argv,
        signals=tuple(SIGNALS),
        started=clock.started,
    )
    if not quiet:
        print(in_words(found), file=sys.stderr)
    if json_:
        emit(as_json(found.certificate))
