"""What a column means: classes or numbers, categories or names, constants, long identifiers."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnintro

N = 40
A = [k * 37 % 101 / 10 for k in range(N)]
B = [k * 7 % 11 for k in range(N)]
Y = [2 * a - b for a, b in zip(A, B, strict=True)]


def table(**columns):
    return [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]


SEX = ["male" if k % 3 else "female" for k in range(120)]
AGE = ["" if k % 7 == 0 else 20 + k % 50 for k in range(120)]
PORT = ["" if k == 62 else "SCQ"[k % 3] for k in range(120)]
SURVIVED = [int(k % 3 == 0 or k % 5 == 0) for k in range(120)]
TITANIC = [
    "PassengerId,Survived,Pclass,Name,Sex,Age,Embarked",
    *(f'{k + 1},{SURVIVED[k]},{1 + k % 3},"Doe{k}, Mr. ""Jo""",{SEX[k]},{AGE[k]},{PORT[k]}' for k in range(120)),
]
TWO_CLASSES = (
    "target 'Survived' has the two whole numbers 0 and 1, which are taken as classes; dataset.task: regression"
)


def test_titanic_without_the_rows_that_lack_something(desk):
    desk.write(TITANIC)
    desk.target = "Survived"
    desk.refused("d.csv: column 'Name': 120 different texts in 120 rows are not categories", "name it in exclude")
    desk.keys = ["exclude: [PassengerId, Name, Age]", "missing: drop"]
    desk.trains(TWO_CLASSES)
    desk.write([line for line in TITANIC if not line.endswith(",")], "whole.csv")
    rows = [k for k in range(120) if k != 62]
    inputs = {"Pclass": [1 + k % 3 for k in rows]}
    inputs |= {f"Sex={sex}": [float(SEX[k] == sex) for k in rows] for sex in ("female", "male")}
    inputs |= {f"Embarked={port}": [float(PORT[k] == port) for k in rows] for port in "CQS"}
    desk.has_read(inputs, [str(SURVIVED[k]) for k in rows], new="whole.csv")


@pytest.mark.parametrize("seed", range(4))
def test_a_category_missing_in_one_row_trains_wherever_that_row_goes(desk, seed):
    """In the training part it is a category of its own; in validation it is none of the known ones."""
    desk.write(TITANIC)
    desk.target = "Survived"
    desk.keys, desk.rest = ["exclude: [PassengerId, Name]", "missing: indicator"], [f"seed: {seed}"]
    desk.trains(TWO_CLASSES)
    features = nnintro.load("c").features
    assert features[:5] == ["Pclass", "Sex=female", "Sex=male", "Age", "Age missing"]
    assert features[5:] in (
        ["Embarked=C", "Embarked=Q", "Embarked=S"],
        ["Embarked=C", "Embarked=Q", "Embarked=S", "Embarked=(missing)"],
    )
    assert len(desk.predicted("d.csv")) == 120


def test_zero_and_one_as_numbers_by_request(desk):
    desk.write(table(a=A, b=B, y=[k % 2 for k in range(N)]))
    desk.keys = ["task: regression"]
    desk.trains()
    desk.has_read({"a": A, "b": B}, [k % 2 for k in range(N)])


def test_cross_entropy_on_zero_and_one(desk):
    """The loss says what the task is."""
    desk.write(table(a=A, b=B, y=[k % 2 for k in range(N)]))
    desk.rest = ["loss: cross_entropy"]
    desk.trains("target 'y' has the two whole numbers 0 and 1")
    desk.has_read({"a": A, "b": B}, [str(k % 2) for k in range(N)])


def test_several_targets_of_yes_and_no(desk):
    """Each is a class of its own: a network for each, or numbers."""
    labels = {f"t{i}": [int(k % (i + 2) == 0) for k in range(N)] for i in range(3)}
    desk.write(table(a=A, b=B, **labels))
    desk.target, desk.keys = "[t0, t1, t2]", ["task: classification"]
    desk.refused("c.yaml:5:9: dataset.task: classes are of one target column", "each with the others in exclude")
    desk.follow("task: regression")
    desk.trains()
    assert nnintro.load("c").setup.task.outputs == 3
    desk.target, desk.keys = "t0", ["exclude: [t1, t2]"]
    assert desk.train("--name", "one").code == 0
    desk.has_read({"a": A, "b": B}, list(map(str, labels["t0"])), run="one")


