"""dataset kind ``bundled``: the data sets that scikit-learn ships with itself."""

from __future__ import annotations

import torch

from nnintro.config.datasets.bundled import BundledDataset
from nnintro.datasets.samples import Data, Splits, balanced_weights, split


def build_bundled(
    dataset: BundledDataset, data: torch.Generator, splitting: torch.Generator, __: torch.dtype
) -> Splits:
    """Load the samples and split them, classes in proportion."""
    everything, names = _loaded(dataset)
    classes = len(dataset.facts.task.classes) or None
    if dataset.used_samples < len(everything):
        _, everything = split(everything, dataset.used_samples, data, classes)
    train, validation = split(everything, dataset.validation_samples, splitting, classes)
    balanced = dataset.class_weights == "balanced" and classes is not None
    return Splits(
        train,
        validation,
        train.inputs.amin(0),
        train.inputs.amax(0),
        facts={"inputs": names},
        class_weights=balanced_weights(train.targets, classes or 0) if balanced else None,
    )


def _loaded(dataset: BundledDataset) -> tuple[Data, list[str]]:
    """All samples in float64, and the names of the inputs."""
    import sklearn.datasets

    # diabetes as it was measured: scikit-learn's own scaling would be undone by ours.
    options = {"scaled": False} if dataset.name == "diabetes" else {}
    bunch = getattr(sklearn.datasets, f"load_{dataset.name}")(**options)
    inputs, targets = torch.from_numpy(bunch.data).double(), torch.from_numpy(bunch.target)
    targets = targets.long() if dataset.facts.task.kind == "multiclass" else targets.double().reshape(len(targets), -1)
    return Data(inputs, targets), list(map(str, bunch.feature_names))
