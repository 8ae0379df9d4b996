"""``nnintro runs``: list runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nnintro.cli import RUNS, RunsDir, emit, say
from nnintro.files import as_json
from nnintro.wording import MOST_NAMED


def runs(
    runs_dir: RunsDir = RUNS,
    sort: Annotated[str, typer.Option(help="Column, metric or setting to sort by; '-' in front reverses.")] = "name",
    json_: Annotated[bool, typer.Option("--json", help="Print the summaries as JSON.")] = False,
) -> None:
    """List runs with their status, the settings in which they differ, metrics and time."""
    from nnintro.runs.listing import as_table, find_runs, in_order, with_settings

    listed = in_order(with_settings(find_runs(runs_dir)), sort)
    if json_:
        emit(as_json(listed))
    elif not listed:
        say(f"no runs in {runs_dir} yet")
    elif sys.stdout is not None:  # None where it is closed: then there is no width to fit into
        table, left_out = as_table(listed, runs_dir)
        emit(table)
        if left_out:
            more = f" and {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
            say(f"the runs also differ in {', '.join(left_out[:MOST_NAMED])}{more}; --json has them")
