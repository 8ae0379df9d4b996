"""What stands in a run, and on the screen, before the first update."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from nnintro.config.experiment import Setup, flat_values
from nnintro.config.task import Task
from nnintro.config.write import as_yaml
from nnintro.models import Tabulated
from nnintro.recording.console import Display
from nnintro.recording.events import EventFile
from nnintro.training import words
from nnintro.training.setup import Parts

MOST_SHOWN = 500
"""Characters of a hyperparameter: steps by hand may be thousands."""


def show_heading(display: Display, setup: Setup, parts: Parts, directory: Path) -> None:
    """The run's name, facts, layers and notes."""
    table = cast(Tabulated, parts.model).rows()
    rows = [(row.layer, row.shape, row.activation, f"{row.parameters:,}") for row in table]
    display.heading(setup.experiment.name, words.heading(setup, parts, directory), rows)
    for note in setup.notes():
        display.warn(note)


def write_events(events: EventFile, setup: Setup, parts: Parts) -> None:
    """The config, the model, the data's facts, the hyperparameters and the charts' layout."""
    said = setup.notes()
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
