"""One run from start to end: build, train, record, save, and say how it went."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nnintro.config.experiment import Experiment
from nnintro.config.load import Config
from nnintro.config.write import as_yaml
from nnintro.datasets import Data
from nnintro.errors import ConfigError, DivergedError
from nnintro.recording.checkpoint import has_checkpoint, load_checkpoint
from nnintro.recording.console import Display
from nnintro.recording.directory import create_run_directory, write_json, write_text
from nnintro.recording.painter import Painter
from nnintro.recording.recorder import Recorder, Records
from nnintro.training import opening, words
from nnintro.training.assemble import Parts, assemble, threads, threads_for
from nnintro.training.checkpointing import Checkpointer
from nnintro.training.evaluation import Evaluator
from nnintro.training.hint import learning_rate_to_try
from nnintro.training.interrupts import Interrupts
from nnintro.training.loop import Loop, Outcome
from nnintro.training.losses import loss_for
from nnintro.training.moments import MEASURED_SAMPLES, histogram_moments, looks, sketch_moments
from nnintro.training.pictures import Pictures
from nnintro.training.resume import OVER, Reopened
from nnintro.training.run import Run, architecture, check_architecture
from nnintro.training.state import Past, capture, outcome_of, past_of, records_of, restore
from nnintro.training.stopping import Patience
from nnintro.training.streams import stream
from nnintro.training.summary import summarize

UPDATE_TAGS = (
    "descent/learning_rate",
    "descent/gradient_norm",
    "descent/update_ratio",
    "speed/steps_per_second",
)


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


@dataclass(frozen=True)
class Result:
    """A finished run and the signal that ended it, if one did."""

    run: Run
    signal: int | None


@dataclass(frozen=True)
class Start:
    """Where a job begins: the folder, and what a checkpoint in it says, if there is one."""

    directory: Path
    state: dict[str, Any] | None = None
    where: str = ""
    changes: tuple[str, ...] = ()

    @property
    def past(self) -> Past:
        return Past() if self.state is None else past_of(self.state, self.where)

    @property
    def records(self) -> Records:
        return Records({}, {}) if self.state is None else records_of(self.state, self.where)


def run_job(request: Request) -> Result:
    """Train as the config says and leave a complete run directory.

    Raises:
        ConfigError: something only the machine or the data can tell is wrong with the config.
        DivergedError: the loss left the finite numbers; everything was saved before.
        CheckpointError: the run cannot be written, or not taken up again.
    """
    experiment = request.config.experiment
    with Interrupts(list(request.signals)) as interrupts:
        state, where = _saved(request)
        with request.config.locating():
            saved = None if state is None else state.get("model")
            parts = assemble(experiment, saved, where, request.display.line)
        with threads(threads_for(parts.network, parts.plan.batch_size)), _folder(request) as folder:
            changes = request.reopened.changes if request.reopened is not None else ()
            start = Start(folder, state, where, changes)
            return _Job(request, experiment, parts, interrupts, start).run()


def _saved(request: Request) -> tuple[dict[str, Any] | None, str]:
    """The newest checkpoint of a run that is to go on, checked against the config, and its path."""
    reopened = request.reopened
    if reopened is None or not has_checkpoint(reopened.directory):
        return None, ""  # cut off before its first checkpoint, a run begins anew
    experiment = request.config.experiment
    loaded = load_checkpoint(reopened.directory)
    if loaded.state.get("status") == "diverged":
        # Its parameters are finite, and the loss there is not: no learning rate can go on.
        loaded = load_checkpoint(reopened.directory, before=loaded.state["step"])
    for damage in loaded.damaged:
        request.display.warn(f"{damage}; going on from {loaded.path.name}")
    check_architecture(loaded.state, experiment, str(reopened.directory))
    with request.config.locating():
        _check_progress(loaded.state, experiment)
    return loaded.state, str(loaded.path)


def _check_progress(state: dict[str, Any], experiment: Experiment) -> None:
    """Raise ConfigError where a changed config cannot go on from the state."""
    step, total = int(state["step"]), experiment.total_updates
    if step > total:
        key = "training.steps" if experiment.training.steps is not None else "training.epochs"
        raise ConfigError.at(
            key, f"the run is at update {step:,} already, and this is update {total:,}"
        )
    optimizer = experiment.descent.optimizer
    saved, found = state.get("optimizer_kind"), _optimizer_kind(experiment)
    if saved != found:
        raise ConfigError.at(
            "descent.optimizer",
            f"the run has the state of {saved}, which is of no use to {found}; "
            f"expected kind {optimizer.kind if optimizer.kind == saved else saved}",
        )


def _optimizer_kind(experiment: Experiment) -> str:
    """What state there is between two updates: that of rmsprop depends on its momentum."""
    optimizer = experiment.descent.optimizer
    with_momentum = optimizer.kind == "rmsprop" and optimizer.momentum > 0
    return f"{optimizer.kind} with momentum" if with_momentum else optimizer.kind


@contextlib.contextmanager
def _folder(request: Request) -> Iterator[Path]:
    """The run's folder, locked: a new one, or that of the run that goes on."""
    if request.reopened is not None:
        yield request.reopened.directory  # whoever reopened it holds its lock
        return
    experiment = request.config.experiment
    folder, lock = create_run_directory(request.runs_dir, experiment.name, as_yaml(experiment))
    with lock:
        if lock.warning is not None:
            request.display.warn(lock.warning)
        yield folder


