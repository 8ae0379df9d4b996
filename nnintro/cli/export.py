"""``nnintro export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli.output import emit


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
    from nnintro.inference.export_formats import choose_format, require_package, require_place

    name = choose_format(format_, output)
    require_package(name)
    if output is not None:
        require_place(output)
    # Only now what takes seconds to load.
    from nnintro.inference.export import default_path, write_export
    from nnintro.training.run import load_run

    loaded = load_run(run)
    path = output or default_path(loaded.directory, name)
    print(f"{path}: {write_export(loaded, name, path)}", file=sys.stderr)
    emit(str(path))
