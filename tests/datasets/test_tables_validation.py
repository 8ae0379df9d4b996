"""Validation rows in a file of their own, encoded as the training's file was: against numpy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnintro.models.standardized import numpy_type
from tests.datasets.tables import built, numpy_parts, refused, write

TRAIN = {"area": [10.0, 20.0, 60.0, 30.0], "city": ["Ulm", "Bonn", "Ulm", "Bonn"], "y": [1.0, 2.0, 6.5, 3.0]}
TEST = {"y": [9.0, 8.0, 7.0], "city": ["Bonn", "Ulm", "Kiel"], "note": ["a", "b", "c"], "area": [40.0, 50.0, 70.0]}


def both(tmp_path, train=TRAIN, test=TEST, *, kind=".csv", **keys):
    path = write(tmp_path / f"train{kind}", train)
    return built(path, validation={"path": str(write(tmp_path / f"test{kind}", test))}, **keys)


def both_refused(tmp_path, train=TRAIN, test=TEST, **keys):
    path = write(tmp_path / "train.csv", train)
    return refused(path, validation={"path": str(write(tmp_path / "test.csv", test))}, **keys)


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".parquet", ".npz"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_encoded_as_the_training_file(tmp_path, kind, dtype):
    splits = both(tmp_path, kind=kind, dtype=dtype)
    x, y, validation, answers = numpy_parts(splits)
    area = np.array(TRAIN["area"])
    mean, deviation = area.mean(), area.std()
    assert x.dtype == validation.dtype == numpy_type(dtype)
    assert np.allclose(x[:, 0], (area - mean) / deviation, rtol=1e-6)
    assert np.allclose(validation[:, 0], (np.array(TEST["area"]) - mean) / deviation, rtol=1e-6)
    # Kiel, which training did not have, is none of Bonn and Ulm.
    assert validation[:, 1:].tolist() == [[1, 0], [0, 1], [0, 0]]
    assert y[:, 0].tolist() == TRAIN["y"]
    assert answers[:, 0].tolist() == TEST["y"]
    assert splits.facts == {"rows": 4, "validation_samples": 3}
    (note,) = splits.notes
    assert f"test{kind}: 1 cell has a category that training did not have ('city': 1)" in note


def test_an_unseen_category_is_an_error_where_it_is_asked_for(tmp_path):
    message = both_refused(tmp_path, unseen="error")
    assert "test.csv:4: column 'city': expected one of the 2 categories that training had" in message


def test_a_class_of_one_row_can_be_learned_where_no_row_is_split_off(tmp_path):
    train = {"x": [1, 2, 3], "y": ["a", "b", "b"]}
    splits = both(tmp_path, train, {"x": [4, 5], "y": ["b", "a"]})
    assert splits.train.targets[:, 0].tolist() == [0, 1, 1]
    assert splits.validation.targets[:, 0].tolist() == [1, 0]
    message = both_refused(tmp_path, train, {"x": [4, 5], "y": ["b", "c"]})
    assert "test.csv:3: column 'y': expected one of the 2 classes that training had ('a', 'b'), got 'c'" in message


def test_a_file_without_the_target_or_an_input_is_refused_at_its_header(tmp_path):
    message = both_refused(tmp_path, test={"area": [1.0], "city": ["Ulm"]})
    assert "test.csv:1: no column 'y' in" in message
    assert message.endswith("; only rows with the target can be measured")
    message = both_refused(tmp_path, test={"area": [1.0], "town": ["Ulm"], "y": [1.0]})
    assert "test.csv:1: no column 'city' in" in message


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = write(tmp_path / "train.csv", TRAIN)
    assert "nowhere.csv: cannot be read" in refused(path, validation={"path": str(tmp_path / "nowhere.csv")})


def test_its_text_is_read_as_the_config_says(tmp_path):
    keys = {"skip_rows": 1, "decimal": ",", "delimiter": ";", "missing_values": ["-"], "missing": "mean"}
    (tmp_path / "train.csv").write_text("made up\nx;y\n1,5;1\n2,5;2\n-;4\n")
    (tmp_path / "test.csv").write_text("made up\nx;y\n-;1\n3,0;2\n")
    splits = built(tmp_path / "train.csv", validation={"path": str(tmp_path / "test.csv")}, **keys)
    # 1.5 and 2.5 have the mean 2, which stands for a value that is missing.
    deviation = np.array([1.5, 2.5, 2.0]).std()
    assert np.allclose(splits.validation.inputs[:, 0], [0, 1 / deviation])


def test_columns_without_names_are_known_by_their_places(tmp_path):
    (tmp_path / "train.data").write_text("1,10,a\n2,20,b\n3,30,a\n")
    (tmp_path / "test.data").write_text("|remark\n7,20,b\n")
    splits = built(
        tmp_path / "train.data", validation={"path": str(tmp_path / "test.data")},
        header=False, names=["u", "v", "y"], standardize="none", comment="|",
    )  # fmt: skip
    assert splits.validation.inputs.tolist() == [[7, 20]]
    assert splits.validation.targets.tolist() == [[1]]


def test_rows_without_a_value_are_dropped_from_both_files(tmp_path):
    train = {"x": [1, 2, None, 4], "y": [1, 2, 3, None]}
    test = {"x": [5, None, 7, 8], "y": [5, 6, None, 8], "other": [None, 1, 2, 3]}
    splits = both(tmp_path, train, test, missing="drop", standardize="none")
    assert splits.train.inputs[:, 0].tolist() == [1, 2]
    assert splits.validation.inputs[:, 0].tolist() == [5, 8]
    assert splits.facts == {"rows": 4, "dropped_rows": 2, "validation_samples": 2, "dropped_validation_rows": 2}
    message = both_refused(tmp_path, train, {"x": [None], "y": [1]}, missing="drop")
    assert "test.csv: no row has a value in each column that is used" in message
    message = both_refused(tmp_path, {"x": [1, 2, 3], "y": [1, 2, 3]}, {"x": [1, None], "y": [1, 2]})
    assert "test.csv:3: column 'x': expected a number, got no value" in message


def test_a_number_that_the_precision_cannot_hold_is_named(tmp_path):
    train = {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 4.0]}
    test = {"x": ["1", "1e300"], "y": [1.0, 2.0]}
    message = both_refused(tmp_path, train, test, dtype=torch.float32)
    assert "test.csv:3: column 'x': expected a number that float32 can hold, got 1e+300" in message


def test_windows_stay_within_their_file_and_series(tmp_path):
    def table(shops, days, first):
        rows = [(shop, first + day, 100 * k + day + first) for day in range(days) for k, shop in enumerate(shops)]
        return {name: list(values) for name, values in zip(("shop", "day", "y"), zip(*rows, strict=True), strict=True)}

    splits = both(
        tmp_path, table("ab", 6, 0), table("bac", 4, 50),
        window=2, horizon=1, series="shop", split_by="day", standardize="none",
    )  # fmt: skip
    expected = [([100 * k + day, 100 * k + day + 1], 100 * k + day + 2) for k in range(2) for day in range(4)]
    got = list(zip(splits.train.inputs.tolist(), splits.train.targets[:, 0].tolist(), strict=True))
    assert sorted(got) == sorted(expected)
    # b is the first series of the other file, and c one that training did not have.
    expected = [([100 * k + d, 100 * k + d + 1], 100 * k + d + 2) for k in range(3) for d in (50, 51)]
    got = list(zip(splits.validation.inputs.tolist(), splits.validation.targets[:, 0].tolist(), strict=True))
    assert sorted(got) == sorted(expected)


def test_samples_are_the_most_of_each_file(tmp_path):
    train, test = ({"x": list(range(n)), "y": list(range(n))} for n in (50, 40))
    splits = both(tmp_path, train, test, samples=10, standardize="none")
    rows = splits.validation.inputs[:, 0].tolist()
    assert len(splits.train) == len(rows) == 10
    assert rows == sorted(set(rows)) == splits.validation.targets[:, 0].tolist()
    assert rows != list(range(10))  # at random: a file may be sorted by its classes
    series = both(tmp_path, train, test, samples=10, window=3, standardize="none")
    assert series.validation.targets[:, 0].tolist() == list(range(30, 40))


def test_basis_functions_get_the_columns_themselves(tmp_path):
    train, test = {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 4.0]}, {"x": [5.0], "y": [7.0]}
    assert both(tmp_path, train, test, basis=["x", "x**2"]).validation.inputs.tolist() == [[5.0]]


def test_both_files_have_a_part_in_the_fingerprint(tmp_path):
    splits = both(tmp_path)
    before = splits.fingerprint()
    assert splits.fingerprint() == before
    for name in ("train.csv", "test.csv"):
        was = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(was + b"\n")
        assert splits.fingerprint() != before
        (tmp_path / name).write_bytes(was)
    assert splits.fingerprint() == before
