"""``nnintro predict``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli.interrupts import leaving_tidily


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained run.")],
    inputs: Annotated[
        str, typer.Argument(metavar="INPUTS", help="A .csv, .tsv or .npy; - for CSV on stdin.")
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write; stdout by default.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="csv|tsv|npy|jsonl",
            help="Format; by the suffix of --output, else csv, by default.",
        ),
    ] = None,
) -> None:
    """Predict every row of a file with a trained run."""
    from nnintro.inference.formats import prediction_format, require_place

    chosen = prediction_format(format_, output)
    if output is not None:
        require_place(output)
    # Only now what takes seconds to load.
    from nnintro.inference.columns import counted
    from nnintro.inference.predict import predict_file

    with leaving_tidily():
        rows = predict_file(run, inputs, output, chosen)
    if output is not None:
        print(f"{counted(rows, 'prediction')} in {output}", file=sys.stderr)
