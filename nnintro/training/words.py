"""Texts that describe a run on the screen and in TensorBoard: its plan and its result."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from nnintro.config.experiment import Setup, flat_values
from nnintro.config.task import Task
from nnintro.config.write import as_yaml
from nnintro.descent.schedules import LearningRate
from nnintro.models import Network
from nnintro.recording.console import Display
from nnintro.recording.events import EventFile
from nnintro.training.setup import Parts
from nnintro.wording import counted, duration, listing, measurement, pace, quoted

MOST_LOST = 0.2
"""Share of the improvement of validation/loss that may be lost again without a word."""
MOST_SHOWN = 500
"""Characters of a hyperparameter: steps by hand may be thousands."""


@dataclass(frozen=True)
class Finding:
    """Something that is known beside the metrics of a trained network."""

    key: str
    """Of summary.json."""
    values: dict[str, Any]
    """What stands there."""
    facts: dict[str, str]
    """Name -> text, for the lines at the end."""


def heading(display: Display, setup: Setup, parts: Parts, directory: Path) -> None:
    """Show the run's name, facts, layers and notes."""
    table = cast(Network, parts.model).rows()
    rows = [(row.layer, row.shape, row.activation, f"{row.parameters:,}") for row in table]
    display.heading(setup.experiment.name, _facts(setup, parts, directory), rows)
    for note in notes(setup, parts):
        display.warn(note)


def notes(setup: Setup, parts: Parts) -> list[str]:
    """What the user should know of the config, and of the data with it."""
    said = [*parts.splits.notes, *setup.notes(), *(f"validation: {why}" for why in parts.undefined.values())]
    if not parts.coinciding:
        return said
    (name, (values, left)), *others = parts.coinciding.items()
    also = f" (so do those of {counted(len(others), 'other input')})" if others else ""
    remedies = ["precision: float64"]
    if setup.dataset.standardize == "none":
        remedies.append("dataset.standardize: inputs")
    note = (
        f"{values:,} different values of input {quoted(name)} become {left:,} when they are rounded to float32{also}: "
        f"the network cannot tell them apart; write {listing(remedies)}"
    )
    return [*said, note]


def describe(events: EventFile, setup: Setup, parts: Parts) -> None:
    """Write the config, the model, the data's facts, the hyperparameters and the charts' layout."""
    said = notes(setup, parts)
    events.text("config", f"```yaml\n{as_yaml(setup.experiment)}```")
    events.text("model", f"```\n{parts.model}\n```")
    for key, fact in parts.splits.facts.items():
        events.text(f"data/{key}", str(fact))
    if said:
        events.text("notes", "\n\n".join(said))
    events.hyperparameters({k: _shown(v) for k, v in flat_values(setup.experiment).items()})
    events.layout({"training": _charts(setup)})


def _shown(value: Any) -> str | float | bool:
    """As TensorBoard's HPARAMS view can show it."""
    return value if isinstance(value, bool | int | float) else str(value)[:MOST_SHOWN]


def _charts(setup: Setup) -> dict[str, list[str]]:
    charts = {"loss": ["train/loss", "validation/loss"]}
    for tag in setup.task.validation_tags(setup.loss_name):
        charts.setdefault(tag.split("/")[1], [tag])
    return charts


def main_metric(task: Task) -> str:
    """The tag that says most of a run on this task."""
    if task.has_truth:
        return "validation/sup_error"
    if task.is_segmentation:
        return "validation/iou"
    return "validation/accuracy" if task.is_classification else "validation/rmse"


def _facts(setup: Setup, parts: Parts, directory: Path) -> dict[str, str]:
    """Name -> fact, for the lines above the table of layers."""
    total = setup.total_updates
    return {
        "data": data_fact(setup, parts),
        "descent": _descent_fact(setup),
        "length": f"{total:,} updates, {parts.plan.epochs_after(total):,g} epochs",
        "engine": f"{parts.engine.name} on {parts.device}, {setup.precision}{_processes(parts)}",
        "run": str(directory),
    }


def _processes(parts: Parts) -> str:
    return f", updates shared by {parts.world.size} processes" if parts.world.size > 1 else ""


