"""Compute the arrays that figures of a network are drawn from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.config.experiment import Setup
from nnintro.datasets import Data, Splits
from nnintro.models import Steps, input_precision, precision_of
from nnintro.models.forward import evaluating, outputs_of
from nnintro.objectives.losses import IGNORED
from nnintro.objectives.metrics import confusion, predicted_classes
from nnintro.objectives.segmentation import answers, peaks, points_of, predicted_maps, probabilities
from nnintro.recording.recorder import Sketch
from nnintro.training.closed_form import Line, line_of
from nnintro.training.evaluation import blocks_through

if TYPE_CHECKING:  # what reads images is loaded by runs on images alone
    from nnintro.datasets.images import ImageData

PLANE_SIDE = 121
MARGIN = 0.08
MOST_POINTS = 4000
"""Samples sent to a figure; more would only darken it."""
MOST_ROWS = 12
"""Neurons that a figure shows one by one."""
Array = np.ndarray[Any, Any]


class Pictures:
    """Sketches of a model, which takes raw inputs, on the data that it was trained on."""

    def __init__(self, model: nn.Module, setup: Setup, splits: Splits[Any]) -> None:
        self.model, self.splits, self.task, self.logits = model, splits, setup.task, setup.logits
        self.setup = setup
        self.signed = setup.logits or setup.scores
        self.name = self.title = setup.experiment.name
        self.threshold = setup.facts.description.get("threshold", 0.5)
        self.point_radius = setup.facts.description.get("point_radius")
        self.target = next(iter(setup.dataset.targets), "")
        self._device = next(model.parameters()).device

    def sketches(self, step: int) -> list[Sketch]:
        """The figures that suit the task and its number of inputs, after ``step`` updates."""
        self.title = f"{self.name}, update {step:,}"
        return [make(self) for suits, make in SKETCHES if suits(self)]

    def _outputs(self, inputs: Tensor) -> Tensor:
        raw = inputs.to(self._device, input_precision(self.model))
        return outputs_of(self.model, raw).double().cpu()

    def _sketch(self, kind: str, name: str, arrays: dict[str, Array], **texts: Any) -> Sketch:
        return Sketch(kind, f"figures/{name}", arrays, {"title": self.title, **texts})

    def _raw(self, data: Data) -> Tensor:
        """(n, features) inputs in their own units."""
        around = self.splits.standardization
        if not data.inputs_standardized or around is None:
            return data.inputs
        return data.inputs * around.scale + around.mean

    def _maps(self) -> Sketch:
        arrays = maps(self.model, self.splits.validation, self.threshold, self.point_radius, self._device)
        return self._sketch("segmentation", "maps", arrays, names=list(self.task.classes))

    def _pixels(self) -> Sketch:
        classes = list(self.task.classes)
        counts = pixel_confusion(self.model, self.splits.validation, len(classes), self.threshold, self._device)
        return self._sketch("confusion_matrix", "confusion", {"counts": counts}, names=classes)

    def _curve(self) -> Sketch:
        return self._sketch("curve_fit", "fit", self._fit())

    def _fit(self) -> dict[str, Array]:
        train = self.splits.train
        grid = self._raw(self.splits.validation)
        if self.splits.truth is None:
            low, high = float(self.splits.low), float(self.splits.high)
            grid = torch.linspace(low, high, 1001, dtype=torch.float64)[:, None]
        arrays = {
            "inputs": _thin(self._raw(train)[:, 0]),
            "targets": _thin(train.targets[:, 0]),
            "grid": _array(grid[:, 0]),
            "prediction": _array(self._outputs(grid)[:, 0]),
        }
        if self.splits.truth is not None:
            arrays["truth"] = _array(self.splits.validation.targets[:, 0])
        return arrays

    @functools.cached_property
    def line(self) -> Line | None:
        """The linear regression that the training is, if it is one."""
        return line_of(self.model, self.setup, self.splits)

    def _least_squares(self) -> Sketch:
        assert self.line is not None
        return self._sketch("coefficients", "least_squares", self.line.arrays(), names=self.line.names)

    def _neurons(self) -> Sketch:
        """What each neuron adds, or where they are too many to be told apart, their weights."""
        assert isinstance(self.model, Steps)
        arrays = self._fit()
        with evaluating(self.model):
            arrays["places"] = _array(self.model.places().double())
            arrays["weights"] = _array(self.model.heights().double())
            if len(arrays["weights"]) <= MOST_ROWS:
                grid = torch.from_numpy(arrays["grid"])[:, None]
                grid = grid.to(self._device, precision_of(self.model))
                arrays["contributions"] = _array(self.model.contributions(grid).double().T)
                arrays["offset"] = _array(self.model.affine[-1].bias.double())
        return self._sketch("neurons", "neurons", arrays)

    def _plane(self, margin: float) -> tuple[Tensor, Tensor, Tensor]:
        """Axes of the two inputs (side,), and all points (side * side, 2), row by row."""
        extent = self.splits.high - self.splits.low
        low, high = self.splits.low - margin * extent, self.splits.high + margin * extent
        axes = [torch.linspace(float(low[i]), float(high[i]), PLANE_SIDE, dtype=torch.float64) for i in (0, 1)]
        # Figures want rows along x2 and columns along x1, as an image lies.
        second, first = torch.meshgrid(axes[1], axes[0], indexing="ij")
        return axes[0], axes[1], torch.stack([first, second], dim=-1).reshape(-1, 2)

    def _surface(self) -> Sketch:
        # Where nothing is known between the samples, they are looked at a little from outside.
        x1, x2, points = self._plane(0.0 if self.splits.truth is not None else MARGIN)
        arrays = {
            "x1": _array(x1),
            "x2": _array(x2),
            "prediction": _square(self._outputs(points)[:, 0]),
            "inputs": _thin(self._raw(self.splits.train)),
        }
        if self.splits.truth is not None:
            arrays["truth"] = _square(self.splits.truth(points)[:, 0])
        else:
            arrays["targets"] = _thin(self.splits.train.targets[:, 0])
        return self._sketch("surface_fit", "fit", arrays)

    def _regions(self) -> Sketch:
        x1, x2, points = self._plane(MARGIN)
        outputs = self._outputs(points)
        arrays = {
            "x1": _array(x1),
            "x2": _array(x2),
            "classes": _square(predicted_classes(outputs, self.task, logits=self.signed)),
            "confidence": _square(self._confidence(outputs)),
            "inputs": _thin(self._raw(self.splits.train)),
            "labels": _thin(self.splits.train.targets.reshape(-1).long()),
        }
        if self.splits.truth is not None:
            arrays["truth"] = _square(self.splits.truth(points)[:, 0])
        return self._sketch("decision_regions", "fit", arrays, names=list(self.task.classes))

    def _confidence(self, outputs: Tensor) -> Tensor:
        """(n,) the probability given to the predicted class; 1 where none is meant."""
        if self.signed and not self.logits:
            return torch.ones(len(outputs))
        if not self.logits:
            first = outputs[:, 0].clamp(0, 1)
            return torch.maximum(first, 1 - first) if self.task.kind == "binary" else (outputs.amax(1).clamp(0, 1))
        if self.task.kind == "binary":
            return outputs[:, 0].abs().sigmoid()
        return outputs.softmax(1).amax(1)

    def _confusion(self) -> Sketch:
        validation = self.splits.validation
        outputs = self._outputs(self._raw(validation))
        predicted = predicted_classes(outputs, self.task, logits=self.signed)
        labels = validation.targets.reshape(-1).long()
        counts = confusion(labels, predicted, len(self.task.classes))
        arrays = {"counts": _array(counts)}
        return self._sketch("confusion_matrix", "confusion", arrays, names=list(self.task.classes))

    def _scatter(self) -> Sketch:
        validation = self.splits.validation
        few = validation.take(torch.arange(len(validation))[:: _stride(len(validation))])
        arrays = {"targets": _array(few.targets[:, 0]), "predictions": _array(self._outputs(self._raw(few))[:, 0])}
        title = f"{self.title}: {self.target}" if self.target else self.title
        return self._sketch("predicted_against_actual", "fit", arrays, title=title)


def _of_numbers(inputs: int) -> Callable[[Pictures], bool]:
    """Suits a regression of so many inputs to one output."""
    return lambda p: not p.task.classes and (p.task.inputs, p.task.outputs) == (inputs, 1)


SKETCHES: tuple[tuple[Callable[[Pictures], bool], Callable[[Pictures], Sketch]], ...] = (
    (lambda p: p.task.is_segmentation, Pictures._maps),
    (lambda p: p.task.is_segmentation and len(p.task.classes) > 2, Pictures._pixels),
    (lambda p: p.task.is_classification and p.task.inputs == 2, Pictures._regions),
    (lambda p: p.task.is_classification, Pictures._confusion),
    (_of_numbers(1), Pictures._curve),
    (lambda p: _of_numbers(1)(p) and isinstance(p.model, Steps), Pictures._neurons),
    (_of_numbers(2), Pictures._surface),
    (lambda p: p.line is not None and p.task.outputs == 1, Pictures._least_squares),
    (lambda p: not (p.task.classes or _of_numbers(1)(p) or _of_numbers(2)(p)), Pictures._scatter),
)
"""Which figures suit a task: whether it does, and what draws it."""


def _array(values: Tensor) -> Array:
    array: Array = values.detach().cpu().numpy()
    return array


def _square(values: Tensor) -> Array:
    return _array(values.reshape(PLANE_SIDE, PLANE_SIDE))


def _thin(values: Tensor) -> Array:
    """At most MOST_POINTS rows, evenly taken."""
    return _array(values[:: _stride(len(values))])


def _stride(count: int) -> int:
    return -(-count // MOST_POINTS) or 1


SHOWN = 4
"""Images, from the first on: the same ones every time, so that they can be watched."""
COUNTED = 64
"""Images whose pixels are counted."""
MOST_RANKED = 1 << 20
"""Pixels that quantiles are taken of; torch refuses more than 16 times as many."""


def maps(
    model: nn.Module, data: ImageData, threshold: float, point_radius: float | None, device: torch.device
) -> dict[str, Array]:
    """A few images of the data with their masks and the network's answers.

    Returns:
        ``images`` (k, H, W) of one channel or (k, H, W, 3), in [0, 1]; ``truth`` and ``predicted``
        (k, H, W) class numbers; ``confidence`` (k, H, W), of two classes the probability of the
        second, of more that of the predicted one.  With a point radius also ``points_true`` and
        ``points_found`` (m, 3): image, row, column.
    """
    few = data.take(torch.arange(min(SHOWN, len(data)))).to(device, precision_of(model))
    inputs, targets = few.rows(torch.arange(len(few)))
    with evaluating(model):
        logits = model(inputs).float()
    confidence, predicted = answers(logits, threshold)
    truth = targets[:, 0] if targets.dim() == 4 else targets
    truth = torch.where(truth == IGNORED, predicted.to(truth), truth)  # no mistake is shown where none counts
    arrays = {
        "images": pictures(inputs.float().cpu()),
        "truth": truth.long().cpu().numpy().astype(np.int32),
        "predicted": predicted.cpu().numpy().astype(np.int32),
        "confidence": confidence.cpu().numpy(),
    }
    if point_radius is not None:
        arrays["points_true"] = _numbered([points_of(mask > 0) for mask in truth])
        arrays["points_found"] = _numbered([peaks(one, threshold, point_radius) for one in confidence])
    return arrays


def pixel_confusion(model: nn.Module, data: ImageData, classes: int, threshold: float, device: torch.device) -> Array:
    """(classes, classes) pixels of some of the images: rows are true classes."""
    few = data.take(torch.arange(min(COUNTED, len(data)))).to(device, precision_of(model))
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    for _, targets, outputs in blocks_through(model, few):
        predicted = predicted_maps(probabilities(outputs), threshold)
        labels = (targets[:, 0] if targets.dim() == 4 else targets).long()
        counts += confusion(labels.flatten(), predicted.flatten(), classes).cpu()
    return _array(counts)


def _numbered(points: list[Tensor]) -> Array:
    """A list of (m, 2) places -> (sum of m, 3), the list's index in front."""
    rows = [np.column_stack([np.full(len(places), index), places.cpu().numpy()]) for index, places in enumerate(points)]
    return np.concatenate(rows)


def pictures(inputs: Tensor, like: Tensor | None = None) -> Array:
    """(b, C, H, W) -> (b, H, W) or (b, H, W, 3) in [0, 1].

    Each image stretched from its darkest to its brightest, a percent at each end left over.

    Args:
        like: the images that the inputs are parts of, where they are.
    """
    flat = (inputs if like is None else like).flatten(1)
    some = flat[:, :: -(-flat.shape[1] // MOST_RANKED)].contiguous()
    low, high = (torch.quantile(some, q, dim=1) for q in (0.01, 0.99))
    room = torch.where(high > low, high - low, torch.ones_like(high))
    stretched = ((inputs - low[:, None, None, None]) / room[:, None, None, None]).clamp(0, 1)
    colours = stretched.permute(0, 2, 3, 1)
    return _array(colours[..., :3] if colours.shape[-1] >= 3 else colours[..., 0])
