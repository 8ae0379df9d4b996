"""dataset kind ``images``: folders of images and masks, or images made up by a rule."""

from __future__ import annotations

from nnintro.datasets.images.build import build_images, images_with_masks
from nnintro.datasets.images.data import ImageBatches, ImageData
from nnintro.datasets.images.files import Format, image_files
from nnintro.datasets.images.fitting import read_image
from nnintro.objectives.segmentation import points_of

__all__ = [
    "Format",
    "ImageBatches",
    "ImageData",
    "build_images",
    "image_files",
    "images_with_masks",
    "points_of",
    "read_image",
]
