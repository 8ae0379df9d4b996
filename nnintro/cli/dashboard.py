"""``nnintro dashboard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def dashboard(
    runs_dir: Annotated[Path, typer.Option(help="Folder of runs.")] = Path("runs"),
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port; 6006 or the next free one by default."),
    ] = None,
) -> None:
    """Show runs in TensorBoard, on 127.0.0.1, until Ctrl-C."""
    from nnintro.recording.dashboard import serve

    serve(runs_dir, port)
