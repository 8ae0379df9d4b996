"""``nnintro validate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli.output import emit


def validate(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG", help="YAML files.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the configs."),
    ] = None,
) -> None:
    """Tell every problem of the configs, without training."""
    from nnintro.config.load import load_config
    from nnintro.config.notes import notes
    from nnintro.errors import ConfigError

    failed = False
    for path in configs:
        try:
            loaded = load_config(path, set_ or ())
        except ConfigError as error:
            failed = True
            print(error, file=sys.stderr)
            continue
        emit(f"{path}: ok")
        for note in notes(loaded.experiment):
            print(f"{path}: note: {note}", file=sys.stderr)
    if failed:
        raise typer.Exit(ConfigError.exit_code)
