"""Point sources of a mask."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def points_of(mask: Tensor) -> Tensor:
    """(height, width) bool -> (k, 2) float64: the centroid (row, column) of each spot.

    A spot is what hangs together over sides and corners; they come in the order of their first
    pixel, row by row.
    """
    from scipy import ndimage

    spots, count = ndimage.label(mask.cpu().numpy(), structure=np.ones((3, 3)))
    if count == 0:
        return torch.zeros(0, 2, dtype=torch.float64)
    rows, columns = spots.nonzero()
    number = spots[rows, columns] - 1
    size = np.bincount(number)
    centres = [np.bincount(number, weights=places) / size for places in (rows, columns)]
    return torch.from_numpy(np.stack(centres, axis=1))
