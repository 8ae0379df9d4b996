"""``nnintro sweep``: many trainings of a config, with other values of some keys."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import RUNS, Json, Quiet, RunsDir, Set, emit
from nnintro.engines.world import World
from nnintro.files import as_json
from nnintro.signals import SIGNALS


def sweep(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="YAML file with a sweep section, or any with --over.")
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUES", help="a,b,c or 0..1 or log:1e-4..1; takes the place of the file's."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Each trial is the mean over so many seeds.")] = None,
    trials: Annotated[int | None, typer.Option(help="How many trials random and tpe make.")] = None,
    sampler: Annotated[str | None, typer.Option(help="grid, random or tpe.")] = None,
    objective: Annotated[str | None, typer.Option(metavar="METRIC", help="What trials are compared by.")] = None,
    map_: Annotated[
        tuple[str, str] | None,
        typer.Option("--map", metavar="KEY1 KEY2", help="A grid over two of the keys, about a thousand trainings."),
    ] = None,
    keep: Annotated[int | None, typer.Option(help="How many of the best trials to keep as runs.")] = None,
    workers: Annotated[int | None, typer.Option(help="Threads that train; as many as cores by default.")] = None,
    storage: Annotated[
        str | None, typer.Option(metavar="URL", help="A database that several machines take trials from.")
    ] = None,
    set_: Set = None,
    name: Annotated[str | None, typer.Option(help="Name of the sweep.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="NAME", help="Go on with a sweep that was cut off.")] = None,
    runs_dir: RunsDir = RUNS,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a config many times with other values, and compare."""
    World.from_environment().require_alone("sweep")
    from nnintro.config.load import SweepOptions
    from nnintro.sweeps.password import hide_in_command_line
    from nnintro.sweeps.request import SweepRequest
    from nnintro.sweeps.sweep import run_sweep

    if storage is not None:
        hide_in_command_line(storage)
    settings = {"seeds": seeds, "trials": trials, "sampler": sampler, "objective": objective, "keep": keep}
    request = SweepRequest(
        config,
        SweepOptions(over or (), settings),
        set_ or (),
        runs_dir,
        name=name,
        resume=resume,
        workers=workers,
        storage=storage,
        map_keys=map_,
        quiet=quiet,
        signals=SIGNALS,
    )
    ended = run_sweep(request)
    if json_:
        emit(as_json(ended.summary))
    if ended.signal is not None:
        raise typer.Exit(128 + signal.Signals(ended.signal))
