"""``nnintro explain``: one update with all its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import RUNS, Json, RunsDir, Set, emit, say
from nnintro.errors import NnintroError
from nnintro.files import as_json


def explain(
    config_or_run: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|RUN",
            help="A YAML file: its first update. A run's folder, or its name in --runs-dir: its next one.",
            show_default=False,
        ),
    ],
    sample: Annotated[
        int | None, typer.Option(metavar="I", help="Number of a training sample, from 0, that alone makes the update.")
    ] = None,
    updates: Annotated[int, typer.Option(metavar="N", min=1, help="How many updates, one after the other.")] = 1,
    set_: Set = None,
    runs_dir: RunsDir = RUNS,
    json_: Json = False,
) -> None:
    """Show how gradients are computed: one update, number by number."""
    from nnintro.explain import found

    place = found(config_or_run, runs_dir)
    # Only now what takes seconds to load.
    from nnintro.explain.explain import explain as computed
    from nnintro.explain.text import as_text

    explanation = computed(place, set_ or (), sample=sample, updates=updates)
    emit(as_json(explanation.as_dict()) if json_ else as_text(explanation))
    for note in explanation.subject.notes:
        say(f"note: {note}")
    if explanation.failed is not None:
        raise NnintroError(explanation.failed)
