"""What a table may mean by odd numbers, rare classes and rows with names: said, or read right."""

from __future__ import annotations

import numpy as np
import pytest

from nnintro.datasets.tables.sentinels import sentinel_of
from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, encoding_of, refused, write


@pytest.mark.parametrize(
    ("number", "others"),
    [
        (-200, np.linspace(0.1, 11.9, 30)),
        (-200, np.linspace(647, 2040, 30)),  # nearer than they are spread, but none of them is negative
        (-999, np.linspace(-40, 50, 30)),
        (99999, np.linspace(0, 41310, 30)),
        (-9, np.arange(30.0)),
    ],
)
def test_a_repeated_number_far_from_the_others_is_suspicious(number, others):
    values = np.concatenate([others, [np.nan], [number] * 3])
    assert sentinel_of(values) == number
    assert sentinel_of(np.concatenate([others, [number]])) is None  # once it is an outlier


@pytest.mark.parametrize(
    "values",
    [
        np.repeat(np.arange(-30.0, 31), 2),  # a usual range
        np.concatenate([np.zeros(50), np.arange(100.0, 110)]),  # most have none of it
        np.array([-1.0, -1, 0, 1, 2, 3, 4, 5]),
        np.repeat([0.0, 255.0], 9),  # two values
        np.concatenate([np.arange(90.0), [99, 99, 99]]),  # ages
        np.concatenate([np.arange(0, 9, 0.5), [-200.5] * 3]),
        np.full(4, np.nan),
        np.zeros(0),
    ],
)
def test_usual_numbers_are_not(values):
    assert sentinel_of(values) is None


def test_suspicious_numbers_are_noted_with_the_line_that_takes_them_out(tmp_path):
    x = [-200 if k % 7 == 3 else k / 10 for k in range(40)]
    z = [-200 if k % 9 == 2 else 3 * k for k in range(40)]
    path = write(tmp_path / "air.csv", {"x": x, "z": z, "y": [k % 5 + k / 9 for k in range(40)]})
    (note,) = built(path).notes
    cells = x.count(-200) + z.count(-200)
    assert note.endswith(
        f"air.csv: -200 is far from all other values of 'x', 'z' ({cells} cells); "
        "if it stands for no value, add missing_values: [-200]"
    )
    splits = built(path, missing_values=[-200], missing="drop", standardize="none")
    assert splits.notes == ()
    assert splits.facts["dropped_rows"] == sum(-200 in row for row in zip(x, z, strict=True))


def test_a_suspicious_target_is_noted_too(tmp_path):
    y = [-999 if k in (3, 8) else k * 1.5 for k in range(30)]
    (note,) = built(write(tmp_path / "a.csv", {"x": list(range(30)), "y": y})).notes
    assert "-999 is far from all other values of 'y' (2 cells)" in note


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.tsv", "\t"), ("b.csv", ";"), ("a.txt", " ")])
def test_rows_of_r_have_names_that_the_header_does_not_name(tmp_path, name, mark):
    """As write.table writes a data frame."""
    lines = [mark.join(['"mpg"', '"y"']), *(mark.join([f'"Car {k}"', str(k * 2), str(k * 3)]) for k in range(1, 12))]
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    keys = {}
    if mark == " ":
        assert refused(path).endswith("a.txt:1: columns set apart by blanks or tabs need delimiter: whitespace")
        keys = {"delimiter": "whitespace"}
    splits = built(path, standardize="none", **keys)
    both = np.concatenate([splits.train.inputs, splits.validation.inputs])
    assert sorted(both[:, 0].tolist()) == [2 * k for k in range(1, 12)]
    assert "'column 1' has no name and another value in each row" in splits.notes[0]
    if not keys:
        inputs, targets = encoded_samples(str(path), encoding_of(splits))
        assert inputs[:, 0].tolist() == [2 * k for k in range(1, 12)]
        assert targets[:, 0].tolist() == [3 * k for k in range(1, 12)]


