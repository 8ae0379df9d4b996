"""``nnintro predict``: predict the rows of a file or the pixels of images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import RUNS, Run, RunsDir, Unseen, say
from nnintro.errors import UsageError
from nnintro.files import require_place
from nnintro.runs.folder import find_run
from nnintro.signals import leaving_tidily
from nnintro.wording import counted


def predict(
    run: Run,
    inputs: Annotated[
        str,
        typer.Argument(
            metavar="INPUTS",
            help="A .csv, .tsv or .txt, - for CSV on stdin; for a run on a table also .parquet or .npz, for other "
            "rows .npy; for a run on images: an image or a folder.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write; stdout by default. Of images: a folder.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="csv|tsv|npy|jsonl", help="Format; by the suffix of --output, else csv, by default."
        ),
    ] = None,
    spreadsheet_safe: Annotated[
        bool, typer.Option(help="Of csv and tsv: put ' before texts that a spreadsheet would compute (=, +, -, @).")
    ] = False,
    unseen: Unseen = None,
    runs_dir: RunsDir = RUNS,
) -> None:
    """Predict every row of a file, or every pixel of images, with a trained run."""
    from nnintro.runs.data import takes_images

    directory = find_run(run, runs_dir)
    if takes_images(directory):
        if spreadsheet_safe:
            raise UsageError("--spreadsheet-safe applies to csv and tsv only; masks are PNG files")
        if unseen is not None:
            raise UsageError("--unseen applies to runs on tables, whose columns may be categories")
        _images(directory, Path(inputs), output, format_)
    else:
        _rows(directory, inputs, output, format_, unseen, safe=spreadsheet_safe)


def _rows(
    directory: Path, inputs: str, output: Path | None, format_: str | None, unseen: Unseen, *, safe: bool
) -> None:
    from nnintro.predict import format_of

    chosen = format_of(format_, output)
    if safe and chosen not in ("csv", "tsv"):
        raise UsageError(f"--spreadsheet-safe applies to csv and tsv only, not to {chosen}")
    if output is not None:
        require_place(output)
    # Only now what takes seconds to load.
    from nnintro.predict.rows import predict_file

    notes: list[str] = []
    with leaving_tidily():
        count = predict_file(directory, inputs, output, chosen, say=notes.append, spreadsheet_safe=safe, unseen=unseen)
    if output is not None:
        say(f"{counted(count, 'prediction')} in {output}")
    for note in notes:
        say(f"note: {note}")


def _images(directory: Path, inputs: Path, output: Path | None, format_: str | None) -> None:

    if output is None:
        raise UsageError("images are predicted as mask files: give --output FOLDER")
    if format_ is not None:
        raise UsageError("--format applies to tables only; masks are PNG files")
    from nnintro.predict.images import predict_images

    with leaving_tidily():
        written = predict_images(directory, inputs, output)
    points = "" if written.points is None else f", {counted(written.points, 'point')}"
    say(f"{counted(written.images, 'mask')}{points} in {output}")
