"""Where a run begins: the config is read before torch is loaded, the figures' process beside it."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.config.experiment import smoke
from nnintro.config.load import Config, load_config

if TYPE_CHECKING:
    from nnintro.training.job import Result
    from nnintro.training.run import Run


def launch(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    runs_dir: str | Path = "runs",
    *,
    name: str | None = None,
    smoke_test: bool = False,
    quiet: bool = False,
    command: list[str] | None = None,
    signals: tuple[signal.Signals, ...] = (signal.SIGINT,),
    started: float | None = None,
) -> Result:
    """Read a config and run it (see ``job.run_job`` for what it raises, besides ConfigError)."""
    started = time.perf_counter() if started is None else started
    loaded = load_config(config, overrides, name)
    if smoke_test:
        loaded = Config(smoke(loaded.experiment), loaded.source)
    from nnintro.recording.painter import Painter

    painter = Painter() if loaded.experiment.logging.figures == "auto" else None
    try:
        # Loading torch takes seconds; matplotlib loads in the painter's process meanwhile.
        from nnintro.recording.console import Display
        from nnintro.training.job import Request, run_job

        display = Display(quiet=quiet)
        request = Request(loaded, Path(runs_dir), display, painter, started, command, signals)
        return run_job(request)
    finally:
        if painter is not None:
            painter.close()


def train(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    runs_dir: str | Path = "runs",
    *,
    name: str | None = None,
    smoke: bool = False,
    quiet: bool = True,
) -> Run:
    """Train a network as a config says.

    Args:
        config: path of a YAML file, or the same content as a dict.
        overrides: ``"training.epochs=50"`` and the like, laid over the config.
        runs_dir: where the run's folder is made.
        name: the run's name, in place of the config's.
        smoke: at most 256 samples and 20 updates, to see that everything works.
        quiet: show nothing while training.

    Raises:
        ConfigError: everything that is wrong with the config, each with its place.
        DataError: the data cannot be used.
        DivergedError: the loss left the finite numbers; the run is saved.
        CheckpointError: the run cannot be written.
        KeyboardInterrupt: after Ctrl-C, once the run is saved.
    """
    result = launch(config, overrides, runs_dir, name=name, smoke_test=smoke, quiet=quiet)
    if result.signal is not None:
        raise KeyboardInterrupt
    return result.run
