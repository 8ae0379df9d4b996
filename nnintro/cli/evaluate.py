"""``nnintro evaluate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli.output import emit


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained run.")],
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A .csv, .tsv, .npy or .npz of inputs and targets, or a .yaml with a dataset; for "
            "a run on a table: such a table; on images: a folder with images/ and masks/. The "
            "run's own validation data by default.",
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure a trained run on its validation data or on other samples."""
    from nnintro.files import as_json
    from nnintro.predict.evaluate import evaluate as measure
    from nnintro.predict.report import as_table, heading, remarks

    found = measure(run, dataset)
    if json_:
        emit(as_json(found.as_dict()))
    else:
        print(heading(found), file=sys.stderr)
        emit(as_table(found))
    for remark in remarks(found):
        print(f"note: {remark}", file=sys.stderr)
