"""``nnintro dashboard``: show runs in TensorBoard."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnintro.cli import RUNS, RunsDir, say
from nnintro.errors import CheckpointError, UsageError
from nnintro.signals import FATAL, Interrupts

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""By which this machine calls itself."""


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

        def server(app: WSGIApplication, flags: Any) -> Any:
            return program.create_port_scanning_werkzeug_server(_asked_by_this_machine(app), flags)

        board = program.TensorBoard(server_class=server)
        arguments = ["tensorboard", "--logdir", str(runs_dir), "--host", "127.0.0.1"]
        arguments += ["--port", str(port)] if port is not None else []
        try:
            board.configure(argv=arguments)
            address: str = board.launch()
        except program.TensorBoardServerException as error:
            reason = " ".join(error.msg.split())
            raise UsageError(f"TensorBoard does not start: {reason}") from error
    return address


def _asked_by_this_machine(app: WSGIApplication) -> WSGIApplication:
    """The same, but for requests of another host's name.

    A page on the web may let a name of its own lead to 127.0.0.1, and so read what is served there (DNS rebinding).
    """

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        host = str(environ.get("HTTP_HOST", "")).rpartition("@")[2]
        name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        if name.lower() in HOSTS:
            return app(environ, start)
        start("421 Misdirected Request", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"this page is for this machine: http://127.0.0.1\n"]

    return answer
