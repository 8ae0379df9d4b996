"""What a segmentation does with a few images, as arrays to be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnintro.datasets.images import ImageData, points_of
from nnintro.models import precision_of
from nnintro.training.evaluation import evaluating
from nnintro.training.metrics import confusion
from nnintro.training.segmentation import blocks_through, predicted_maps, probabilities
from nnintro.training.segmentation_metrics import peaks

SHOWN = 4
"""Images, from the first on: the same ones every time, so that they can be watched."""

COUNTED = 64
"""Images whose pixels are counted."""
MOST_RANKED = 1 << 20
"""Pixels that quantiles are taken of; torch refuses more than 16 times as many."""

Array = np.ndarray[Any, Any]


def maps(
    model: nn.Module,
    data: ImageData,
    threshold: float,
    point_radius: float | None,
    device: torch.device,
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
    arrays = {
        "images": pictures(inputs.float().cpu()),
        "truth": truth.long().cpu().numpy().astype(np.int32),
        "predicted": predicted.cpu().numpy().astype(np.int32),
        "confidence": confidence.cpu().numpy(),
    }
    if point_radius is not None:
        arrays["points_true"] = _numbered([points_of(mask > 0) for mask in truth])
        found = [peaks(one, threshold, point_radius) for one in confidence]
        arrays["points_found"] = _numbered(found)
    return arrays


def pixel_confusion(
    model: nn.Module, data: ImageData, classes: int, threshold: float, device: torch.device
) -> Array:
    """(classes, classes) pixels of some of the images: rows are true classes."""
    few = data.take(torch.arange(min(COUNTED, len(data)))).to(device, precision_of(model))
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    for _, targets, outputs in blocks_through(model, few):
        predicted = predicted_maps(probabilities(outputs), threshold)
        labels = (targets[:, 0] if targets.dim() == 4 else targets).long()
        counts += confusion(labels.flatten(), predicted.flatten(), classes).cpu()
    found: Array = counts.numpy()
    return found


def _numbered(points: list[Tensor]) -> Array:
    """A list of (m, 2) places -> (sum of m, 3), the list's index in front."""
    rows = [
        np.column_stack([np.full(len(places), index), places.cpu().numpy()])
        for index, places in enumerate(points)
    ]
    return np.concatenate(rows)


def answers(logits: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """(b, outputs, H, W) logits -> confidence and class number, (b, H, W) each.

    Of two classes the confidence is the probability of the second, of more that of the answer.
    """
    probability = probabilities(logits)
    return probability.amax(1), predicted_maps(probability, threshold)


def pictures(inputs: Tensor) -> Array:
    """(b, C, H, W) -> (b, H, W) or (b, H, W, 3) in [0, 1].

    Each image stretched from its darkest to its brightest, a percent at each end left over.
    """
    flat = inputs.flatten(1)
    some = flat[:, :: -(-flat.shape[1] // MOST_RANKED)].contiguous()
    low, high = (torch.quantile(some, q, dim=1) for q in (0.01, 0.99))
    room = torch.where(high > low, high - low, torch.ones_like(high))
    stretched = ((inputs - low[:, None, None, None]) / room[:, None, None, None]).clamp(0, 1)
    colours = stretched.permute(0, 2, 3, 1)
    found: Array = (colours[..., :3] if colours.shape[-1] >= 3 else colours[..., 0]).numpy()
    return found