class _Job:
    def __init__(
        self,
        request: Request,
        experiment: Experiment,
        parts: Parts,
        interrupts: Interrupts,
        start: Start,
    ) -> None:
        self.request, self.experiment, self.parts = request, experiment, parts
        self.interrupts, self.start = interrupts, start
        self.directory, self.past = start.directory, start.past
        self.display = request.display
        self.task, self.loss_name = experiment.task, experiment.loss_name
        self.total = experiment.total_updates
        self.patience = _patience(experiment)
        self.evaluator = Evaluator(
            parts.network,
            loss_for(self.loss_name, self.task),
            self.task,
            experiment.logits,
            parts.validation,
            parts.autocast,
        )
        self.tags = ("train/loss", *self.task.validation_tags(self.loss_name), *UPDATE_TAGS)

    def run(self) -> Result:
        outcome = self._restored()  # before a file is touched: it may be refused
        recorder = self._recorder()
        try:
            self._open(recorder, outcome)
            self.startup = time.perf_counter() - self.request.started
            if outcome is None or outcome.status not in OVER or self.start.changes:
                outcome = self._loop(recorder).run(outcome)
            self.display.stop()
            return self._close(recorder, outcome)
        except BaseException:
            self.display.stop()
            recorder.abandon()
            raise

    # --- beginning -----------------------------------------------------------------------------

    def _recorder(self) -> Recorder:
        experiment, logging = self.experiment, self.experiment.logging
        pictures = Pictures(
            self.parts.model,
            self.parts.splits,
            self.task,
            experiment.name,
            logits=experiment.logits,
        )
        self.moments = looks(self.total, self.parts.plan, len(self.parts.validation), logging.every)
        return Recorder(
            directory=self.directory,
            tags=self.tags,
            display=self.display,
            painter=self.request.painter,
            sketches=pictures.sketches,
            weights=self._weights,
            sketch_moments=sketch_moments(self.moments),
            histogram_moments=histogram_moments(self.moments)
            if logging.histograms == "auto"
            else set(),
            scalars=logging.scalars != "off",
            last_histogram=logging.histograms == "auto",
            earlier=None if self.request.reopened is None else self.start.records,
        )

    def _restored(self) -> Outcome | None:
        """Put everything back to where the checkpoint was made; None where a run begins."""
        state, where = self.start.state, self.start.where
        if state is None:
            return None
        outcome = outcome_of(state, where)
        if outcome.status in OVER and not self.start.changes:
            return outcome  # trained to the end: only the last words were not written
        return restore(state, self.parts, self.patience, where)

    def _open(self, recorder: Recorder, outcome: Outcome | None) -> None:
        """Everything that stands in the run before the next update."""
        experiment, parts = self.experiment, self.parts
        opening.show_heading(self.display, experiment, parts, self.directory)
        if self.request.reopened is not None:
            self._take_up(outcome)
        else:
            opening.write_environment(self.directory, parts, self.request.command)
        if outcome is None:
            opening.write_events(recorder.events, experiment, parts)
        metric = opening.main_metric(self.task)
        self.display.start(self.total, parts.plan.updates_per_epoch, metric)

    def _take_up(self, outcome: Outcome | None) -> None:
        """Say, on the screen and in the run's files, that it goes on."""
        step = None if outcome is None else outcome.step
        changes = self.start.changes
        for fact in words.resumed(step, self.total, changes):
            self.display.line(fact)
        command = self.request.command
        changed = opening.add_environment(self.directory, self.parts, command, step or 0, changes)
        for note in changed:
            self.display.warn(note)
        if changes:
            write_text(self.directory / "config.yaml", as_yaml(self.experiment))
        self._mark_unfinished()

    def _mark_unfinished(self) -> None:
        """A run that goes on is not finished, whatever its summary said before."""
        assert self.request.reopened is not None
        if self.request.reopened.summary:
            summary = {**self.request.reopened.summary, "status": "unfinished"}
            write_json(self.directory / "summary.json", summary)

    def _weights(self) -> dict[str, Any]:
        return {
            f"parameters/{name}": parameter.detach().cpu().float().numpy().ravel()
            for name, parameter in self.parts.network.named_parameters()
        }

    # --- middle --------------------------------------------------------------------------------

    def _loop(self, recorder: Recorder) -> Loop:
        sample = self._measured_sample()
        return Loop(
            model=self.parts.network,
            engine=self.parts.engine,
            plan=self.parts.plan,
            total=self.total,
            moments=self.moments,
            measure=lambda: self.evaluator.measure(sample),
            learning_rate=self.parts.rate,
            observer=recorder,
            keeper=self._checkpointer(recorder),
            interrupted=self.interrupts,
            stop_when=self.experiment.training.stop_when or {},
            patience=self.patience,
        )

    def _checkpointer(self, recorder: Recorder) -> Checkpointer:
        settings = self.experiment.training.checkpoint

        def everything(outcome: Outcome) -> dict[str, Any]:
            past = Past(
                self.past.startup + self.startup,
                self.past.total + time.perf_counter() - self.request.started,
                self.past.resumed,
            )
            return {
                "architecture": architecture(self.experiment),
                "optimizer_kind": _optimizer_kind(self.experiment),
                **capture(self.parts, outcome, self.patience, recorder.records(), past),
            }

        return Checkpointer(
            self.directory,
            settings.steps,
            settings.seconds,
            settings.keep,
            everything,
            self.display.warn,
        )

    def _measured_sample(self) -> Data:
        train = self.parts.train
        if len(train) <= MEASURED_SAMPLES:
            return train
        generator = stream(self.experiment.seed, "measured")
        rows = torch.randperm(len(train), generator=generator)[:MEASURED_SAMPLES]
        return train.take(rows.to(self.parts.device))

    # --- end -----------------------------------------------------------------------------------

    def _close(self, recorder: Recorder, outcome: Outcome) -> Result:
        recorder.conclude(outcome.step, f"{self.experiment.name}: learning curves")
        metrics = self.evaluator.measure(self.parts.train)
        incomplete = recorder.finish(outcome.status)
        summary = summarize(
            self.experiment,
            self.parts,
            outcome,
            metrics,
            self.directory,
            started=self.request.started,
            startup=self.startup,
            past=self.past,
        )
        if self.evaluator.confusion is not None:
            summary["confusion"] = self.evaluator.confusion.tolist()
        if incomplete:
            summary["incomplete"] = incomplete
        write_json(self.directory / "summary.json", summary)
        for problem in incomplete:
            self.display.warn(f"incomplete: {problem}")
        style = "bold green" if outcome.status in OVER else "bold red"
        title = outcome.status + (f": {outcome.reason}" if outcome.reason else "")
        self.display.closing(title, style, words.closing(summary, self.loss_name, self.directory))
        if outcome.status == "diverged":
            message = (
                f"training diverged {outcome.reason}: the loss is no finite number; {self._hint()}"
            )
            raise DivergedError(message, self.directory, summary)
        model = self.parts.model.cpu().eval()
        run = Run(self.directory, model, summary, self.request.config)
        return Result(run, self.interrupts.received)

    def _hint(self) -> str:
        rate = self.experiment.descent.learning_rate
        found = learning_rate_to_try(self.experiment)
        if found is None:
            return (
                f"a smaller learning rate may help, such as --set descent.learning_rate="
                f"{rate / 10:g} (it was {rate:g}; whether that descends was not seen)"
            )
        return (
            f"try a smaller learning rate: --set descent.learning_rate={found:g} (it was {rate:g})"
        )


def _patience(experiment: Experiment) -> Patience | None:
    early = experiment.training.early_stopping
    if early is None:
        return None
    return Patience(early.metric, early.patience, early.minimum_improvement)
