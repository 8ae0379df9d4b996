"""Name the columns of a run (inputs, targets), and turn outputs into such columns."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nnintro.config.task import Task, numbered
from nnintro.errors import DataError
from nnintro.models.standardized import Array
from nnintro.objectives.metrics import class_probabilities, predicted_classes
from nnintro.wording import listed, subject


def input_names(task: Task) -> list[str]:
    """``x``, or ``x1``, ``x2``, ... where there are several inputs."""
    return numbered("x", task.inputs)


def target_names(task: Task) -> list[str]:
    """``y``, or ``y1``, ``y2``, ...; the class number, ``y``, where there are classes."""
    return ["y"] if task.is_classification else numbered("y", task.outputs)


def positions(found: Sequence[str], wanted: Sequence[str], place: str) -> list[int]:
    """Where in ``found`` each of the wanted names is; DataError where one is missing."""
    if missing := [name for name in wanted if name not in found]:
        raise DataError(
            f"{place}: {subject('column', missing)} missing in the header (a first row that is "
            f"not all numbers is taken for one); found {listed(found)}"
        )
    return [found.index(name) for name in wanted]


def free(found: Sequence[str], predicted: Sequence[str], place: str) -> None:
    """Raise DataError where a column has the name of a prediction."""
    taken = {name.strip() for name in found}.intersection(predicted)
    for name in predicted:
        if name in taken:
            raise DataError(f"{place}: column {name!r} has the name of a prediction; rename it")


def answers(outputs: Tensor, task: Task, *, logits: bool, scores: bool = False) -> list[Array]:
    """(n, outputs) -> one (n,) array per name of ``config.task.prediction_names``.

    Of classes the first is the class number, decided as the metrics decide it.
    """
    if not task.is_classification:
        return list(outputs.numpy().T)
    classes: Array = predicted_classes(outputs, task, logits=logits or scores).numpy()
    return [classes, *(class_probabilities(outputs) if logits else outputs).numpy().T]
