"""Datasets: what is drawn, how it is split, and from which streams."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.datasets
import torch
from hypothesis import given
from hypothesis import strategies as st

from nnintro.config.datasets.generated import CLASSIFICATION_SHAPES, REGRESSION_FEATURES
from nnintro.config.load import load_config
from nnintro.datasets import DATASETS
from nnintro.datasets.generated import CLASSIFICATIONS as CLASSIFIERS
from nnintro.datasets.generated import REGRESSIONS, class_counts, seed_from
from nnintro.datasets.samples import class_quota
from nnintro.descent.streams import stream
from nnintro.errors import ConfigError
from nnintro.training.setup import build_data
from tests.support import config


def splits_of(seed=0, **dataset):
    values = config(dataset=dataset, seed=seed, descent={"batch_size": 1})
    loaded = load_config(values)
    return build_data(loaded.experiment)


def test_the_lectures_function():
    splits = splits_of(kind="function", formula="lecture", samples=1000)
    x = np.linspace(0, 1, 1000)
    y = 0.2 + 0.4 * x**2 + 0.3 * x * np.sin(15 * x) + 0.1 * np.cos(50 * x)
    np.testing.assert_allclose(splits.train.targets[:, 0], y, rtol=1e-13)
    assert len(splits.validation) == 2001
    np.testing.assert_allclose(splits.validation.inputs[:, 0], np.linspace(0, 1, 2001))


def test_noise_is_on_the_training_targets_alone():
    quiet = splits_of(kind="function", formula="x", samples=5000)
    noisy = splits_of(kind="function", formula="x", samples=5000, noise=0.3)
    difference = noisy.train.targets - quiet.train.targets
    assert float(difference.std()) == pytest.approx(0.3, rel=0.05)
    assert torch.equal(noisy.validation.targets, quiet.validation.targets)


def test_a_grid_over_two_inputs_is_regular():
    domain = [[0, 1], [-2, 2]]
    splits = splits_of(kind="function", formula="x1 + 10*x2", domain=domain, samples=25)
    a, b = np.meshgrid(np.linspace(0, 1, 5), np.linspace(-2, 2, 5), indexing="ij")
    np.testing.assert_allclose(splits.train.inputs, np.stack([a.ravel(), b.ravel()], 1))
    np.testing.assert_allclose(splits.train.targets[:, 0], a.ravel() + 10 * b.ravel())
    assert len(splits.validation) == 141**2


def test_uniform_sampling_fills_the_box():
    domain = [[0, 1], [-2, 2]]
    splits = splits_of(kind="function", formula="x1*x2", domain=domain, samples=4000, sampling="uniform")
    assert splits.train.inputs.amin(0).tolist() == pytest.approx([0, -2], abs=0.02)
    assert splits.train.inputs.amax(0).tolist() == pytest.approx([1, 2], abs=0.02)
    np.testing.assert_allclose(splits.train.inputs.mean(0), [0.5, 0], atol=0.05)


def test_many_inputs_are_validated_inside_the_box():
    domain = [[0, 1]] * 6
    splits = splits_of(kind="function", formula="x1+x6", domain=domain, samples=100, sampling="uniform")
    inputs = splits.validation.inputs
    assert inputs.shape == (20_000, 6)
    inside = ((inputs > 0.1) & (inputs < 0.9)).all(1).double().mean()
    assert float(inside) == pytest.approx(0.8**6, rel=0.05)


def test_a_formula_that_breaks_down_between_the_checked_points_is_a_located_error():
    # log of a number that is negative in a sliver of the domain, met by a dense training grid
    formula = "log(abs(x - 0.50001) - 0.000005)"
    with pytest.raises(ConfigError, match=r"dataset.formula: not a finite number at x = 0.50001"):
        splits_of(kind="function", formula=formula, samples=100_001)


def test_linear_regression_is_its_weights():
    splits = splits_of(kind="regression", generator="linear", weights=[2.0, -1.0], bias=0.5, samples=50)
    expected = splits.train.inputs @ torch.tensor([[2.0], [-1.0]], dtype=torch.float64) + 0.5
    torch.testing.assert_close(splits.train.targets, expected)
    assert splits.facts == {"true_weights": [[2.0], [-1.0]], "true_bias": [0.5]}


def test_linear_regression_with_several_outputs():
    splits = splits_of(kind="regression", generator="linear", features=3, outputs=2, samples=50)
    weights = torch.tensor(splits.facts["true_weights"], dtype=torch.float64)
    bias = torch.tensor(splits.facts["true_bias"], dtype=torch.float64)
    torch.testing.assert_close(splits.train.targets, splits.train.inputs @ weights + bias)


@pytest.mark.parametrize("name", ["friedman1", "friedman2", "friedman3"])
def test_friedmans_functions_are_sklearns(name):
    splits = splits_of(kind="regression", generator=name, samples=60)
    seed = seed_from(stream(0, "data"))
    x, y = getattr(sklearn.datasets, f"make_{name}")(60, random_state=seed)
    inputs = torch.cat([splits.train.inputs, splits.validation.inputs])
    assert sorted(inputs[:, 0].tolist()) == pytest.approx(sorted(x[:, 0]))
    together = torch.cat([splits.train.targets, splits.validation.targets])[:, 0]
    assert sorted(together.tolist()) == pytest.approx(sorted(y))


FORMULAS = {
    "sine": lambda x: np.sin(x[0]),
    "friedman1": lambda x: 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4],
    "friedman2": lambda x: np.sqrt(x[0] ** 2 + (x[1] * x[2] - 1 / (x[1] * x[3])) ** 2),
    "friedman3": lambda x: np.arctan((x[1] * x[2] - 1 / (x[1] * x[3])) / x[0]),
    "sparse_uncorrelated": lambda x: x[0] + 2 * x[1] - 2 * x[2] - 1.5 * x[3],
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_without_noise_the_targets_are_the_formula(name):
    splits = splits_of(kind="regression", generator=name, samples=200)
    weights, bias = (np.array(splits.facts.get(f"true_{key}", 0)) for key in ("weights", "bias"))
    formula = FORMULAS.get(name, lambda x: x.T @ weights[:, 0] + bias[0])
    assert name in FORMULAS or name == "linear"
    for part in (splits.train, splits.validation):
        expected = formula(part.inputs.numpy().T)
        assert expected.std() > 0.1
        assert np.allclose(part.targets[:, 0].numpy(), expected, rtol=1e-12, atol=1e-12)
    noisy = splits_of(kind="regression", generator=name, samples=4000, noise=0.5)
    if name != "linear":
        left = noisy.train.targets[:, 0].numpy() - formula(noisy.train.inputs.numpy().T)
        assert left.std() == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("name", REGRESSIONS)
def test_every_regression(name):
    splits = splits_of(kind="regression", generator=name, samples=100, noise=0.1)
    features = REGRESSION_FEATURES[name][2]
    assert splits.train.inputs.shape == (80, features)
    assert splits.validation.targets.shape == (20, 1)
    assert bool(splits.train.targets.isfinite().all())


def labels(data):
    return data.targets.reshape(-1).long()


@pytest.mark.parametrize("name", sorted(set(CLASSIFIERS) - {"formula"}))  # whose classes are as large as it says
@pytest.mark.parametrize("classes", [2, 3])
def test_every_classification(name, classes):
    fixed = CLASSIFICATION_SHAPES[name][1]
    classes = fixed or classes
    splits = splits_of(kind="classification", generator=name, classes=classes, samples=300)
    assert splits.train.inputs.shape == (240, 2)
    assert splits.train.targets.shape == ((240, 1) if classes == 2 else (240,))
    for data, size in ((splits.train, 80), (splits.validation, 20)):
        counts = torch.bincount(labels(data), minlength=classes)
        wanted = size * 3 / classes
        assert counts.tolist() == pytest.approx([wanted] * classes, abs=2)


def test_classes_by_a_formula():
    domain = [[-2, 1], [0, 3]]
    formula = {"formula": "x2 - x1**2", "domain": domain}
    splits = splits_of(kind="classification", generator="formula", samples=5000, **formula)
    everything = torch.cat([splits.train.inputs, splits.validation.inputs])
    for data in (splits.train, splits.validation):
        x = data.inputs.numpy()
        np.testing.assert_array_equal(labels(data).numpy(), (x[:, 1] > x[:, 0] ** 2).astype(int))
    for column, (low, high) in enumerate(domain):  # uniform, by Kolmogorov and Smirnov at 1 in 1,000
        found = np.sort((everything[:, column].numpy() - low) / (high - low))
        assert abs(found - (np.arange(5000) + 0.5) / 5000).max() < 1.95 / math.sqrt(5000)
    assert splits.low.tolist() == [-2, 0]
    assert splits.high.tolist() == [1, 3]
    shares = [float(labels(data).double().mean()) for data in (splits.train, splits.validation)]
    assert shares[0] == pytest.approx(shares[1], abs=1e-3)  # of each class a fifth
    assert float(splits.truth(torch.tensor([[0.5, 0.25]], dtype=torch.float64))) == 0


def test_noise_of_a_formula_blurs_the_inputs_and_not_the_classes():
    quiet, noisy = (
        splits_of(kind="classification", generator="formula", formula="x1 + x2", samples=400, noise=noise)
        for noise in (0.0, 0.2)
    )
    assert torch.equal(labels(quiet.train), labels(noisy.train))
    moved = (noisy.train.inputs - quiet.train.inputs).std()
    assert float(moved) == pytest.approx(0.2, rel=0.1)


def test_a_formula_that_gives_one_class_in_the_samples():
    domain = [[0, 1]] * 4  # over so many inputs nothing is tried beforehand
    with pytest.raises(ConfigError, match=r"dataset\.formula: above 0 at 0 of the 300 samples: each class needs two"):
        splits_of(kind="classification", generator="formula", formula="x1 - 2", domain=domain, samples=300)


def test_proportions_are_kept_on_both_sides():
    shares = [0.7, 0.2, 0.1]
    splits = splits_of(kind="classification", generator="blobs", classes=3, proportions=shares, samples=1000)
    assert torch.bincount(labels(splits.train)).tolist() == [560, 160, 80]
    assert torch.bincount(labels(splits.validation)).tolist() == [140, 40, 20]


def test_xor_and_spirals_are_what_they_say():
    data = splits_of(kind="classification", generator="xor", samples=200).train
    assert torch.equal(labels(data), (data.inputs.prod(1) < 0).long())
    data = splits_of(kind="classification", generator="spirals", classes=4, samples=400).train
    radius = data.inputs.norm(dim=1)
    turn = torch.atan2(data.inputs[:, 1], data.inputs[:, 0]) / (2 * math.pi)
    arm = (turn - 1.5 * radius) * 4 % 4
    distance = (arm - labels(data) + 2) % 4 - 2
    assert float(distance.abs().max()) < 1e-6


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.data())
def test_quotas_add_up_and_every_class_stands_on_both_sides(counts, data):
    total = sum(counts)
    if total < 2:
        return
    wanted = data.draw(st.integers(1, total - 1))
    quota = class_quota(counts, wanted)
    for count, share in zip(counts, quota, strict=True):
        assert (1 <= share <= count - 1) if count >= 2 else share == 0
    least, most = sum(c >= 2 for c in counts), sum(c - 1 for c in counts)
    assert sum(quota) == min(max(wanted, least), most)


@given(st.integers(10, 500), st.lists(st.integers(1, 50), min_size=2, max_size=5))
def test_class_counts_add_up(samples, shares):
    counts = class_counts(samples, [share / sum(shares) for share in shares])
    assert sum(counts) == samples
    exact = [share / sum(shares) * samples for share in shares]
    assert all(
        abs(c - e) <= 1 or c == 2 or e < 2 + len(shares) or abs(c - e) < len(shares) + 1
        for c, e in zip(counts, exact, strict=True)
    )


def test_the_split_has_a_stream_of_its_own():
    one = splits_of(kind="regression", samples=50)
    other = splits_of(kind="regression", samples=50, validation=0.4)

    def everything(splits):
        both = torch.cat([splits.train.inputs, splits.validation.inputs])
        return both.sort(dim=0).values

    assert torch.equal(everything(one), everything(other))
    assert not torch.equal(everything(one), everything(splits_of(seed=1, kind="regression", samples=50)))


def test_every_kind_of_dataset_is_covered():
    assert sorted(DATASETS) == [
        "bundled", "classification", "function", "images", "regression", "table",
    ]  # fmt: skip
    assert (len(REGRESSIONS), len(CLASSIFIERS)) == (6, 8)
    assert sorted(REGRESSIONS) == sorted(REGRESSION_FEATURES)
    assert sorted(CLASSIFIERS) == sorted(CLASSIFICATION_SHAPES)
