"""``nnintro dashboard``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnintro.cli.common import RUNS, RunsDir


def dashboard(
    runs_dir: RunsDir = RUNS,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 6006 or the next free one by default.")
    ] = None,
) -> None:
    """Show runs in TensorBoard, on 127.0.0.1, until Ctrl-C."""
    from nnintro.recording.dashboard import serve

    serve(runs_dir, port)
