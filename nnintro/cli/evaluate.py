"""``nnintro evaluate``: measure a trained run."""

from __future__ import annotations

from typing import Annotated

import typer

from nnintro.cli import RUNS, Json, Run, RunsDir, Unseen, emit, say
from nnintro.files import as_json
from nnintro.runs.folder import find_run


def evaluate(
    run: Run,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A .csv, .tsv, .txt, .npy or .npz of inputs and targets, or a .yaml with a dataset; for "
            "a run on a table: such a table; on images: a folder with images/ and masks/. The "
            "run's own validation data by default.",
        ),
    ] = None,
    unseen: Unseen = None,
    runs_dir: RunsDir = RUNS,
    json_: Json = False,
) -> None:
    """Measure a trained run on its validation data or on other samples."""
    directory = find_run(run, runs_dir)
    # Only now what takes seconds to load.
    from nnintro.predict.evaluate import as_table, heading, remarks
    from nnintro.predict.evaluate import evaluate as measure

    evaluation = measure(directory, dataset, unseen=unseen)
    if json_:
        emit(as_json(evaluation.as_dict()))
    else:
        say(heading(evaluation))
        emit(as_table(evaluation))
    for remark in remarks(evaluation):
        say(f"note: {remark}")
