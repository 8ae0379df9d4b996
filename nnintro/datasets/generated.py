"""Dataset kinds ``regression`` and ``classification``: problems of scikit-learn, and ours."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nnintro.config.datasets.generated import ClassificationDataset, RegressionDataset
from nnintro.datasets.samples import Data, Splits, seed_from, split

Clean = tuple[Tensor, Tensor, dict[str, object]]


def linear(dataset: RegressionDataset, generator: torch.Generator) -> Clean:
    """y = <x, w> + b with normal inputs; the true w and b are drawn where they are not given."""
    n, d, k = dataset.samples, dataset.feature_count, dataset.outputs
    inputs = torch.randn(n, d, generator=generator, dtype=torch.float64)
    weights = torch.randn(d, k, generator=generator, dtype=torch.float64)
    bias = torch.randn(k, generator=generator, dtype=torch.float64)
    if dataset.weights is not None:
        weights = torch.tensor(dataset.weights, dtype=torch.float64)[:, None]
    if dataset.bias is not None:
        bias = torch.tensor([dataset.bias], dtype=torch.float64)
    facts: dict[str, object] = {"true_weights": weights.tolist(), "true_bias": bias.tolist()}
    return inputs, inputs @ weights + bias, facts


def sine(dataset: RegressionDataset, generator: torch.Generator) -> Clean:
    """y = sin(x) over two periods, x uniform on [-2 pi, 2 pi]."""
    uniform = torch.rand(dataset.samples, 1, generator=generator, dtype=torch.float64)
    inputs = (2 * uniform - 1) * 2 * math.pi
    return inputs, inputs.sin(), {}


def sparse_uncorrelated(dataset: RegressionDataset, generator: torch.Generator) -> Clean:
    """y = x1 + 2 x2 - 2 x3 - 1.5 x4 with normal inputs, of which the others do not matter.

    Celeux, El Anbari, Marin and Robert (2012), as scikit-learn's make_sparse_uncorrelated, but that
    one always adds noise of deviation 1; here it is ``noise``, as with the others.
    """
    n, d = dataset.samples, dataset.feature_count
    inputs = torch.randn(n, d, generator=generator, dtype=torch.float64)
    weights = torch.tensor([1.0, 2.0, -2.0, -1.5], dtype=torch.float64)
    return inputs, inputs[:, :4] @ weights[:, None], {}


def regression_of_sklearn(name: str) -> Callable[[RegressionDataset, torch.Generator], Clean]:
    """A generator of sklearn.datasets without noise; that is added by us, alike for all."""

    def make(dataset: RegressionDataset, generator: torch.Generator) -> Clean:
        import sklearn.datasets

        options: dict[str, object] = (
            {} if name in _OF_FIXED_SIZE else {"n_features": dataset.feature_count}
        )
        inputs, targets = getattr(sklearn.datasets, name)(
            n_samples=dataset.samples, random_state=seed_from(generator), **options
        )
        return torch.from_numpy(inputs).double(), torch.from_numpy(targets).double()[:, None], {}

    return make


_OF_FIXED_SIZE = ("make_friedman2", "make_friedman3")


REGRESSIONS: dict[str, Callable[[RegressionDataset, torch.Generator], Clean]] = {
    "linear": linear,
    "sine": sine,
    "friedman1": regression_of_sklearn("make_friedman1"),
    "friedman2": regression_of_sklearn("make_friedman2"),
    "friedman3": regression_of_sklearn("make_friedman3"),
    "sparse_uncorrelated": sparse_uncorrelated,
}


def build_regression(
    dataset: RegressionDataset, data: torch.Generator, splitting: torch.Generator, _: torch.dtype
) -> Splits:
    """Draw the samples, add Gaussian noise to the targets, split at random."""
    inputs, clean, facts = REGRESSIONS[dataset.generator](dataset, data)
    noise = torch.randn(clean.shape, generator=data, dtype=torch.float64)
    drawn = Data(inputs, clean + dataset.noise * noise if dataset.noise else clean)
    train, validation = split(drawn, dataset.validation_samples, splitting)
    low, high = train.inputs.amin(0), train.inputs.amax(0)
    return Splits(train, validation, low, high, facts=facts)


Labelled = tuple[Tensor, Tensor]
"""Inputs (n, features) float64 and labels (n,) int64."""

Generator = Callable[[ClassificationDataset, int, torch.Generator], Labelled]


def classes_of_sklearn(name: str, **fixed: Any) -> Generator:
    """A generator of sklearn.datasets, without its own noise."""

    def make(dataset: ClassificationDataset, n: int, generator: torch.Generator) -> Labelled:
        import sklearn.datasets

        inputs, labels = getattr(sklearn.datasets, name)(
            n_samples=n, random_state=seed_from(generator), **fixed, **_OPTIONS[name](dataset)
        )
        return torch.from_numpy(inputs).double(), torch.from_numpy(labels).long()

    return make


def _hypercube(dataset: ClassificationDataset) -> dict[str, Any]:
    informative = min(dataset.feature_count, max(2, math.ceil(math.log2(dataset.class_count)) + 1))
    return {
        "n_features": dataset.feature_count,
        "n_informative": informative,
        "n_redundant": 0,
        "n_classes": dataset.class_count,
    }


_OPTIONS: dict[str, Callable[[ClassificationDataset], dict[str, Any]]] = {
    "make_moons": lambda _: {},
    "make_circles": lambda _: {},
    "make_blobs": lambda dataset: {
        "n_features": dataset.feature_count,
        "centers": dataset.class_count,
    },
    "make_gaussian_quantiles": lambda dataset: {
        "n_features": dataset.feature_count,
        "n_classes": dataset.class_count,
    },
    "make_classification": _hypercube,
}


def spirals(dataset: ClassificationDataset, n: int, generator: torch.Generator) -> Labelled:
    """One arm per class, turned about the origin: radius t, angle 2 pi (1.5 t + k / classes)."""
    labels = torch.arange(n) % dataset.class_count
    t = torch.rand(n, generator=generator, dtype=torch.float64).sqrt()
    angle = 2 * math.pi * (1.5 * t + labels / dataset.class_count)
    return torch.stack([t * angle.cos(), t * angle.sin()], dim=1), labels


def xor(_: ClassificationDataset, n: int, generator: torch.Generator) -> Labelled:
    """The square [-1, 1] x [-1, 1]; class 1 where the two inputs differ in sign."""
    inputs = 2 * torch.rand(n, 2, generator=generator, dtype=torch.float64) - 1
    # Walk the four quadrants in turn, so that the classes are of equal size.
    quadrant = torch.arange(n) % 4
    signs = torch.stack([1 - 2 * (quadrant // 2), 1 - 2 * (quadrant % 2)], dim=1)
    inputs = inputs.abs() * signs
    return inputs, (inputs[:, 0] * inputs[:, 1] < 0).long()


CLASSIFICATIONS: dict[str, Generator] = {
    "moons": classes_of_sklearn("make_moons"),
    "circles": classes_of_sklearn("make_circles", factor=0.5),
    "xor": xor,
    "spirals": spirals,
    "blobs": classes_of_sklearn("make_blobs"),
    "gaussian_quantiles": classes_of_sklearn("make_gaussian_quantiles"),
    "hypercube": classes_of_sklearn("make_classification", flip_y=0.0, n_clusters_per_class=1),
}


def build_classification(
    dataset: ClassificationDataset,
    data: torch.Generator,
    splitting: torch.Generator,
    _: torch.dtype,
) -> Splits:
    """Draw the samples in the wanted proportions, blur the inputs, split class by class."""
    make = CLASSIFICATIONS[dataset.generator]
    inputs, labels = _in_proportion(dataset, make, data)
    if dataset.noise:
        inputs = inputs + dataset.noise * torch.randn(
            inputs.shape, generator=data, dtype=torch.float64
        )
    classes = dataset.class_count
    targets = labels[:, None].double() if classes == 2 else labels
    train, validation = split(Data(inputs, targets), dataset.validation_samples, splitting, classes)
    low, high = train.inputs.amin(0), train.inputs.amax(0)
    return Splits(train, validation, low, high)


def _in_proportion(
    dataset: ClassificationDataset, make: Generator, generator: torch.Generator
) -> Labelled:
    """As many samples of each class as its share says, whatever the generator's own balance."""
    if dataset.proportions is None:
        return make(dataset, dataset.samples, generator)
    wanted = class_counts(dataset.samples, dataset.proportions)
    # A balanced draw that holds enough of the largest class; sklearn's may be uneven by one.
    inputs, labels = make(dataset, dataset.class_count * (max(wanted) + 1), generator)
    rows = torch.cat([(labels == label).nonzero()[:count, 0] for label, count in enumerate(wanted)])
    rows = rows.sort().values
    return inputs[rows], labels[rows]


def class_counts(samples: int, proportions: list[float]) -> list[int]:
    """Whole numbers in these proportions that add up to ``samples``, each at least 2 if possible.

    Largest remainders (Hamilton's method).
    """
    exact = [share * samples / math.fsum(proportions) for share in proportions]
    counts = [max(int(value), min(2, samples // len(exact))) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda k: counts[k] - exact[k])
    for k in by_remainder[: max(0, samples - sum(counts))]:
        counts[k] += 1
    while sum(counts) > samples:
        counts[counts.index(max(counts))] -= 1
    return counts
