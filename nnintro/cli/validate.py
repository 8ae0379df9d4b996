"""``nnintro validate``: report every problem of configs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import Set, emit, say
from nnintro.errors import ConfigError

NOT_LOOKED_AT = "rules that depend on the data were not checked: training reads the files first"


def validate(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG", help="YAML files.")], set_: Set = None
) -> None:
    """Report every problem of the configs, without training."""
    from nnintro.config.load import load_config

    failed = False
    for path in configs:
        try:
            loaded = load_config(path, set_ or ())
        except ConfigError as error:
            failed = True
            say(error)
            continue
        emit(f"{path}: ok")
        is_known = loaded.experiment.dataset.facts is not None
        for note in loaded.setup().notes() if is_known else [NOT_LOOKED_AT]:
            say(f"{path}: note: {note}")
    if failed:
        raise typer.Exit(ConfigError.exit_code)
