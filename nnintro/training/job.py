"""One run from start to end: build, train, record, save, and report the result."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnintro.config.experiment import Setup
from nnintro.config.load import Config
from nnintro.engines.world import ALONE, World
from nnintro.errors import DivergedError, OutOfMemoryError, UsageError, memory_for
from nnintro.models import parameter_count
from nnintro.models.forward import own_modes, threads, threads_for
from nnintro.recording.console import Display
from nnintro.recording.painter import Painter
from nnintro.recording.recorder import Recorder
from nnintro.runs.data import data_text
from nnintro.runs.data_files import config_text
from nnintro.runs.environment import NAME as ENVIRONMENT
from nnintro.runs.environment import write_environment
from nnintro.runs.folder import CONFIG, DATA, RunLock, tidy, write_config
from nnintro.runs.reopen import Reopened, run_config
from nnintro.runs.run import Run
from nnintro.runs.state import Checkpoint, Outcome, Past
from nnintro.runs.summary import OVER, failed, summarize, unfinished, write_summary
from nnintro.signals import Interrupts
from nnintro.training import words
from nnintro.training.checkpointer import Checkpointer, capture
from nnintro.training.dead import dead_layers
from nnintro.training.findings import each_target, findings
from nnintro.training.follow import Result, anywhere, follow, restored, unrecorded
from nnintro.training.hint import divergence
from nnintro.training.looks import histogram_moments, sketch_moments
from nnintro.training.loop import Loop
from nnintro.training.setup import Parts, assemble
from nnintro.training.sketches import Pictures
from nnintro.training.start import Start, data_of, find_start, opened_folder, origin
from nnintro.wording import counted


@dataclass(frozen=True)
class Request:
    """What is to be run, and how it is to be shown."""

    config: Config
    runs_dir: Path
    display: Display
    painter: Painter | None
    started: float
    """time.perf_counter() when the command began."""
    command: list[str] | None = None
    signals: tuple[signal.Signals, ...] = (signal.SIGINT,)
    reopened: Reopened | None = None
    """The run that is to go on; None begins one."""
    world: World = ALONE
    """The processes that share the updates; the first one records."""


def run_job(request: Request) -> Result:
    """Train as the config says and leave a complete run directory.

    Raises:
        ConfigError: something only the machine or the data can tell is wrong with the config.
        DataError: the data cannot be read or used.
        DivergedError: the loss left the finite numbers; everything was saved before.
        CheckpointError: the run cannot be written, or not taken up again.
        OutOfMemoryError: the machine has not the memory; the run has the status ``failed``, and can go on.
    """
    display, world = request.display, request.world
    with own_modes(), Interrupts(list(request.signals)) as interrupts:
        with request.config.locating():
            setup, splits = data_of(request.config, request.reopened, display.warn, world)
            _require_work(setup, world, display.warn)
            start = world.from_main(lambda: find_start(request.reopened, setup, display.warn))
            saved = None if start.checkpoint is None else start.checkpoint.model or {}
            with world.agreeing():
                parts = assemble(setup, splits, saved, start.where, display.line, interrupts, world)
        count = threads_for(parts.network, parts.plan.batch_size)
        if not world.is_main:
            with threads(count):
                return follow(parts, start, interrupts)
        opened = opened_folder(setup, request.runs_dir, request.reopened, splits, display.warn)
        with threads(count), opened as (folder, lock):
            world.remember(str(folder.absolute()))
            return _Job(request, setup, parts, interrupts, start, folder, lock).run()


def _require_work(setup: Setup, world: World, warn: Callable[[str], None]) -> None:
    """Raise UsageError where there are more processes than samples; warn where some have nothing to do."""
    samples, batch = setup.training_samples, min(setup.batch_size, setup.training_samples)
    with world.agreeing():
        if world.size > samples:
            raise UsageError(
                f"WORLD_SIZE: {world.size} processes are to share {counted(samples, 'training sample')}; "
                f"start {samples} at most"
            )
    if world.size > batch:
        warn(
            f"descent.batch_size: with {counted(batch, 'sample')} at a time only {batch} of {world.size} processes "
            "have something to compute"
        )


class _Job:
    def __init__(
        self,
        request: Request,
        setup: Setup,
        parts: Parts,
        interrupts: Interrupts,
        start: Start,
        directory: Path,
        lock: RunLock,
    ) -> None:
        self.request, self.parts = request, parts
        self.setup = setup
        self.interrupts, self.start = interrupts, start
        self.directory, self.lock, self.past = directory, lock, start.past
        earlier = {} if request.reopened is None else request.reopened.summary
        self.smoke = request.config.is_smoke or earlier.get("smoke") is True
        self.display = request.display
        self.task, self.loss_name = setup.task, setup.loss_name
        self.total = setup.total_updates
        self.evaluator = parts.evaluator

    def run(self) -> Result:
        outcome = restored(self.start, self.parts)  # before a file is touched: it may be refused
        recorder = self._recorder()
        try:
            self._open(recorder, outcome)
            self.startup = time.perf_counter() - self.request.started
            with memory_for(self.parts.need):
                if outcome is None or not self.start.concluded:
                    outcome = self._loop(recorder).run(outcome)
                self.display.stop()
                last = outcome
                return self.request.world.from_main(lambda: self._close(recorder, last), unrecorded)
        except BaseException as error:
            self.display.stop()
            recorder.abandon()
            if isinstance(error, OutOfMemoryError):
                write_summary(self.directory, failed(self.directory, self.setup.experiment.name, str(error)))
            raise

    # --- beginning -----------------------------------------------------------------------------

    def _recorder(self) -> Recorder:
        setup, logging = self.setup, self.setup.experiment.logging
        pictures = Pictures(self.parts.model, setup, self.parts.splits)
        return Recorder(
            directory=self.directory,
            tags=self.parts.tags,
            display=self.display,
            painter=self.request.painter,
            sketches=pictures.sketches,
            weights=self._weights,
            sketch_moments=sketch_moments(self.parts.moments),
            histogram_moments=histogram_moments(self.parts.moments) if logging.histograms == "auto" else set(),
            scalars=logging.scalars != "off",
            last_histogram=logging.histograms == "auto",
            earlier=None if self.request.reopened is None else self.start.records,
            begins_at=self.start.next_update,
            hurried=self.interrupts,
        )

    def _open(self, recorder: Recorder, outcome: Outcome | None) -> None:
        """Show and write what a reader needs before the next update."""
        setup, parts = self.setup, self.parts
        words.heading(self.display, setup, parts, self.directory)
        reopened = self.request.reopened
        if reopened is not None:
            self._take_up(reopened, outcome)
        else:
            write_environment(self.directory, parts.device, self.request.command)
        if outcome is None or (reopened is not None and reopened.changes):
            words.describe(recorder.events, setup, parts)
        metric = words.main_metric(self.task)
        self.display.start(self.total, parts.plan.updates_per_epoch, metric)

    def _take_up(self, reopened: Reopened, outcome: Outcome | None) -> None:
        """Say, on the screen and in the run's files, that it goes on."""
        step, changes = None if outcome is None else outcome.step, reopened.changes
        for fact in words.resumed(step, self.total, changes):
            self.display.line(fact)
        if step and changes:
            _, before = run_config(self.directory)
            for note in words.redrawn(before, self.setup, step):
                self.display.warn(note)
        device, command = self.parts.device, self.request.command
        entry = {"step": step or 0, "changes": list(changes)}
        for note in write_environment(self.directory, device, command, entry):
            self.display.warn(note)
        tidy(self.directory)
        # In this order: a run is not called finished under a config that it is not finished under.
        write_summary(self.directory, unfinished(self.directory, self.setup.experiment.name, smoke=self.smoke))
        moved = self.request.config.experiment.dataset.paths != self.setup.dataset.paths
        if changes or moved:
            data = data_text(self.setup, self.parts.splits)
            write_config(self.directory, config_text(self.setup.experiment, self.directory), data)

    def _weights(self) -> dict[str, Any]:
        return {
            f"parameters/{name}": parameter.detach().cpu().float().numpy().ravel()
            for name, parameter in self.parts.network.named_parameters()
        }

    # --- middle --------------------------------------------------------------------------------

    def _loop(self, recorder: Recorder) -> Loop:
        sample = self.parts.measured_sample()
        return self.parts.loop(
            lambda: self.evaluator.measure(sample),
            recorder,
            self._checkpointer(recorder),
            self.interrupts,
            anywhere(self.interrupts, self.request.world),
        )

    def _checkpointer(self, recorder: Recorder) -> Checkpointer:
        def everything(outcome: Outcome) -> Checkpoint:
            of, past = origin(self.setup), self._up_to_now()
            return capture(self.parts, of, outcome, recorder.records(), past)

        return Checkpointer(
            self.directory, self.setup.training.checkpoint, everything, self.display.warn, self.lock, self.start.useless
        )

    def _up_to_now(self) -> Past:
        """The run's past, this part of it counted in."""
        total = self.past.total + time.perf_counter() - self.request.started
        return Past(self.past.startup + self.startup, total, self.past.resumed)

    # --- end -----------------------------------------------------------------------------------

    def _write_what_is_gone(self) -> None:
        """Files of the beginning that somebody removed meanwhile: the run must load and go on."""
        splits = self.parts.splits
        wanted = [CONFIG, *([DATA] if splits.fingerprint is not None else [])]
        if not all((self.directory / name).exists() for name in wanted):
            write_config(
                self.directory, config_text(self.setup.experiment, self.directory), data_text(self.setup, splits)
            )
        if not (self.directory / ENVIRONMENT).exists():
            write_environment(self.directory, self.parts.device, self.request.command)

    def _best_step(self, outcome: Outcome) -> int | None:
        patience = self.parts.patience
        return patience.best_step if patience is not None and outcome.status in OVER else None

    def _close(self, recorder: Recorder, outcome: Outcome) -> Result:
        recorder.conclude(outcome.step, f"{self.setup.experiment.name}: learning curves")
        metrics = self.evaluator.measure(self.parts.train)
        of_each = each_target(self.parts)
        if of_each is not None:
            recorder.finally_of_each(outcome.step, of_each.values)
        incomplete = recorder.finish(outcome.status)
        tidy(self.directory)  # of a part that was killed a figure may have been half written still when this one began
        self._write_what_is_gone()
        confusion = self.evaluator.confusion
        found = [*filter(None, [of_each]), *findings(self.parts, metrics["train/loss"], outcome.step)]
        summary = summarize(
            self.setup,
            self.directory,
            outcome,
            self.parts.plan,
            self._up_to_now(),
            metrics,
            engine=self.parts.engine.name,
            device=str(self.parts.device),
            parameters=parameter_count(self.parts.model),
            data=self.parts.splits.facts,
            confusion=None if confusion is None else confusion.tolist(),
            smoke=self.smoke,
            best_step=self._best_step(outcome),
            incomplete=incomplete,
            findings={finding.key: finding.values for finding in found},
            processes=self.request.world.size,
        )
        write_summary(self.directory, summary)
        for problem in incomplete:
            self.display.warn(f"incomplete: {problem}")
        if outcome.status in OVER and self.parts.patience is None:
            for note in words.worsened(recorder.history.columns):
                self.display.warn(note)
        if outcome.status in OVER and outcome.step:
            for note in dead_layers(self.parts):
                self.display.warn(note)
        style = "bold green" if outcome.status in OVER else "bold red"
        title = outcome.status + (f": {outcome.reason}" if outcome.reason else "")
        self.display.closing(title, style, words.closing(summary, self.loss_name, self.directory, found))
        if outcome.status == "diverged":
            message = divergence(self.setup, self.parts.splits, outcome.reason)
            raise DivergedError(message, self.directory, summary)
        model = self.parts.model.cpu().eval()
        run = Run(self.directory, model, summary, self.request.config, self.setup)
        return Result(run, self.interrupts.received)
