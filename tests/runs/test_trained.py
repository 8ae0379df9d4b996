"""Probabilities, classes by name and encoded rows, against arithmetic written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest

import nnintro
from nnintro.errors import DataError, UsageError
from tests.support import config

ROWS = "area,city,kind\n" + "".join(
    f"{area},{'Ulm' if area % 3 else 'Bonn'},{('low', 'mid', 'top')[area * 3 // 91]}\n" for area in range(1, 91)
)
NEW = [{"area": 10.0, "city": "Ulm"}, {"area": 50.0, "city": "Bonn"}, {"area": 88.5, "city": "Ulm"}]
COLUMNS = {name: [row[name] for row in NEW] for name in ("city", "area")}  # in another order
ENCODED = np.array([[10.0, 0, 1], [50.0, 1, 0], [88.5, 0, 1]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "kinds.csv").write_text(ROWS)
    return folder


def values_of(folder, **keys):
    return config(
        dataset={"kind": "table", "path": str(folder / "kinds.csv"), "target": "kind", **keys},
        model={"hidden": [4], "activation": "tanh"},
        descent={"optimizer": "adam", "learning_rate": 0.03},
        training={"epochs": 30},
    )


@pytest.fixture(scope="module", params=["train", "fit"])
def trained(request, folder):
    if request.param == "fit":
        return nnintro.fit(values_of(folder))
    return nnintro.train(values_of(folder), runs_dir=folder / "runs")


def logits(trained, rows):
    """The forward pass, written out."""
    state = {name: value.double().numpy() for name, value in trained.model.state_dict().items()}
    mean, scale = state.pop("mean"), state.pop("scale")
    w1, b1, w2, b2 = state.values()
    return np.tanh((rows - mean) / scale @ w1.T + b1) @ w2.T + b2


def test_probabilities_are_the_softmax_in_the_order_of_the_classes(trained):
    assert trained.classes == ("low", "mid", "top")
    powers = np.exp(logits(trained, ENCODED))
    expected = powers / powers.sum(1, keepdims=True)
    assert np.allclose(trained.predict_proba(COLUMNS).numpy(), expected, atol=1e-5)
    assert trained.predict_classes(COLUMNS) == [("low", "mid", "top")[k] for k in expected.argmax(1)]
    assert trained.predict_classes(COLUMNS) == ["low", "mid", "top"]


def test_rows_are_encoded_alike_whatever_they_come_in(trained, folder):
    import pyarrow as pa

    path = folder / "new.csv"
    path.write_text("city,area,other\nUlm,10,a\nBonn,50,b\nUlm,88.5,c\n")
    for rows in (NEW, tuple(NEW), COLUMNS, pa.table(COLUMNS), path, str(path)):
        assert trained.features == ["area", "city=Bonn", "city=Ulm"]
        assert np.array_equal(trained.encode(rows), ENCODED)
        assert np.array_equal(trained.predict(rows), trained.predict(ENCODED))


def test_two_classes_have_two_probabilities(folder):
    text = ROWS.replace("mid", "low")
    (folder / "two.csv").write_text(text)
    values = values_of(folder)
    values["dataset"]["path"] = str(folder / "two.csv")
    run = nnintro.fit(values)
    z = logits(run, ENCODED)[:, 0]
    expected = np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))], 1)
    assert np.allclose(run.predict_proba(NEW).numpy(), expected, atol=1e-5)
    assert run.predict_classes(NEW) == [run.classes[int(v > 0)] for v in z]


def test_a_maps_probabilities_are_of_each_pixel():
    dataset = {"kind": "images", "generator": "cells", "samples": 8, "size": [32, 32]}
    values = {"dataset": dataset, "model": {"kind": "unet", "channels": [2, 4]}, "training": {"steps": 1}}
    run = nnintro.fit(values, ["descent.batch_size=2"])
    images = np.zeros((2, 1, 32, 32))
    found, z = run.predict_proba(images).numpy(), run.predict(images).numpy()[:, 0]
    assert found.shape == (2, 2, 32, 32)
    assert np.allclose(found[:, 1], 1 / (1 + np.exp(-z)), atol=1e-6)
    assert np.allclose(found.sum(1), 1)
    with pytest.raises(UsageError, match="run: predict_classes is for a class of each sample, and this is a segm"):
        run.predict_classes(images)


def test_what_it_cannot_be_asked(folder):
    curve = nnintro.fit(config())
    for ask in (curve.predict_proba, curve.predict_classes):
        with pytest.raises(UsageError, match=r"this is a regression"):
            ask([[0.5]])
    with pytest.raises(UsageError, match="encode is for rows of a table"):
        curve.encode({"x": [1.0]})
    squares = nnintro.fit({**values_of(folder), "loss": "mse"})
    with pytest.raises(UsageError, match=r"loss: mse are not probabilities; .* loss: cross_entropy"):
        squares.predict_proba(NEW)
    assert set(squares.predict_classes(NEW)) <= {"low", "mid", "top"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"area": 1.0, "city": "Ulm"}, {"area": 2.0}], r"rows, row 1: column 'city' is missing; None says"),
        ([{"area": 1.0}], r"inputs: .*'city'"),
        ([{"area": "wide", "city": "Ulm"}], r"inputs, row 0.*'area'.*expected a number"),
        ([{"area": None, "city": "Ulm"}], r"inputs, row 0.*'area'"),
        ([[1.0, 2.0]], r"expected columns by name, a list of dicts, or the path"),
        ([], r"expected columns by name"),
        ("nowhere.csv", r"nowhere.csv.*No such file"),
    ],
)
def test_rows_that_cannot_be_encoded(trained, rows, message):
    with pytest.raises(DataError, match=message):
        trained.encode(rows)
