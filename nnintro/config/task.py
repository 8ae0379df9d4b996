"""What a dataset asks of a network: inputs, outputs, and how an answer is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import PrivateAttr

from nnintro.config.section import Section

TaskKind = Literal["regression", "binary", "multiclass", "segmentation"]


METRICS: dict[TaskKind, tuple[str, ...]] = {
    "regression": ("loss", "mse", "mae", "rmse", "r2"),
    "binary": ("loss", "accuracy", "cross_entropy", "f1", "auc"),
    "multiclass": ("loss", "accuracy", "cross_entropy", "f1"),
    "segmentation": ("loss", "iou", "dice", "pixel_accuracy", "boundary_f1"),
}

POINT_METRICS = ("precision", "recall")
"""Of the points that the peaks of a segmentation's map stand for."""

GROWING = frozenset(
    {"accuracy", "f1", "auc", "r2", "iou", "dice", "pixel_accuracy", "boundary_f1", *POINT_METRICS}
)
"""Metrics that are better when larger; all others are better when smaller."""


@dataclass(frozen=True)
class Task:
    """A dataset's demand on the model: sizes, kind, and the names of the classes if any."""

    kind: TaskKind
    inputs: int
    outputs: int
    classes: tuple[str, ...] = ()
    has_truth: bool = False
    """Whether the noise-free target is known everywhere, so that sup_error is defined."""
    image: tuple[int, int] | None = None
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

    def validation_tags(self, loss: str) -> tuple[str, ...]:
        """The tags ``validation/<metric>`` that a run on this task records under this loss."""
        names = [*METRICS[self.kind], *(["sup_error"] if self.has_truth else [])]
        names += POINT_METRICS if self.has_points else ()
        if loss != "cross_entropy" and "cross_entropy" in names:
            names.remove("cross_entropy")  # outputs are no logits then
        return tuple(f"validation/{name}" for name in names)


def grows(tag: str) -> bool:
    """Whether a larger value of this tag is the better one."""
    return tag.rsplit("/", 1)[-1] in GROWING


@dataclass(frozen=True)
class Found:
    """What was found in the data.

    ``description`` is plain JSON: all that turns a stranger's file into the network's inputs, the
    way the training's file was (columns, categories, means; sizes of images).
    """

    task: Task
    training_samples: int
    description: Mapping[str, Any] = field(default_factory=dict)


class FromFiles(Section):
    """A dataset whose task stands in its files."""

    _found: Found | None = PrivateAttr(default=None)

    @property
    def found(self) -> Found | None:
        """What was found in the files; None before they were looked at."""
        return self._found

    def with_found(self, found: Found) -> Self:
        """The same section, knowing its data."""
        known = self.model_copy()
        known._found = found
        return known

    @property
    def task(self) -> Task:
        return self._known.task

    @property
    def training_samples(self) -> int:
        return self._known.training_samples

    @property
    def _known(self) -> Found:
        assert self._found is not None, "the data was not looked at yet"
        return self._found
