"""Metrics of predicted masks, and of points found as peaks of a probability map."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nnintro.objectives.losses import IGNORED
from nnintro.objectives.metrics import macro_f1

BOUNDARY_TOLERANCE = 2
"""Pixels within which a boundary's pixel counts as met."""


def probabilities(outputs: Tensor) -> Tensor:
    """Logits (b, outputs, H, W) -> (b, classes, H, W); of one output (b, 1, H, W), the class 1."""
    return torch.sigmoid(outputs) if outputs.shape[1] == 1 else torch.softmax(outputs, dim=1)


def predicted_maps(probability: Tensor, threshold: float) -> Tensor:
    """(b, classes, H, W) -> (b, H, W) class numbers.

    The most probable class; of one output, 1 where the probability is at least the threshold.
    """
    if probability.shape[1] == 1:
        return (probability[:, 0] >= threshold).long()
    return probability.argmax(1)


def foreground(probability: Tensor) -> Tensor:
    """(b, classes, H, W) -> (b, H, W): the probability of being anything but the first class."""
    return probability[:, 0] if probability.shape[1] == 1 else 1 - probability[:, 0]


def answers(logits: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """(b, outputs, H, W) logits -> confidence and class number, (b, H, W) each.

    Of two classes the confidence is the probability of the second, of more that of the answer.
    """
    probability = probabilities(logits)
    return probability.amax(1), predicted_maps(probability, threshold)


def overlaps(counts: Tensor) -> dict[str, float]:
    """iou, dice and pixel_accuracy of a whole set, from its counts of pixels.

    With hits TP and pixels FP, FN that are one side's alone: iou TP / (TP + FP + FN), dice
    2 TP / (2 TP + FP + FN).  Of two classes those of the second one, and 1 where neither truth nor
    prediction has any; of more, the mean over the classes that occur in truth or prediction.

    Args:
        counts: (classes, classes), rows are true classes, columns predicted ones.
    """
    hits, sizes = counts.diagonal().double(), (counts.sum(0) + counts.sum(1)).double()
    if len(counts) == 2:
        hit, size = float(hits[1]), float(sizes[1])
        iou, dice = (hit / (size - hit), 2 * hit / size) if size > 0 else (1.0, 1.0)
    else:
        occurs = sizes > 0
        iou = float((hits[occurs] / (sizes[occurs] - hits[occurs])).mean())
        dice = macro_f1(counts)
    accuracy = float(hits.sum() / counts.sum())  # nan where all pixels are ignored
    return {"iou": iou, "dice": dice, "pixel_accuracy": accuracy}


def boundary(masks: Tensor, known: Tensor | None = None) -> Tensor:
    """(b, H, W) bool -> the masks' pixels with one of four neighbours outside of the mask.

    The image's edge is not one: what is beyond it is not known; nor is one where ``known`` is false.
    """
    out = ~masks if known is None else ~masks & known
    masks = masks if known is None else masks & known
    outside = functional.pad(out.float()[:, None], (1, 1, 1, 1))
    beside = torch.maximum(outside[..., 1:-1, :-2], outside[..., 1:-1, 2:])
    above = torch.maximum(outside[..., :-2, 1:-1], outside[..., 2:, 1:-1])
    return masks & (torch.maximum(beside, above)[:, 0] > 0)


def within(masks: Tensor, distance: int) -> Tensor:
    """(b, H, W) bool -> the pixels whose Euclidean distance from the mask is at most that."""
    steps = torch.arange(-distance, distance + 1, device=masks.device)
    disk = (steps[:, None].square() + steps.square() <= distance**2).float()
    near = functional.conv2d(masks.float()[:, None], disk[None, None], padding=distance)
    return near[:, 0] > 0.5


def boundary_f1(true: Tensor, predicted: Tensor, known: Tensor | None = None) -> Tensor:
    """(b, H, W) bool each -> (b,) F1 of the boundaries (Csurka, Larlus and Perronnin, 2013).

    Precision is the share of the predicted boundary within 2 pixels of the true one, recall that of
    the true within 2 pixels of the predicted.  1 where there is neither, 0 where one is missing.

    Args:
        known: (b, H, W) bool, the pixels that count; all by default.
    """
    ours, theirs = boundary(predicted, known), boundary(true, known)
    correct = (ours & within(theirs, BOUNDARY_TOLERANCE)).sum((1, 2)).double()
    met = (theirs & within(ours, BOUNDARY_TOLERANCE)).sum((1, 2)).double()
    our_size, their_size = ours.sum((1, 2)).double(), theirs.sum((1, 2)).double()
    precision, recall = correct / our_size.clamp(min=1), met / their_size.clamp(min=1)
    score = 2 * precision * recall / (precision + recall).clamp(min=1e-12)
    return torch.where((our_size == 0) & (their_size == 0), 1.0, score)


def boundary_scores(true: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """(b, H, W) class numbers each -> (b,) boundary F1; true ones may be IGNORED.

    Of two classes that of the second; of more, the mean over those that the image has, in truth or
    prediction.
    """
    unknown = true == IGNORED
    known = ~unknown if bool(unknown.any()) else None
    if classes == 2:
        return boundary_f1(true == 1, predicted == 1, known)
    total = torch.zeros(len(true), dtype=torch.float64, device=true.device)
    occurring = torch.zeros_like(total)
    for k in range(classes):
        ours, theirs = predicted == k, true == k
        occurs = ((ours & ~unknown) | theirs).flatten(1).any(1)
        total += torch.where(occurs, boundary_f1(theirs, ours, known), 0.0)
        occurring += occurs
    return torch.where(occurring > 0, total / occurring.clamp(min=1), 1.0)


def peaks(probability: Tensor, threshold: float, separation: float) -> Tensor:
    """(H, W) -> (k, 2) rows and columns, from the highest peak down, in float64.

    A peak is a pixel of at least the threshold that none of its eight neighbours exceeds, and that
    has no higher peak less than ``separation`` pixels away; of equals (a plateau) the one in the
    brightest surroundings.  Its place is the centre of mass of the 3x3 pixels around it.
    """
    p = probability.detach().double().cpu()
    highest = functional.max_pool2d(p[None], 3, stride=1, padding=1)[0]
    candidates = ((p >= threshold) & (p == highest)).nonzero()
    around, mean = 2 * min(int(separation), *p.shape) + 1, p[None]
    for _ in range(2):  # twice: what is near counts more than what is far
        mean = functional.avg_pool2d(mean, around, stride=1, padding=around // 2)
    # Lexicographic: by height, then by surroundings, then by place.
    for values in (mean[0], p):
        order = values[candidates[:, 0], candidates[:, 1]].argsort(descending=True, stable=True)
        candidates = candidates[order]
    # Each peak that is kept takes the pixels around it: a plateau of n is walked in n steps.
    reach = min(int(separation), max(p.shape))
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    far = rows**2 + columns**2 >= separation**2
    free = np.ones([side + 2 * reach for side in p.shape], bool)  # with a margin for discs at the border
    centres = []
    for row, column in candidates.tolist():
        if free[row + reach, column + reach]:
            centres.append(_centre(p, row, column))
            free[row : row + 2 * reach + 1, column : column + 2 * reach + 1] &= far
    return torch.stack(centres) if centres else torch.zeros(0, 2, dtype=torch.float64)


def _centre(p: Tensor, row: int, column: int) -> Tensor:
    """(2,) the centre of mass of the 3x3 pixels around one, of those that there are."""
    top, left = max(row - 1, 0), max(column - 1, 0)
    near = p[top : row + 2, left : column + 2]
    rows = top + torch.arange(near.shape[0], dtype=torch.float64)
    columns = left + torch.arange(near.shape[1], dtype=torch.float64)
    return torch.stack([(near.sum(1) * rows).sum(), (near.sum(0) * columns).sum()]) / near.sum()


def match_points(predicted: Tensor, true: Tensor, radius: float) -> int:
    """The largest number of pairs no farther apart than ``radius``, each point in one at most.

    Exactly the largest (Hopcroft and Karp, 1973): taking the nearest pair first can miss some.

    Args:
        predicted, true: (k, 2) and (m, 2) rows and columns.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if len(predicted) == 0 or len(true) == 0:
        return 0
    near = csr_array((torch.cdist(predicted.double(), true.double()) <= radius).numpy())
    return int((maximum_bipartite_matching(near) >= 0).sum())


def precision_recall(hits: int, predicted: int, true: int) -> dict[str, float]:
    """Of the points of a whole set.

    With no predicted points, precision is 1 if there are also no true points, else 0.
    Without true points, recall is 1.
    """
    precision = hits / predicted if predicted else float(true == 0)
    return {"precision": precision, "recall": hits / true if true else 1.0}


def points_of(mask: Tensor) -> Tensor:
    """(height, width) bool -> (k, 2) float64: the centroid (row, column) of each spot.

    A spot is a connected component (8-connectivity); they come in the order of their first pixel,
    row by row.
    """
    from scipy import ndimage

    spots, _ = ndimage.label(mask.cpu().numpy(), structure=np.ones((3, 3)))
    rows, columns = spots.nonzero()
    number = spots[rows, columns] - 1
    size = np.bincount(number)
    centres = [np.bincount(number, weights=places) / size for places in (rows, columns)]
    return torch.from_numpy(np.stack(centres, axis=1))
