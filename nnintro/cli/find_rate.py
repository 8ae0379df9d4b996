"""``nnintro find-rate``: a learning rate for a config."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import Json, Quiet, Set, emit, say
from nnintro.engines.world import World
from nnintro.errors import UsageError
from nnintro.files import as_json, require_place
from nnintro.signals import SIGNALS, Interrupts


def find_rate(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file of the experiment.")],
    set_: Set = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Picture; NAME-rates.png in this folder by default.")
    ] = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find a learning rate: a range test, then trainings at rates a factor of 2 apart."""
    if output is not None:
        if output.suffix.lower() != ".png":
            raise UsageError(f"{output}: the picture is a PNG; let --output end in .png")
        require_place(output)
    World.from_environment().require_alone("find-rate")
    # Only now what takes seconds to load.
    from nnintro.sweeps.find_rate import as_text, draw
    from nnintro.sweeps.find_rate import find_rate as find

    with Interrupts(SIGNALS) as interrupts:
        try:
            found = find(config, set_ or (), interrupted=interrupts, say=(lambda _: None) if quiet else say)
        except KeyboardInterrupt:
            raise typer.Exit(128 + (interrupts.received or 2)) from None
    for note in found.notes:
        say(f"note: {note}")
    picture = output or Path(f"{found.setup.experiment.name}-rates.png")
    draw(found, picture)
    emit(as_json(found.as_dict()) if json_ else as_text(found))
    if not quiet:
        say(f"picture: {picture}")
