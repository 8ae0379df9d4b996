"""``nnintro export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli.output import emit
from nnintro.signals import leaving_tidily


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained run.")],
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="onnx|torch|safetensors", help="Kind of file."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The file; RUN's name and the format's suffix in RUN by default."),
    ] = None,
) -> None:
    """Write a trained network as a file for other programs, and check it."""
    from nnintro.exports import SUFFIXES, require_format
    from nnintro.files import chosen_format, require_place

    name = chosen_format(format_, output, SUFFIXES)
    require_format(name)
    if output is not None:
        require_place(output)
    # Only now what takes seconds to load.
    from nnintro.exports.export import default_path, write_export
    from nnintro.runs.run import load_run

    with leaving_tidily():
        loaded = load_run(run)
        path = output or default_path(loaded.directory, name)
        found = write_export(loaded, name, path)
    print(f"{path}: {found}", file=sys.stderr)
    emit(str(path))
