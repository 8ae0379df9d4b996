"""``nnintro predict``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro.files import takes_images
from nnintro.signals import leaving_tidily


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained run.")],
    inputs: Annotated[
        str,
        typer.Argument(
            metavar="INPUTS",
            help="A .csv, .tsv, .parquet, .npz or .npy; - for CSV on stdin; an image or a folder.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where to write; stdout by default. Of images: a folder."
        ),
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
    """Predict every row of a file, or every pixel of images, with a trained run."""
    if takes_images(run):
        _images(run, Path(inputs), output, format_)
        return
    from nnintro.files import prediction_format, require_place

    chosen = prediction_format(format_, output)
    if output is not None:
        require_place(output)
    # Only now what takes seconds to load.
    from nnintro.predict.rows import predict_file
    from nnintro.wording import counted

    with leaving_tidily():
        notes: list[str] = []
        found = predict_file(run, inputs, output, chosen, notes.append)
    if output is not None:
        print(f"{counted(found, 'prediction')} in {output}", file=sys.stderr)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def _images(run: Path, inputs: Path, output: Path | None, format_: str | None) -> None:
    from nnintro.errors import UsageError

    if output is None:
        raise UsageError("masks are files: say with --output into which folder")
    if format_ is not None:
        raise UsageError("--format is of tables; masks are PNG")
    from nnintro.predict.images import predict_images
    from nnintro.wording import counted

    with leaving_tidily():
        found = predict_images(run, inputs, output)
    points = "" if found.points is None else f", {counted(found.points, 'point')}"
    print(f"{counted(found.images, 'mask')}{points} in {output}", file=sys.stderr)
