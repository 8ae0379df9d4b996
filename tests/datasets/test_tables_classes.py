"""Targets of two whole numbers, and labels in several spellings."""

from __future__ import annotations

import pytest
import torch

from nnintro.datasets.tables import Encoding
from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, section, write


def table(path, labels):
    labels = (labels * 20)[:40]
    return write(path, {"x": [float(k) for k in range(40)], "y": labels})


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 1, 1], ("0", "1")),
        ([2, 1], ("1", "2")),
        ([-1, 1], ("-1", "1")),
        ([0.0, 1.0], ("0", "1")),
        (["0", "1", "1.0"], ("0", "1")),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_two_whole_numbers_are_classes(tmp_path, labels, classes, suffix):
    path = table(tmp_path / f"a{suffix}", labels)
    splits = built(path)
    assert splits.found.task.classes == classes
    (note,) = splits.notes
    assert f"target 'y' has the two whole numbers {' and '.join(classes)}, which are taken as classes" in note
    encoding = Encoding.from_description(splits.found.description)
    _, targets = encoded_samples(str(path), encoding)
    assert targets[:, 0].tolist() == [float(float(label) == float(classes[1])) for label in (labels * 20)[:40]]


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_a_loss_of_numbers_says_regression(tmp_path, loss):
    path = table(tmp_path / "a.csv", [0, 1])
    streams = [torch.Generator().manual_seed(k) for k in range(2)]
    from nnintro.datasets.tables import build_table

    splits = build_table(section(path).under(loss), *streams, torch.float64)
    assert (splits.found.task.kind, splits.notes) == ("regression", ())


@pytest.mark.parametrize(
    ("labels", "keys"), [([0, 1], {"task": "regression"}), ([0.5, 1], {}), ([0, 1, 2], {}), ([0, 1e300], {})]
)
def test_other_numbers_are_numbers(tmp_path, labels, keys):
    splits = built(table(tmp_path / "a.csv", labels), **keys)
    assert splits.found.task.kind == ("binary" if 1e300 in labels else "regression")


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["True", "true", "FALSE", "false"], ("false", "true")),
        (["1", "1.0", "2", "2.50", "2.5"], ("1", "2", "2.5")),
        (["01", "02", "03"], ("01", "02", "03")),
    ],
)
def test_spellings_of_one_class(tmp_path, labels, classes):
    path = table(tmp_path / "a.parquet", labels)
    splits = built(path, categorical=["y"], task="classification")
    assert splits.found.task.classes == classes
    encoding = Encoding.from_description(splits.found.description)
    _, targets = encoded_samples(str(path), encoding)
    assert len(targets) == 40


def test_a_class_that_training_had_not_is_refused(tmp_path):
    encoding = Encoding.from_description(built(table(tmp_path / "a.csv", [0, 1])).found.description)
    with pytest.raises(DataError, match="expected one of the 2 classes"):
        encoded_samples(str(table(tmp_path / "b.csv", [0, 1, 2])), encoding)
