"""What a valid config should still be told about: choices that train less than they seem to."""

from __future__ import annotations

from nnintro.config.experiment import Setup
from nnintro.config.models.unet import UnetModel


def notes(setup: Setup) -> list[str]:
    """Sentences for the user, none for most configs."""
    if setup.total_updates == 0:
        return []  # nothing is trained
    return [*setup.model.notes(), *_of_blocks(setup)]


def _of_blocks(setup: Setup) -> list[str]:
    """Batch normalization makes a block's size part of the mathematics."""
    model, n = setup.model, setup.training_samples
    in_blocks = setup.descent.variant == "batch" and setup.batch_size < n
    if not isinstance(model, UnetModel) or not in_blocks or model.normalization != "batch":
        return []
    return [
        "batch normalization takes its means over a block, not over all the data: in blocks of "
        f"{setup.batch_size} this is not the update over all {n} images at once; "
        "normalization: group (or none) makes it so, for every size of block"
    ]
