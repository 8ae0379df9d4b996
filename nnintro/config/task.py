"""What a dataset asks of a network: inputs, outputs, and how an answer is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
