"""dataset kind ``regression``: synthetic problems, scikit-learn's where it has them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from nnintro.config.dataset import RegressionDataset
from nnintro.datasets.data import Data, Splits, seed_from, split

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


def from_sklearn(name: str) -> Callable[[RegressionDataset, torch.Generator], Clean]:
    """A generator of sklearn.datasets without noise; that is added by us, alike for all."""

    def make(dataset: RegressionDataset, generator: torch.Generator) -> Clean:
        import sklearn.datasets

        options: dict[str, object] = {} if name in _FIXED else {"n_features": dataset.feature_count}
        inputs, targets = getattr(sklearn.datasets, name)(
            n_samples=dataset.samples, random_state=seed_from(generator), **options
        )
        return torch.from_numpy(inputs).double(), torch.from_numpy(targets).double()[:, None], {}

    return make


_FIXED = ("make_friedman2", "make_friedman3")

GENERATORS: dict[str, Callable[[RegressionDataset, torch.Generator], Clean]] = {
    "linear": linear,
    "sine": sine,
    "friedman1": from_sklearn("make_friedman1"),
    "friedman2": from_sklearn("make_friedman2"),
    "friedman3": from_sklearn("make_friedman3"),
    "sparse_uncorrelated": sparse_uncorrelated,
}


def build_regression(
    dataset: RegressionDataset, data: torch.Generator, splitting: torch.Generator
) -> Splits:
    """Draw the samples, add Gaussian noise to the targets, split at random."""
    inputs, clean, facts = GENERATORS[dataset.generator](dataset, data)
    noise = torch.randn(clean.shape, generator=data, dtype=torch.float64)
    drawn = Data(inputs, clean + dataset.noise * noise if dataset.noise else clean)
    train, validation = split(drawn, dataset.validation_samples, splitting)
    low, high = train.inputs.amin(0), train.inputs.amax(0)
    return Splits(train, validation, low, high, facts=facts)
