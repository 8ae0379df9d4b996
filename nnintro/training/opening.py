"""What stands in a run, and on the screen, before the first update."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from nnintro.config.experiment import Experiment, flat_values
from nnintro.config.notes import notes
from nnintro.config.task import Task
from nnintro.config.write import as_yaml
from nnintro.files import write_json
from nnintro.models import Network
from nnintro.recording.console import Display
from nnintro.recording.events import EventFile
from nnintro.runs.environment import environment
from nnintro.training import words
from nnintro.training.setup import Parts

MOST_SHOWN = 500
"""Characters of a hyperparameter: steps by hand may be thousands."""
BITS_DEPEND_ON = ("torch", "numpy", "processor", "threads", "device", "cuda_device")
"""Parts of environment.json under which the same config gives the same bits."""


def show_heading(display: Display, experiment: Experiment, parts: Parts, directory: Path) -> None:
    """The run's name, facts, layers and notes."""
    table = cast(Network, parts.model).rows()
    rows = [(row.layer, row.shape, row.activation, f"{row.parameters:,}") for row in table]
    display.heading(experiment.name, words.heading(experiment, parts, directory), rows)
    for note in notes(experiment):
        display.warn(note)


def write_events(events: EventFile, experiment: Experiment, parts: Parts) -> None:
    """The config, the model, the data's facts, the hyperparameters and the charts' layout."""
    said = notes(experiment)
    events.text("config", f"```yaml\n{as_yaml(experiment)}```")
    events.text("model", f"```\n{parts.model}\n```")
    for key, fact in parts.splits.facts.items():
        events.text(f"data/{key}", str(fact))
    if said:
        events.text("notes", "\n\n".join(said))
    events.hyperparameters({k: _shown(v) for k, v in flat_values(experiment).items()})
    events.layout({"training": _charts(experiment)})


def _shown(value: Any) -> str | float | bool:
    """As TensorBoard's HPARAMS view can show it."""
    return value if isinstance(value, bool | int | float) else str(value)[:MOST_SHOWN]


def _charts(experiment: Experiment) -> dict[str, list[str]]:
    charts = {"loss": ["train/loss", "validation/loss"]}
    for tag in experiment.task.validation_tags(experiment.loss_name):
        charts.setdefault(tag.split("/")[1], [tag])
    return charts


def main_metric(task: Task) -> str:
    """The tag that says most of a run on this task."""
    if task.has_truth:
        return "validation/sup_error"
    if task.is_segmentation:
        return "validation/iou"
    return "validation/accuracy" if task.is_classification else "validation/rmse"


def mark_unfinished(directory: Path, experiment: Experiment) -> None:
    """A run that goes on is not finished, whatever its summary said; nor is half a file of use."""
    (directory / "figures").mkdir(exist_ok=True)
    for left_over in directory.glob(".*.tmp"):
        left_over.unlink(missing_ok=True)
    summary = {"status": "unfinished", "name": experiment.name, "directory": str(directory)}
    write_json(directory / "summary.json", summary)


def write_environment(directory: Path, parts: Parts, command: list[str] | None) -> None:
    """environment.json of a run that begins."""
    write_json(directory / "environment.json", environment(parts.device, command))


def add_environment(
    directory: Path, parts: Parts, command: list[str] | None, step: int, changes: tuple[str, ...]
) -> list[str]:
    """Enter in environment.json that the run goes on; returns what may change its bits."""
    path = directory / "environment.json"
    now = environment(parts.device, command)
    try:
        begun = json.loads(path.read_text(encoding="utf-8"))
        resumed = [*begun.get("resumed", []), {"step": step, "changes": list(changes), **now}]
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        write_json(path, {**now, "resumed": [{"step": step, "changes": list(changes), **now}]})
        return ["environment.json was not readable: whether this is the same machine is not known"]
    write_json(path, {**begun, "resumed": resumed})
    return [
        f"{key} was {begun.get(key)} and is {now[key]}: the bits may differ from an unbroken run's"
        for key in BITS_DEPEND_ON
        if begun.get(key) != now[key]
    ]
