"""``nnintro.train``: read the config before torch is loaded, then start the drawing process and the run."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnintro.config.load import Config, load_config
from nnintro.engines.world import World
from nnintro.errors import DivergedError, UsageError
from nnintro.runs.reopen import Reopened, reopen
from nnintro.wording import listing

if TYPE_CHECKING:
    from nnintro.config.training import Training
    from nnintro.recording.painter import Painter
    from nnintro.runs.run import Run
    from nnintro.training.follow import Result


def launch(
    config: str | Path | Mapping[str, Any] | None,
    overrides: Sequence[str] = (),
    runs_dir: str | Path = "runs",
    *,
    name: str | None = None,
    resume: str | Path | None = None,
    smoke_test: bool = False,
    quiet: bool = False,
    command: list[str] | None = None,
    signals: tuple[signal.Signals, ...] = (signal.SIGINT,),
    started: float | None = None,
) -> Result:
    """Read a config and run it (see ``job.run_job`` for what it raises, besides ConfigError)."""
    started = time.perf_counter() if started is None else started
    with World.from_environment().joined() as world:

        def read() -> tuple[Config, Reopened | None]:
            begun = world.remembered() if resume is None else None
            if begun is not None:  # its config has the overrides in it
                return _read(None, (), Path(runs_dir), None, begun, smoke_test)
            return _read(config, overrides, Path(runs_dir), name, resume, smoke_test)

        loaded, reopened = world.from_main(read, _unlocked)
        return _train(loaded, reopened, Path(runs_dir), world, started, command, signals, quiet=quiet)


def _unlocked(read: tuple[Config, Reopened | None]) -> tuple[Config, Reopened | None]:
    """What the processes get that write nothing."""
    loaded, reopened = read
    return loaded, None if reopened is None else replace(reopened, lock=None)


def _train(
    loaded: Config,
    reopened: Reopened | None,
    runs_dir: Path,
    world: World,
    started: float,
    command: list[str] | None,
    signals: tuple[signal.Signals, ...],
    *,
    quiet: bool,
) -> Result:
    painter: Painter | None = None
    try:
        if reopened is not None and (reopened.is_over or reopened.would_diverge):
            from nnintro.training.follow import unrecorded

            over = reopened
            return world.from_main(lambda: _nothing_to_do(over, quiet=quiet), unrecorded)
        if loaded.experiment.logging.figures == "auto" and world.is_main:
            # Loading torch takes seconds; matplotlib loads in the painter's process meanwhile.
            from nnintro.recording import painter as painting

            painter = painting.Painter()
        from nnintro.recording.console import Display
        from nnintro.training.job import Request, run_job

        display = Display(quiet=quiet or not world.is_main)
        return run_job(Request(loaded, runs_dir, display, painter, started, command, signals, reopened, world))
    finally:
        if painter is not None:
            painter.close()
        if reopened is not None and reopened.lock is not None:
            reopened.lock.close()


def look_at_data(config: Config) -> tuple[str, list[str]]:
    """Read the data and build all that a training is made of, without an update.

    Returns:
        What the data is, and what the user should know of it and of the config.

    Raises:
        ConfigError: it asks for something that does not go with the data.
        DataError: the data cannot be read or used.
        OutOfMemoryError: the machine does not have the memory.
    """
    from nnintro.models.forward import own_modes
    from nnintro.training.setup import assemble, build_data
    from nnintro.training.words import data_fact, notes

    with own_modes(), config.locating():
        splits = build_data(config.experiment)
        setup = config.setup(splits.found)
        parts = assemble(setup, splits)
        return data_fact(setup, parts), notes(setup, parts)


def _read(
    config: str | Path | Mapping[str, Any] | None,
    overrides: Sequence[str],
    runs_dir: Path,
    name: str | None,
    resume: str | Path | None,
    smoke_test: bool,
) -> tuple[Config, Reopened | None]:
    """The config of a run that begins, or of the one to resume, which is locked then."""
    if resume is None:
        if config is None:
            raise UsageError("expected a config to train, or a run to resume")
        loaded = load_config(config, overrides, name)
        return loaded.smoked() if smoke_test else loaded, None
    if name is not None:
        raise UsageError("a run that is resumed keeps its name: expected either a name or a run")
    reopened = reopen(resume, runs_dir, config, overrides, smoke_test=smoke_test)
    return reopened.config, reopened


def _nothing_to_do(reopened: Reopened, *, quiet: bool) -> Result:
    """A run that is over says so; one that diverged raises, for it would do so again.

    Raises:
        UsageError: changes are asked for from which nothing would follow.
    """
    from nnintro.recording.console import Display
    from nnintro.runs.checkpoint import has_checkpoint
    from nnintro.runs.run import load_run
    from nnintro.training.follow import Result

    summary, directory = reopened.summary, reopened.directory
    experiment = reopened.config.experiment
    if reopened.would_diverge:
        rate = f"--set descent.learning_rate={experiment.descent.learning_rate / 10:g}"
        steps = summary.get("steps")
        earlier = isinstance(steps, int) and has_checkpoint(directory, before=steps)
        how = (
            f"to go on from the checkpoint before that: {rate}"
            if earlier
            else (f"begin a new run with a smaller learning rate: {rate}")
        )
        message = f"{directory} diverged after {steps} updates, and would again; {how}"
        raise DivergedError(message, directory, summary)
    ended = f"{directory} is finished: {summary['status']} after {summary.get('steps')} updates"
    longer = f"--resume {directory} --set training.{_longer(experiment.training)}"
    if reopened.changes:
        raise UsageError(f"{ended}, without more of them nothing follows from {listing(reopened.changes)}; {longer}")
    display = Display(quiet=quiet)
    display.line(ended)
    display.line(f"to train on: {longer}")
    return Result(load_run(directory), None)


def _longer(training: Training) -> str:
    """What makes a run of such a length longer."""
    if training.steps is None and training.epochs is not None:
        return f"epochs={2 * training.epochs or 200}"
    return f"steps={2 * (training.steps or 500)}"


def train(
    config: str | Path | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    runs_dir: str | Path = "runs",
    *,
    name: str | None = None,
    resume: str | Path | None = None,
    smoke: bool = False,
    quiet: bool = True,
) -> Run:
    """Train a network as a config says, or go on with a run.

    Args:
        config: path of a YAML file, or the same content as a dict; with ``resume`` it may be left
            out, and is otherwise compared with the run's.
        overrides: ``"training.epochs=50"`` and the like, laid over the config.
        runs_dir: where the run's folder is made.
        name: the run's name, in place of the config's.
        resume: a run's folder (or its name in ``runs_dir``) to go on with from its newest
            checkpoint; one that is finished is returned as it is.
        smoke: at most 256 samples and 20 updates, to see that everything works.
        quiet: show nothing while training.

    Raises:
        ConfigError: everything that is wrong with the config, each with its place.
        DataError: the data cannot be used.
        DivergedError: the loss left the finite numbers; the run is saved.
        CheckpointError: the run cannot be written, or not resumed.
        UsageError: neither a config nor a run is given, or a name for a run that has one, or changes to a finished run
            from which nothing would follow.
        KeyboardInterrupt: after Ctrl-C, once the run is saved; a handler of SIGINT that the caller has installed is
            left in its place, and is the only one to hear of it.
    """
    is_ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    result = launch(
        config,
        overrides,
        runs_dir,
        name=name,
        resume=resume,
        smoke_test=smoke,
        quiet=quiet,
        signals=(signal.SIGINT,) if is_ours else (),
    )
    if result.signal is not None:
        raise KeyboardInterrupt
    return result.run