def test_a_delimiter_behind_the_last_cell_and_a_row_that_is_too_long_are_no_names(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2,\n2,3,\n3,5,\n")
    assert "a.csv:2: expected 2 cells, found 3" in refused(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("x,y\n1,2,7\n2,3\n3,5\n")
    assert "a.csv:2: expected 2 cells, found 3" in refused(tmp_path / "a.csv")


def test_one_row_of_a_number_names_the_other_task(tmp_path):
    path = write(tmp_path / "a.csv", {"x": list(range(9)), "y": [1] * 8 + [2]})
    assert refused(path).endswith("got one of '2'; if they are quantities, not classes, add task: regression")
    assert built(path, task="regression").train.targets.shape == (7, 1)
    path = write(tmp_path / "b.csv", {"x": list(range(9)), "y": ["a"] * 8 + ["b"]})
    assert refused(path).endswith("got one of 'b'")


def test_a_class_with_a_full_stop_behind_it_is_that_class(tmp_path):
    """UCI's adult.test has them, adult.data has not."""
    path = write(tmp_path / "a.csv", {"x": list(range(8)), "y": ["<=50K", ">50K"] * 4})
    encoding = encoding_of(built(path))
    other = write(tmp_path / "b.csv", {"x": [1, 2, 3, 4], "y": [">50K.", "<=50K.", ">50K", "<=50K"]})
    assert encoded_samples(str(other), encoding)[1][:, 0].tolist() == [1, 0, 1, 0]
    other = write(tmp_path / "b.csv", {"x": [1, 2], "y": [">50K.", "<=50K.."]})
    with pytest.raises(DataError, match=r"b.csv:3: column 'y': expected one of the 2 classes .* got '<=50K..'"):
        encoded_samples(str(other), encoding)
    # Where classes have full stops of their own, they are told apart.
    path = write(tmp_path / "c.csv", {"x": list(range(8)), "y": ["a", "a."] * 4})
    assert encoded_samples(str(path), encoding_of(built(path)))[1][:, 0].tolist() == [0, 1] * 4


def test_texts_that_are_no_categories_are_named_at_once_with_the_key(tmp_path):
    columns = {
        "name": [f"n{k}" for k in range(40)], "x": list(range(40)), "the seat": [f"s{k}" for k in range(40)],
        "id": [f"i{k}" for k in range(40)], "y": [k / 3 for k in range(40)],
    }  # fmt: skip
    path = write(tmp_path / "a.csv", columns)
    message = refused(path)
    assert message.endswith(
        "a.csv: column 'name': 40 different texts in 40 rows are not categories; nor are those of 'the seat', 'id'; "
        "add exclude: ['name', 'the seat', 'id'], or name them in text, or (to take each as one) in categorical"
    )
    message = refused(path, exclude=["id", "name"])
    assert "; set exclude: ['id', 'name', 'the seat'], or name it in text" in message
    assert built(path, exclude=["id", "name", "the seat"]).train.inputs.shape == (32, 1)
    assert "name it in exclude, in text" in refused(path, inputs=["name"])


def test_few_whole_numbers_to_predict_may_be_classes(tmp_path):
    digits = [k % 10 for k in range(200)]
    path = write(tmp_path / "a.csv", {"x": list(range(200)), "y": digits})
    (note,) = built(path).notes
    assert "target 'y' has 10 whole numbers from 0 to 9, which are taken as numbers" in note
    assert note.endswith("if they are classes, add task: classification")
    for keys in ({"task": "regression"}, {"task": "classification"}, {"window": 2}):
        assert built(path, **keys).notes == ()
    for y in (list(range(200)), [k % 10 / 4 for k in range(200)]):
        assert built(write(tmp_path / "b.csv", {"x": list(range(200)), "y": y})).notes == ()
    assert built(write(tmp_path / "c.csv", {"x": list(range(99)), "y": digits[:99]})).notes == ()
