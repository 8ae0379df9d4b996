"""``nnintro export``: write a trained network as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import RUNS, Run, RunsDir, emit, say
from nnintro.files import chosen_format, require_place
from nnintro.runs.folder import find_run
from nnintro.signals import leaving_tidily


def export(
    run: Run,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="onnx|torch|safetensors", help="Kind of file.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The file; RUN's name and the format's suffix in RUN by default.")
    ] = None,
    runs_dir: RunsDir = RUNS,
) -> None:
    """Write a trained network as a file for other programs, and check it."""
    from nnintro.exports import SUFFIXES, require_format

    directory = find_run(run, runs_dir)
    name = chosen_format(format_, output, SUFFIXES)
    require_format(name)
    if output is not None:
        require_place(output)
    # Only now what takes seconds to load.
    from nnintro.exports.export import default_path, write_export
    from nnintro.runs.run import load_run

    with leaving_tidily():
        loaded = load_run(directory)
        path = output or default_path(directory, name)
        agreement = write_export(loaded, name, path)
    say(f"{path}: {agreement}")
    emit(str(path))
