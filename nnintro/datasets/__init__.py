"""Dataset section -> tensors of inputs and targets, split for training and validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from nnintro.datasets.classification import build_classification
from nnintro.datasets.data import Data, Splits
from nnintro.datasets.function import build_function
from nnintro.datasets.regression import build_regression

__all__ = ["DATASETS", "Data", "Splits", "build_dataset"]

DATASETS: dict[str, Callable[[Any, torch.Generator, torch.Generator], Splits]] = {
    "function": build_function,
    "regression": build_regression,
    "classification": build_classification,
}


def build_dataset(dataset: Any, data: torch.Generator, splitting: torch.Generator) -> Splits:
    """Build the data of a dataset section.

    Args:
        data: the stream that draws the samples.
        splitting: the stream that shares them out.
    """
    return DATASETS[dataset.kind](dataset, data, splitting)
