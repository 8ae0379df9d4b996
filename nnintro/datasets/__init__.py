"""Dataset section -> tensors of inputs and targets, split for training and validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from nnintro.datasets.bundled import build_bundled
from nnintro.datasets.function import build_function
from nnintro.datasets.generated import build_classification, build_regression
from nnintro.datasets.samples import Data, Samples, Splits

__all__ = [
    "DATASETS",
    "Data",
    "Samples",
    "Splits",
    "build_dataset",
]

# What reads files is loaded with the first run that has some: it is a third of this package's time.


def build_table(*arguments: Any) -> Splits[Any]:
    """See ``nnintro.datasets.tables.build_table``."""
    from nnintro.datasets.tables import build_table

    return build_table(*arguments)


def build_images(*arguments: Any) -> Splits[Any]:
    """See ``nnintro.datasets.images.build_images``."""
    from nnintro.datasets.images import build_images

    return build_images(*arguments)


DATASETS: dict[str, Callable[..., Splits[Any]]] = {
    "function": build_function,
    "regression": build_regression,
    "classification": build_classification,
    "bundled": build_bundled,
    "table": build_table,
    "images": build_images,
}
"""kind -> (section, stream that draws, stream that splits) -> its data; see ``build_dataset``."""


def build_dataset(
    dataset: Any, data: torch.Generator, splitting: torch.Generator, dtype: torch.dtype
) -> Splits[Any]:
    """Build the data of a dataset section.

    Args:
        data: the stream that draws the samples.
        splitting: the stream that shares them out.
        dtype: of the run; large tables are never held in another.

    Raises:
        DataError: files that cannot be read or used.
        ConfigError: the section asks for something that its files do not have.
    """
    if dataset.kind == "table":
        return build_table(dataset, data, splitting, dtype)
    return DATASETS[dataset.kind](dataset, data, splitting)