def test_several_targets_in_units_of_their_own(desk):
    """The error of one with deviation 1 is not hidden behind that of one with deviation 1000."""
    y1, y2 = [a + 0.1 * b for a, b in zip(A, B, strict=True)], [1000 * a - 300 * b for a, b in zip(A, B, strict=True)]
    desk.write(table(a=A, b=B, y1=y1, y2=y2))
    desk.target = "[y1, y2]"
    desk.trains()
    predicted = nnintro.load("c").predict(np.column_stack([A, B])).numpy()
    done = desk.command("evaluate", "c", "--dataset", "d.csv", "--json")
    metrics = json.loads(done.out)["targets"]
    for place, (name, values) in enumerate({"y1": y1, "y2": y2}.items()):
        error = predicted[:, place] - values
        assert metrics[name]["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)))
        assert metrics[name]["r2"] == pytest.approx(1 - np.mean(error**2) / np.var(values))


def test_constant_columns_are_left_out_together(desk):
    """MNIST's borders; the genes that no cell has."""
    pixels = {f"p{i}": [0] * N if i % 3 else [k * (i + 1) % 13 for k in range(N)] for i in range(12)}
    desk.write(table(**pixels, label=[k % 3 for k in range(N)]))
    desk.target, desk.keys = "label", ["task: classification"]
    desk.trains("8 columns left out, from which nothing can be learned: 'p1' is 0 in every row, 'p2' is 0 in every row")
    kept = {name: values for name, values in pixels.items() if len(set(values)) > 1}
    assert len(kept) == 4
    desk.has_read(kept, [str(k % 3) for k in range(N)])
    desk.write(table(**kept), "new.csv")  # without the borders
    assert desk.predicted("new.csv") == desk.predicted("d.csv")


@pytest.mark.parametrize("shape", ["label, 784 pixels", "784 pixels without a header"])
def test_mnist_as_csv(desk, shape):
    pixels = np.zeros((60, 28, 28), int)
    pixels[:, 4:24, 4:24] = np.arange(60 * 400).reshape(60, 20, 20) * 37 % 256
    rows = [[k % 10, *pixels[k].ravel()] for k in range(60)]
    lines = [",".join(map(str, row)) for row in rows]
    desk.target, desk.keys = "label", ["task: classification"]
    if "header" in shape:
        desk.write(lines)
        desk.refused("d.csv:1: expected a header with the columns' names, got numbers")
        desk.follow("header: false")
        desk.target = "column 1"
    else:
        names = [f"{row}x{column}" for row in range(1, 29) for column in range(1, 29)]
        desk.write([",".join(["label", *names]), *lines])
    desk.trains("384 columns left out, from which nothing can be learned")
    run = nnintro.load("c")
    assert len(run.features) == 400
    assert run.setup.task.classes == tuple(map(str, range(10)))
    assert len(desk.predicted("d.csv")) == 60


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([f"item {k}" for k in range(N)], "40 different texts in 40 rows are not categories"),
        ([f"item {k % 30}" for k in range(N)], "30 different texts in 40 rows are not categories"),
    ],
    ids=["names", "nearly all names"],
)
def test_texts_of_their_own_in_nearly_every_row(desk, cells, says):
    desk.write(table(name=cells, a=A, y=Y))
    desk.refused(f"d.csv: column 'name': {says}; name it in exclude, in text, or (to take each as one) in categorical")
    desk.keys = ["exclude: [name]"]
    desk.trains()
    desk.has_read({"a": A}, Y)


def test_numbers_with_exponents_of_fortran(desk):
    desk.write(table(a=[f"{a}D+02" for a in A], y=Y))
    desk.refused(
        "d.csv:2: column 'a': expected a number, got '0.0D+02'; numbers are written with E, not with Fortran's D"
    )
    desk.write(table(a=[f"{a}E+02" for a in A], y=Y))
    desk.trains()
    desk.has_read({"a": [100 * a for a in A]}, Y)


# --- identifiers that float64 cannot tell apart ------------------------------------------------


def test_a_long_identifier_that_training_had_not(desk):
    """2^53 + 1 is no 2^53, and 1800000000000000038 is not its neighbour."""
    ids = [1_800_000_000_000_000_001 + 1000 * (k % 4) for k in range(N)]
    desk.write(table(id=ids, y=Y))
    desk.keys = ["categorical: [id]"]
    desk.trains()
    known = sorted(set(ids))
    desk.has_read({f"id={one}": [float(one == value) for value in ids] for one in known}, Y)
    desk.write(["id", *(str(one + shift) for one in known for shift in (0, 1, 37))], "new.csv")
    done = desk.command("predict", "c", "new.csv")
    assert done.err == "note: 8 cells have categories that training did not have ('id': 8), encoded as zeros\n"
    features = np.zeros((12, 4))
    features[np.arange(4) * 3, np.arange(4)] = 1
    predicted = np.array(desk.predicted("new.csv"), float)
    np.testing.assert_allclose(predicted, nnintro.load("c").predict(features).numpy()[:, 0], rtol=1e-9)
    done = desk.command("predict", "c", "new.csv", "--unseen", "error")
    assert done.code == 4
    assert done.err.startswith("new.csv:3: column 'id': expected one of the 4 categories that training had")


def test_two_neighbours_beyond_two_to_53(desk):
    ids = [9007199254740993 + k % 2 for k in range(N)]
    desk.write(table(id=ids, b=B, y=Y))
    desk.keys = ["categorical: [id]"]
    desk.trains()
    ones = {f"id={9007199254740993 + i}": [float(k % 2 == i) for k in range(N)] for i in range(2)}
    desk.has_read({**ones, "b": B}, Y)


@pytest.mark.parametrize("first", [18446744073709551615 - N, 1_800_000_000_000_000_000])
def test_identifiers_as_numbers(desk, first):
    desk.write(table(id=[first + k % 4 for k in range(N)], b=B, y=Y))
    message = desk.refused(
        "d.csv: column 'id' has values that differ by less than float64 can show", "name it in exclude"
    )
    assert "in every row" not in message
    desk.keys = ["exclude: [id]"]
    desk.trains()
    desk.has_read({"b": B}, Y)
    desk.keys = ["categorical: [id]"]
    assert desk.train("--name", "d").code == 0
    assert len(nnintro.load("d").features) == 5
