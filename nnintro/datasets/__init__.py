"""Dataset section -> tensors of inputs and targets, split for training and validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from nnintro.config.experiment import Setup
from nnintro.datasets.bundled import build_bundled
from nnintro.datasets.function import build_function
from nnintro.datasets.generated import build_classification, build_regression
from nnintro.datasets.samples import Data, Samples, Splits
from nnintro.formula.tree import variable_names

__all__ = ["DATASETS", "Data", "Kind", "Samples", "Splits", "build_dataset", "input_names"]


@dataclass(frozen=True)
class Kind:
    """What the rest of the code may ask of a kind of dataset."""

    build: Callable[[Any, torch.Generator, torch.Generator, torch.dtype], Splits[Any]]
    """(section, stream that draws, stream that splits, type of the run) -> its data."""
    reading: Callable[[Mapping[str, Any]], Any] | None = None
    """``DataFacts.description`` -> how another file is read as the training's was, which has a ``task``; raises a
    ValueError of one line where it is not in nnintro's format."""


# What reads files is loaded with the first run that has some: it is a third of this package's time.


def _build_table(*arguments: Any) -> Splits[Any]:
    from nnintro.datasets.tables import build_table

    return build_table(*arguments)


def _encoding(description: Mapping[str, Any]) -> Any:
    from nnintro.datasets.tables import Encoding

    return Encoding.from_description(description)


def _build_images(*arguments: Any) -> Splits[Any]:
    from nnintro.datasets.images import build_images

    return build_images(*arguments)


def _format(description: Mapping[str, Any]) -> Any:
    from nnintro.datasets.images import ImageFormat

    return ImageFormat.from_description(description)


DATASETS = {
    "function": Kind(build_function),
    "regression": Kind(build_regression),
    "classification": Kind(build_classification),
    "bundled": Kind(build_bundled),
    "table": Kind(_build_table, _encoding),
    "images": Kind(_build_images, _format),
}


def input_names(setup: Setup) -> list[str]:
    """The names of the inputs: ``x``, or ``x1``, ``x2``, ...; of a table such as ``area``, ``city=Ulm``."""
    read = DATASETS[setup.dataset.kind].reading
    if read is None or setup.task.image is not None:
        return list(variable_names(setup.task.inputs))
    return list(read(setup.facts.description).feature_names)


def build_dataset(dataset: Any, data: torch.Generator, splitting: torch.Generator, dtype: torch.dtype) -> Splits[Any]:
    """Build the data of a dataset section.

    Args:
        data: the stream that draws the samples.
        splitting: the stream that shares them out.
        dtype: of the run; large tables are never held in another.

    Raises:
        DataError: files that cannot be read or used.
        ConfigError: the section asks for something that its files do not have.
    """
    return DATASETS[dataset.kind].build(dataset, data, splitting, dtype)
