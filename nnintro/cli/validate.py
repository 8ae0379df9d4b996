"""``nnintro validate``: report every problem of configs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import Set, emit, say
from nnintro.errors import NnintroError

NOT_LOOKED_AT = "rules that depend on the data were not checked; --data reads it"


def validate(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG", help="YAML files.")],
    set_: Set = None,
    data: Annotated[bool, typer.Option("--data", help="Read the data, too, and report its problems.")] = False,
) -> None:
    """Report every problem of the configs, without training."""
    failed: list[int] = []
    for path in configs:
        try:
            fact, notes = _checked(path, set_ or (), data=data)
        except NnintroError as error:
            failed.append(error.exit_code)
            say(error)
            continue
        emit(f"{path}: ok{fact}")
        for note in notes:
            say(f"{path}: note: {note}")
    if failed:
        raise typer.Exit(failed[0])


def _checked(path: Path, overrides: Sequence[str], *, data: bool) -> tuple[str, list[str]]:
    """What is known of the data, and notes.

    Raises:
        NnintroError: the config, or its data, cannot be used.
    """
    from nnintro.config.load import SweepOptions, load_config

    loaded = load_config(path, overrides, sweep=SweepOptions())
    if data:
        from nnintro.training.train import look_at_data

        fact, notes = look_at_data(loaded)
        return f"; {fact}", notes
    is_known = loaded.experiment.dataset.facts is not None
    return "", loaded.setup().notes() if is_known else [NOT_LOOKED_AT]
