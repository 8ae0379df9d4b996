"""One run from start to end: build, train, record, save, and say how it went."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nnintro.config.experiment import Experiment, as_values
from nnintro.config.load import Config
from nnintro.config.notes import notes
from nnintro.config.write import as_yaml
from nnintro.datasets import Data
from nnintro.errors import DivergedError
from nnintro.models import Tabulated
from nnintro.recording.checkpoint import save_checkpoint
from nnintro.recording.console import Display
from nnintro.recording.directory import create_run_directory, write_json, write_text
from nnintro.recording.environment import environment
from nnintro.recording.painter import Painter
from nnintro.recording.recorder import Recorder
from nnintro.training import words
from nnintro.training.assemble import Parts, assemble, threads, threads_for
from nnintro.training.evaluation import Evaluator
from nnintro.training.hint import learning_rate_to_try
from nnintro.training.interrupts import Interrupts
from nnintro.training.loop import Loop, Outcome
from nnintro.training.losses import loss_for
from nnintro.training.moments import MEASURED_SAMPLES, histogram_moments, looks, sketch_moments
from nnintro.training.pictures import Pictures
from nnintro.training.run import Run, architecture
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


@dataclass(frozen=True)
class Result:
    """A finished run and the signal that ended it, if one did."""

    run: Run
    signal: int | None


def run_job(request: Request) -> Result:
    """Train as the config says and leave a complete run directory.

    Raises:
        ConfigError: something only the machine or the data can tell is wrong with the config.
        DivergedError: the loss left the finite numbers; everything was saved before.
        CheckpointError: the run cannot be written.
    """
    experiment = request.config.experiment
    with Interrupts(list(request.signals)) as interrupts:
        with request.config.locating():
            parts = assemble(experiment)
        with threads(threads_for(parts.network, parts.plan.batch_size)):
            return _Job(request, experiment, parts, interrupts).run()


class _Job:
    def __init__(
        self, request: Request, experiment: Experiment, parts: Parts, interrupts: Interrupts
    ) -> None:
        self.request, self.experiment, self.parts = request, experiment, parts
        self.interrupts = interrupts
        self.display = request.display
        self.task, self.loss_name = experiment.task, experiment.loss_name
        self.total = experiment.total_updates
        self.evaluator = Evaluator(
            parts.network,
            loss_for(self.loss_name, self.task),
            self.task,
            self.loss_name == "cross_entropy",
            parts.validation,
            parts.autocast,
        )
        self.tags = ("train/loss", *self.task.validation_tags(self.loss_name), *UPDATE_TAGS)

    def run(self) -> Result:
        self.directory = create_run_directory(self.request.runs_dir, self.experiment.name)
        write_text(self.directory / "config.yaml", as_yaml(self.experiment))
        recorder = self._recorder()
        try:
            self._open(recorder)
            self.startup = time.perf_counter() - self.request.started
            outcome = self._loop(recorder).run()
            self.display.stop()
            return self._close(recorder, outcome)
        except BaseException:
            self.display.stop()
            recorder.abandon()
            raise

    # --- beginning -----------------------------------------------------------------------------

    def _recorder(self) -> Recorder:
        experiment, logging = self.experiment, self.experiment.logging
        logits = self.loss_name == "cross_entropy"
        pictures = Pictures(
            self.parts.model, self.parts.splits, self.task, experiment.name, logits=logits
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
        )

    def _open(self, recorder: Recorder) -> None:
        """Everything that stands in the run before the first update."""
        experiment, parts = self.experiment, self.parts
        write_json(
            self.directory / "environment.json", environment(parts.device, self.request.command)
        )
        said = notes(experiment)
        table = cast_tabulated(parts.model).rows()
        rows = [(row.layer, row.shape, row.activation, f"{row.parameters:,}") for row in table]
        self.display.heading(
            experiment.name, words.heading(experiment, parts, self.directory), rows
        )
        for note in said:
            self.display.warn(note)
        events = recorder.events
        events.text("config", f"```yaml\n{as_yaml(experiment)}```")
        events.text("model", f"```\n{parts.model}\n```")
        for key, fact in parts.splits.facts.items():
            events.text(f"data/{key}", str(fact))
        if said:
            events.text("notes", "\n\n".join(said))
        events.hyperparameters(_flat(as_values(experiment)))
        events.layout({"training": self._charts()})
        self.display.start(self.total, parts.plan.updates_per_epoch, self._main_metric())

    def _charts(self) -> dict[str, list[str]]:
        charts = {"loss": ["train/loss", "validation/loss"]}
        for tag in self.task.validation_tags(self.loss_name):
            charts.setdefault(tag.split("/")[1], [tag])
        return charts

    def _main_metric(self) -> str:
        if self.task.has_truth:
            return "validation/sup_error"
        return "validation/accuracy" if self.task.is_classification else "validation/rmse"

    def _weights(self) -> dict[str, Any]:
        return {
            f"parameters/{name}": parameter.detach().cpu().float().numpy().ravel()
            for name, parameter in self.parts.network.named_parameters()
        }

    # --- middle --------------------------------------------------------------------------------

    def _loop(self, recorder: Recorder) -> Loop:
        training = self.experiment.training
        early = training.early_stopping
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
            interrupted=self.interrupts,
            stop_when=training.stop_when or {},
            patience=None
            if early is None
            else Patience(early.metric, early.patience, early.minimum_improvement),
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
        self._save(outcome)
        incomplete = recorder.finish(outcome.status)
        summary = summarize(
            self.experiment,
            self.parts,
            outcome,
            metrics,
            self.directory,
            started=self.request.started,
            startup=self.startup,
        )
        if self.evaluator.confusion is not None:
            summary["confusion"] = self.evaluator.confusion.tolist()
        if incomplete:
            summary["incomplete"] = incomplete
        write_json(self.directory / "summary.json", summary)
        for problem in incomplete:
            self.display.warn(f"incomplete: {problem}")
        style = "bold green" if outcome.status in ("completed", "stopped") else "bold red"
        title = outcome.status + (f": {outcome.reason}" if outcome.reason else "")
        self.display.closing(title, style, words.closing(summary, self.loss_name, self.directory))
        if outcome.status == "diverged":
            message = (
                f"training diverged {outcome.reason}: the loss is no finite number; {self._hint()}"
            )
            raise DivergedError(message, self.directory, summary)
        run = Run(self.directory, self.parts.model.cpu().eval(), summary)
        return Result(run, self.interrupts.received)

    def _save(self, outcome: Outcome) -> None:
        model = {name: tensor.cpu() for name, tensor in self.parts.model.state_dict().items()}
        state = {
            "architecture": architecture(self.experiment),
            "model": model,
            "optimizer": _on_cpu(self.parts.optimizer.state_dict()),
            "epoch": self.parts.plan.epochs_after(outcome.step),
        }
        save_checkpoint(self.directory, outcome.step, state)

    def _hint(self) -> str:
        rate = self.experiment.descent.learning_rate
        found = learning_rate_to_try(self.experiment)
        tried = found if found is not None else rate / 10
        return (
            f"try a smaller learning rate: --set descent.learning_rate={tried:g} (it was {rate:g})"
        )


def cast_tabulated(model: nn.Module) -> Tabulated:
    assert hasattr(model, "rows")
    return model  # type: ignore[return-value]


def _on_cpu(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _on_cpu(item) for key, item in value.items()}
    return [_on_cpu(item) for item in value] if isinstance(value, list) else value


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, str | float | bool]:
    """Dotted key -> a value that TensorBoard's HPARAMS view can show."""
    found: dict[str, str | float | bool] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{prefix}{key}."))
        else:
            found[prefix + key] = value if isinstance(value, bool | int | float) else str(value)
    return found
