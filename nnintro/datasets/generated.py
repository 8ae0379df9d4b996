"""Dataset kinds ``regression`` and ``classification``: problems of scikit-learn, and ours."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nnintro.config.datasets.generated import ClassificationDataset, RegressionDataset
from nnintro.datasets.function import finite_values
from nnintro.datasets.samples import Data, Splits, Truth, noisy, split
from nnintro.errors import ConfigError
from nnintro.formula import parse, torch_function

Drawn = tuple[Tensor, Tensor, dict[str, object]]
"""Inputs (n, features) float64; noise-free targets (n,) or (n, outputs), or class numbers (n,); what the run should
state."""
Generator = Callable[[Any, int, torch.Generator], Drawn]
"""(section, samples, stream) -> what is drawn."""


def seed_from(generator: torch.Generator) -> int:
    """A seed for libraries that take a number, drawn from our own stream."""
    return int(torch.randint(2**31 - 1, (), generator=generator))


def of_sklearn(name: str, options: Callable[[Any], dict[str, Any]] = lambda _: {}) -> Generator:
    """A generator of sklearn.datasets, without noise of its own: that is added by us, alike for all.

    Args:
        options: section -> what the generator takes besides.
    """

    def make(dataset: Any, samples: int, generator: torch.Generator) -> Drawn:
        import sklearn.datasets

        inputs, targets = getattr(sklearn.datasets, name)(
            n_samples=samples, random_state=seed_from(generator), **options(dataset)
        )
        return torch.from_numpy(inputs).double(), torch.from_numpy(targets), {}

    return make


def linear(dataset: RegressionDataset, n: int, generator: torch.Generator) -> Drawn:
    """y = <x, w> + b with normal inputs; the true w and b are drawn where they are not given."""
    d, k = dataset.feature_count, dataset.outputs
    inputs = torch.randn(n, d, generator=generator, dtype=torch.float64)
    weights = torch.randn(d, k, generator=generator, dtype=torch.float64)
    bias = torch.randn(k, generator=generator, dtype=torch.float64)
    if dataset.weights is not None:
        weights = torch.tensor(dataset.weights, dtype=torch.float64)[:, None]
    if dataset.bias is not None:
        bias = torch.tensor([dataset.bias], dtype=torch.float64)
    return inputs, inputs @ weights + bias, {"true_weights": weights.tolist(), "true_bias": bias.tolist()}


def sine(_: RegressionDataset, n: int, generator: torch.Generator) -> Drawn:
    """y = sin(x) over two periods, x uniform on [-2 pi, 2 pi]."""
    inputs = (2 * torch.rand(n, 1, generator=generator, dtype=torch.float64) - 1) * 2 * math.pi
    return inputs, inputs.sin(), {}


def sparse_uncorrelated(dataset: RegressionDataset, n: int, generator: torch.Generator) -> Drawn:
    """y = x1 + 2 x2 - 2 x3 - 1.5 x4 with normal inputs, of which the others do not matter.

    Celeux, El Anbari, Marin and Robert (2012), as scikit-learn's make_sparse_uncorrelated, but that
    one always adds noise of deviation 1; here it is ``noise``, as with the others.
    """
    inputs = torch.randn(n, dataset.feature_count, generator=generator, dtype=torch.float64)
    weights = torch.tensor([1.0, 2.0, -2.0, -1.5], dtype=torch.float64)
    return inputs, inputs[:, :4] @ weights[:, None], {}


REGRESSIONS: dict[str, Generator] = {
    "linear": linear,
    "sine": sine,
    "friedman1": of_sklearn("make_friedman1", lambda dataset: {"n_features": dataset.feature_count}),
    "friedman2": of_sklearn("make_friedman2"),
    "friedman3": of_sklearn("make_friedman3"),
    "sparse_uncorrelated": sparse_uncorrelated,
}


def build_regression(
    dataset: RegressionDataset, data: torch.Generator, splitting: torch.Generator, _: torch.dtype
) -> Splits:
    """Draw the samples, add Gaussian noise to the targets, split at random."""
    inputs, clean, facts = REGRESSIONS[dataset.generator](dataset, dataset.samples, data)
    drawn = Data(inputs, noisy(clean.double().reshape(len(inputs), -1), dataset.noise, data))
    train, validation = split(drawn, dataset.validation_samples, splitting)
    return Splits(train, validation, train.inputs.amin(0), train.inputs.amax(0), facts=facts)


def _quantiles(dataset: ClassificationDataset) -> dict[str, Any]:
    return {"n_features": dataset.feature_count, "n_classes": dataset.class_count}


def _hypercube(dataset: ClassificationDataset) -> dict[str, Any]:
    # Each class has corners of its own: enough informative inputs for twice as many as there are.
    informative = min(dataset.feature_count, max(2, math.ceil(math.log2(dataset.class_count)) + 1))
    options = {"n_informative": informative, "n_redundant": 0, "n_clusters_per_class": 1, "flip_y": 0.0}
    return {**_quantiles(dataset), **options}


def spirals(dataset: ClassificationDataset, n: int, generator: torch.Generator) -> Drawn:
    """One arm per class, turned about the origin: radius t, angle 2 pi (1.5 t + k / classes)."""
    labels = torch.arange(n) % dataset.class_count
    t = torch.rand(n, generator=generator, dtype=torch.float64).sqrt()
    angle = 2 * math.pi * (1.5 * t + labels / dataset.class_count)
    return torch.stack([t * angle.cos(), t * angle.sin()], dim=1), labels, {}


def xor(_: ClassificationDataset, n: int, generator: torch.Generator) -> Drawn:
    """The square [-1, 1] x [-1, 1]; class 1 where the two inputs differ in sign."""
    inputs = 2 * torch.rand(n, 2, generator=generator, dtype=torch.float64) - 1
    # Walk the four quadrants in turn, so that the classes are of equal size.
    quadrant = torch.arange(n) % 4
    signs = torch.stack([1 - 2 * (quadrant // 2), 1 - 2 * (quadrant % 2)], dim=1)
    inputs = inputs.abs() * signs
    return inputs, (inputs[:, 0] * inputs[:, 1] < 0).long(), {}


def of_formula(dataset: ClassificationDataset, n: int, generator: torch.Generator) -> Drawn:
    """Uniform in the domain; class 1 where the formula is above 0.

    Raises:
        ConfigError: it has no value at a sample, or one class only, or too few samples of one to split.
    """
    domain = torch.tensor(dataset.box, dtype=torch.float64)  # (inputs, 2)
    low, high = domain[:, 0], domain[:, 1]
    inputs = low + (high - low) * torch.rand(n, len(low), generator=generator, dtype=torch.float64)
    labels = (finite_values(class_formula(dataset), inputs)[:, 0] > 0).long()
    counts = torch.bincount(labels, minlength=2).tolist()
    if min(counts) < 2:
        least = counts.index(min(counts))
        where = "above 0" if least else "not above 0"
        message = f"{where} at {counts[least]} of the {n:,} samples: each class needs two, one to validate with"
        raise ConfigError.at("dataset.formula", message)
    return inputs, labels, {"samples_of_each_class": counts}


def class_formula(dataset: ClassificationDataset) -> Truth:
    """(n, inputs) -> (n, 1), above 0 in class 1."""
    return torch_function(parse(dataset.formula or "", len(dataset.box)))


CLASSIFICATIONS: dict[str, Generator] = {
    "moons": of_sklearn("make_moons"),
    "circles": of_sklearn("make_circles", lambda _: {"factor": 0.5}),
    "xor": xor,
    "spirals": spirals,
    "blobs": of_sklearn("make_blobs", lambda d: {"n_features": d.feature_count, "centers": d.class_count}),
    "gaussian_quantiles": of_sklearn("make_gaussian_quantiles", _quantiles),
    "hypercube": of_sklearn("make_classification", _hypercube),
    "formula": of_formula,
}


def build_classification(
    dataset: ClassificationDataset, data: torch.Generator, splitting: torch.Generator, _: torch.dtype
) -> Splits:
    """Draw the samples in the wanted proportions, blur the inputs, split class by class."""
    inputs, labels, facts = _in_proportion(dataset, CLASSIFICATIONS[dataset.generator], data)
    inputs = noisy(inputs, dataset.noise, data)
    classes = dataset.class_count
    targets = labels[:, None].double() if classes == 2 else labels.long()
    train, validation = split(Data(inputs, targets), dataset.validation_samples, splitting, classes)
    low, high, truth = train.inputs.amin(0), train.inputs.amax(0), None
    if dataset.generator == "formula":
        low, high = torch.tensor(dataset.box, dtype=torch.float64).unbind(1)
        truth = class_formula(dataset)
    return Splits(train, validation, low, high, truth, facts)


def _in_proportion(dataset: ClassificationDataset, make: Generator, generator: torch.Generator) -> Drawn:
    """As many samples of each class as its share says, whatever the generator's own balance."""
    if dataset.proportions is None:
        return make(dataset, dataset.samples, generator)
    wanted = class_counts(dataset.samples, dataset.proportions)
    # A balanced draw that holds enough of the largest class; sklearn's may be uneven by one.
    inputs, labels, facts = make(dataset, dataset.class_count * (max(wanted) + 1), generator)
    rows = torch.cat([(labels == label).nonzero()[:count, 0] for label, count in enumerate(wanted)]).sort().values
    return inputs[rows], labels[rows], facts


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
