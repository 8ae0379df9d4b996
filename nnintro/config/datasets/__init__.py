"""The ``dataset`` section: where the samples come from; one file a kind."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from nnintro.config.datasets.bundled import BundledDataset
from nnintro.config.datasets.function import FunctionDataset
from nnintro.config.datasets.generated import ClassificationDataset, RegressionDataset
from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.datasets.images import resolved as resolved_images
from nnintro.config.datasets.table import TableDataset

Dataset = Annotated[
    FunctionDataset
    | RegressionDataset
    | ClassificationDataset
    | BundledDataset
    | TableDataset
    | ImagesDataset,
    Field(discriminator="kind"),
]


def resolved(dataset: Any) -> dict[str, Any]:
    """The values that were left to the generator, written out."""
    if isinstance(dataset, ImagesDataset):
        return resolved_images(dataset)
    found: dict[str, Any] = {}
    if isinstance(dataset, RegressionDataset | ClassificationDataset):
        found["features"] = dataset.feature_count
    if isinstance(dataset, ClassificationDataset):
        found["classes"] = dataset.class_count
    return found
