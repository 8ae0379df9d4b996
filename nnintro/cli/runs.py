"""``nnintro runs``: list runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nnintro.cli import RUNS, RunsDir, emit, say
from nnintro.files import as_json


def runs(
    runs_dir: RunsDir = RUNS,
    sort: Annotated[str, typer.Option(help="Column or metric to sort by; '-' in front reverses.")] = "name",
    json_: Annotated[bool, typer.Option("--json", help="Print the summaries as JSON.")] = False,
) -> None:
    """List runs with their status, metrics and time."""
    from nnintro.runs.listing import as_table, find_runs, in_order

    listed = in_order(find_runs(runs_dir), sort)
    if json_:
        emit(as_json(listed))
    elif not listed:
        say(f"no runs in {runs_dir} yet")
    elif sys.stdout is not None:  # None where it is closed: then there is no width to fit into
        emit(as_table(listed, runs_dir))
