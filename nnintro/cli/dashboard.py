"""``nnintro dashboard``: show runs in TensorBoard."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from pathlib import Path
from typing import Annotated

import typer

from nnintro.cli import RUNS, RunsDir, say
from nnintro.errors import CheckpointError, UsageError
from nnintro.signals import FATAL, Interrupts


def dashboard(
    runs_dir: RunsDir = RUNS,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 6006 or the next free one by default.")
    ] = None,
) -> None:
    """Show runs in TensorBoard, on 127.0.0.1, until Ctrl-C."""
    if not runs_dir.is_dir():
        raise CheckpointError(f"{runs_dir}: no such folder of runs; train something first")
    # Ctrl-C and SIGTERM are how a dashboard is meant to end, so it returns as from any other work done.
    with Interrupts(FATAL) as stop:
        print(_start(runs_dir, port), flush=True)
        say("TensorBoard runs until Ctrl-C")
        stop.wait()
    say("stopped")


def _start(runs_dir: Path, port: int | None) -> str:
    """Start TensorBoard; returns its address. Raises UsageError where the port is taken."""
    # TensorBoard says on every start that TensorFlow is not installed and that its loading is
    # new; real problems it raises.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        from tensorboard import program

        board = program.TensorBoard()
        arguments = ["tensorboard", "--logdir", str(runs_dir), "--host", "127.0.0.1"]
        arguments += ["--port", str(port)] if port is not None else []
        try:
            board.configure(argv=arguments)
            address: str = board.launch()
        except program.TensorBoardServerException as error:
            reason = " ".join(error.msg.split())
            raise UsageError(f"TensorBoard does not start: {reason}") from error
    return address
