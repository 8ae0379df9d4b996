"""The task that a dataset sets: numbers of inputs and outputs, and the metrics of an output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
"""``__pydantic_config__`` of a dataclass that is read from a run's files (see ``config.typed``)."""
TaskKind = Literal["regression", "binary", "multiclass", "segmentation"]
Count = Annotated[int, Field(ge=1, lt=1 << 53)]


@dataclass(frozen=True)
class Metric:
    """Of which tasks a metric is recorded, and which way is better."""

    tasks: tuple[TaskKind, ...]
    grows: bool = False
    """Whether larger is better."""
    needs: Literal["truth", "points", "logits"] | None = None
    """What there has to be besides: the noise-free target, points on the masks, outputs that are
    logits."""


_CLASSES: tuple[TaskKind, ...] = ("binary", "multiclass")
METRICS = {
    "loss": Metric(("regression", *_CLASSES, "segmentation")),
    "mse": Metric(("regression",)),
    "mae": Metric(("regression",)),
    "rmse": Metric(("regression",)),
    "r2": Metric(("regression",), grows=True),
    "accuracy": Metric(_CLASSES, grows=True),
    "cross_entropy": Metric(_CLASSES, needs="logits"),
    "f1": Metric(_CLASSES, grows=True),
    "auc": Metric(("binary",), grows=True),
    "iou": Metric(("segmentation",), grows=True),
    "dice": Metric(("segmentation",), grows=True),
    "pixel_accuracy": Metric(("segmentation",), grows=True),
    "boundary_f1": Metric(("segmentation",), grows=True),
    "sup_error": Metric(("regression",), needs="truth"),
    "precision": Metric(("segmentation",), grows=True, needs="points"),
    "recall": Metric(("segmentation",), grows=True, needs="points"),
}
"""By name, in the order in which they are recorded."""


@dataclass(frozen=True)
class Task:
    """A dataset's demand on the model: sizes, kind, and the names of the classes if any."""

    __pydantic_config__ = STRICT

    kind: TaskKind
    inputs: Count
    outputs: Count
    classes: Annotated[tuple[str, ...], Field(fail_fast=True)] = ()
    has_truth: bool = False
    """Whether the noise-free target is known everywhere, so that sup_error is defined."""
    image: tuple[Count, Count] | None = None
    """Height and width where an input is an image; ``inputs`` are its channels then."""
    has_points: bool = False
    """Whether the peaks of a segmentation's map are judged as points."""

    @property
    def is_classification(self) -> bool:
        """Whether each sample has one class."""
        return self.kind in ("binary", "multiclass")

    @property
    def is_segmentation(self) -> bool:
        """Whether each pixel has one."""
        return self.kind == "segmentation"

    def metrics(self, *, logits: bool) -> tuple[str, ...]:
        """The names of the metrics that are recorded on this task."""
        there = {None: True, "truth": self.has_truth, "points": self.has_points, "logits": logits}
        rows = METRICS.items()
        return tuple(n for n, row in rows if self.kind in row.tasks and there[row.needs])

    def validation_tags(self, loss: str) -> tuple[str, ...]:
        """The tags ``validation/<metric>`` that a run on this task records under this loss."""
        return tuple(f"validation/{n}" for n in self.metrics(logits=loss == "cross_entropy"))


def grows(tag: str) -> bool:
    """Whether a larger value of this tag is the better one."""
    metric = METRICS.get(tag.rsplit("/", 1)[-1])
    return metric is not None and metric.grows


@dataclass(frozen=True)
class DataFacts:
    """What the data says of itself: known from the config, or once the files were looked at.

    ``description`` is plain JSON: all that turns a stranger's file into the network's inputs, the
    way the training's file was (columns, categories, means; sizes of images).
    """

    task: Task
    training_samples: int
    description: Mapping[str, Any] = field(default_factory=dict)


def prediction_names(
    task: Task, *, logits: bool, classes: Sequence[str] | None = None, targets: Sequence[str] | None = None
) -> list[str]:
    """What stands behind a row: ``prediction``, and for classes what it was decided by.

    Logits become probabilities.  What was trained on mse and the like against 0 and 1 is no
    probability (it may be 1.2), so it stands there as ``output``.

    Args:
        classes, targets: names to tell them apart by; their numbers by default.
    """
    if not task.is_classification:
        if targets is not None and len(targets) > 1:
            return [f"prediction_{name}" for name in targets]
        return numbered("prediction", task.outputs, "_")
    names = list(map(str, range(len(task.classes)))) if classes is None else classes
    if logits:
        return ["prediction", *(f"probability_{name}" for name in names)]
    if task.kind == "binary":
        return ["prediction", "output"]
    return ["prediction", *(f"output_{name}" for name in names)]


def numbered(stem: str, count: int, joint: str = "") -> list[str]:
    """``y``, or ``y1``, ``y2``, ... where there are several."""
    return [stem] if count == 1 else [f"{stem}{joint}{k}" for k in range(1, count + 1)]
