"""Bundled data: scikit-learn's numbers, all of them once, shared out in proportion."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.datasets
import torch

from nnintro.config.datasets.bundled import SHAPES
from nnintro.config.load import load_config
from nnintro.datasets.samples import balanced_weights
from nnintro.errors import ConfigError
from nnintro.training.setup import build_data
from tests.support import config


def splits_of(name, seed=0, **keys):
    dataset = {"kind": "bundled", "name": name, **keys}
    return build_data(load_config(config(dataset=dataset, seed=seed)).experiment)


def sorted_rows(*parts):
    rows = np.concatenate([np.column_stack([np.asarray(a) for a in part]) for part in parts])
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("name", SHAPES)
def test_every_sample_once(name):
    options = {"scaled": False} if name == "diabetes" else {}
    inputs, targets = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True, **options)
    splits = splits_of(name, validation=0.25)
    task = load_config(config(dataset={"kind": "bundled", "name": name})).experiment.dataset.facts.task
    assert (len(inputs), task.inputs, task.outputs) == SHAPES[name]
    rows = sorted_rows(*((part.inputs, part.targets) for part in (splits.train, splits.validation)))
    assert np.array_equal(rows, sorted_rows((inputs, targets)))
    assert len(splits.validation) == round(0.25 * len(inputs))
    assert splits.facts["inputs"][0] == str(getattr(sklearn.datasets, f"load_{name}")().feature_names[0])
    if task.classes:
        names = getattr(sklearn.datasets, f"load_{name}")().target_names
        assert task.classes == tuple(map(str, names))
        shares = np.bincount(splits.train.targets.flatten().long()) / np.bincount(targets)
        assert np.allclose(shares, 0.75, atol=0.02)


def test_another_seed_another_split_and_the_same_one_the_same():
    first, again, other = (splits_of("wine", seed) for seed in (0, 0, 1))
    assert torch.equal(first.train.inputs, again.train.inputs)
    assert not torch.equal(first.train.inputs, other.train.inputs)


def test_fewer_samples_in_proportion():
    splits = splits_of("iris", samples=60)
    assert (len(splits.train), len(splits.validation)) == (48, 12)
    assert torch.bincount(splits.train.targets).tolist() == [16, 16, 16]


def test_balanced_weights():
    """By hand, and as scikit-learn computes them."""
    assert balanced_weights(torch.tensor([0, 1, 1, 1]), 2).tolist() == [2.0, 2 / 3]
    splits = splits_of("breast_cancer", class_weights="balanced")
    from sklearn.utils.class_weight import compute_class_weight

    labels = splits.train.targets.flatten().numpy()
    expected = compute_class_weight("balanced", classes=np.array([0.0, 1.0]), y=labels)
    assert np.allclose(splits.class_weights, expected)
    assert splits_of("breast_cancer").class_weights is None


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"name": "digits", "samples": 40}, "dataset.samples: too few: 32 for training and 8"),
        ({"name": "diabetes", "class_weights": "balanced"}, "this dataset is a regression"),
    ],
)
def test_what_does_not_go(keys, said):
    with pytest.raises(ConfigError, match=said):
        load_config(config(dataset={"kind": "bundled", **keys}))