def resumed(step: int | None, total: int, changes: Sequence[str]) -> list[str]:
    """That a run goes on, from where (None: the start), and what is different from here on."""
    begins = "was cut off before its first checkpoint: it begins anew"
    at = begins if step is None else f"goes on from update {step:,} of {total:,}"
    return [f"the run {at}", *(f"  {change}" for change in changes)]


def redrawn(before: Setup, now: Setup, step: int) -> list[str]:
    """That a schedule runs over another number of updates, from what rate to what rate; nothing where it is as it was.

    Args:
        step: updates that were made, from 1.
    """
    descent, was, total = now.descent, before.total_updates, now.total_updates
    kept, rate = (LearningRate(descent, length)(step) for length in (was, total))
    if step >= total or math.isclose(kept, rate, rel_tol=0.01):
        return []
    last = LearningRate(before.descent, was)(step - 1)
    return [
        f"the {descent.schedule.kind} schedule is drawn anew over {total:,} updates in place of {was:,}: "
        f"the learning rate goes from {last:.3g} to {rate:.3g}"
    ]


def worsened(history: Mapping[str, Sequence[float]]) -> list[str]:
    """That validation/loss has clearly risen after its best: by a fifth of its fall, at each of the last points.

    Args:
        history: column name -> values, of a run that ended without early stopping.
    """
    losses = history["validation/loss"]
    best, tail = min(losses), losses[-max(len(losses) // 10, 1) :]
    fall = losses[0] - best
    if not (0 < fall < math.inf and min(tail) - best > MOST_LOST * fall):
        return []
    epoch = history["epoch"][losses.index(best)]
    return [
        f"validation/loss was best at epoch {epoch:g} ({best:.3g}, now {losses[-1]:.3g}); "
        "training.early_stopping would have kept the parameters of its best"
    ]


def closing(summary: dict[str, Any], loss_name: str, directory: Path, found: Sequence[Finding] = ()) -> dict[str, str]:
    """Name -> fact, for the lines at the end."""
    facts = {
        tag: measurement(value)
        for tag, value in summary["metrics"].items()
        # The loss under its own name, as a metric, would be a line said twice (but in other units).
        if tag != f"validation/{loss_name}" or value != summary["metrics"].get("validation/loss")
    }
    for finding in found:
        facts |= finding.facts
    seconds = summary["seconds"]
    facts["updates"] = (
        f"{summary['steps']:,} in {duration(seconds['training'])} "
        f"({pace(summary['steps_per_second'])}); {duration(seconds['total'])} in all"
    )
    figures = sorted((directory / "figures").glob("*.png"))
    if figures:
        facts["figures"] = "\n".join(map(str, figures))
    if summary["status"] == "interrupted":
        facts["go on"] = f"nnintro train --resume {shlex.quote(str(directory))}"
    facts["look at it"] = _dashboard_command(directory.parent)
    return facts


def _dashboard_command(runs_dir: Path) -> str:
    if runs_dir == Path("runs"):
        return "nnintro dashboard"
    return f"nnintro dashboard --runs-dir {shlex.quote(str(runs_dir))}"


def data_fact(setup: Setup, parts: Parts) -> str:
    """What the data is, and how much of it there is."""
    dataset = setup.dataset
    task = setup.task
    shape = f"{task.inputs} in, {task.outputs} out"
    if task.image is not None:
        height, width = task.image
        shape = f"{task.inputs} x {height} x {width} in, {task.outputs} x {height} x {width} out"
    return (
        f"{dataset.kind} ({dataset.source}): {task.kind}, {shape}; "
        f"{len(parts.train):,} training and {len(parts.validation):,} validation samples"
    )


def _descent_fact(setup: Setup) -> str:
    descent = setup.descent
    size = "" if descent.variant == "stochastic" else f" of {setup.batch_size}"
    size += " with replacement" if descent.replacement else ""
    return (
        f"{descent.variant}{size}, {descent.optimizer.kind}, "
        f"learning rate {descent.learning_rate:g}, {descent.schedule.kind}; "
        f"loss {setup.loss_name}"
    )
