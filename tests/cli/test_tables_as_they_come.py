"""A European export without a header: trained on, resumed, predicted and measured as the file is."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

import nnintro

PRICES = [round(37.37 * k * (1 + k % 3), 2) for k in range(60)]
CONFIG = """\
dataset:
  kind: table
  path: a.dat
  target: sales
  names: [price, city, count, sales]
  decimal: ","
  thousands: "."
  strip: ["€"]
  missing_values: ["-"]
  missing: mean
  comment: "#"
  skip_footer: 1
model: {kind: mlp, hidden: [4]}
descent: {optimizer: adam}
training: {epochs: 3}
"""


def german(value):
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.fixture
def rows(tmp_path):
    """Of a.dat; its plain twin has points, a header and nothing else."""
    cells = [
        (german(price) + " €", " Ulm" if k % 2 else "Köln ", "-" if k % 7 == 0 else str(k), german(2 * price + 1))
        for k, price in enumerate(PRICES)
    ]
    lines = [";".join(row) for row in cells]
    (tmp_path / "a.dat").write_text("\n".join(["# Export; 2024", *lines, "Summe;;;1"]) + "\n", encoding="utf-8")
    plain = [
        f"{price},{'Ulm' if k % 2 else 'Köln'},{'' if k % 7 == 0 else k},{round(2 * price + 1, 2)}"
        for k, price in enumerate(PRICES)
    ]
    (tmp_path / "plain.csv").write_text("\n".join(["price,city,count,sales", *plain]) + "\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    start, _, end = CONFIG.partition("  names:")
    rest = end[end.index("  missing: mean") :].replace('  comment: "#"\n  skip_footer: 1\n', "")
    (tmp_path / "plain.yaml").write_text(start.replace("a.dat", "plain.csv") + rest, encoding="utf-8")
    return cells


def test_all_commands_read_it_as_its_plain_twin(command, tmp_path, rows):
    for name in ("c", "plain"):
        done = command("train", f"{name}.yaml", "--quiet", "--name", name)
        assert (done.code, done.err) == (0, "")
    run, twin = (nnintro.load(name) for name in ("c", "plain"))
    inputs = {"price": [german(1234.5)], "city": ["Ulm"], "count": ["-"]}
    plain = {"price": [1234.5], "city": ["Ulm"], "count": [None]}
    assert np.array_equal(run.predict(inputs), twin.predict(plain))
    measured = [
        command("evaluate", name, "--dataset", file, "--json")
        for name, file in (("c", "a.dat"), ("plain", "plain.csv"))
    ]
    assert [done.code for done in measured] == [0, 0]
    first, second = (json.loads(done.out)["metrics"] for done in measured)
    assert first == second
    done = command("predict", "c", "a.dat")
    header, *predicted = csv.reader(io.StringIO(done.out, newline=""))
    assert header == ["price", "city", "count", "sales", "prediction"]
    assert [tuple(row[:4]) for row in predicted] == rows
    expected = command("predict", "plain", "plain.csv").out.splitlines()[1:]
    assert [row[4] for row in predicted] == [line.rpartition(",")[2] for line in expected]


def test_it_is_resumed_and_tried(command, tmp_path, rows):
    assert command("train", "c.yaml", "--quiet", "--name", "c").code == 0
    done = command("train", "--resume", "c", "--set", "training.epochs=5", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert command("train", "c.yaml", "--smoke", "--quiet").code == 0


def test_a_file_to_predict_lacks_the_target(command, tmp_path, rows):
    assert command("train", "c.yaml", "--quiet", "--name", "c").code == 0
    short = [";".join(row[:3]) for row in rows[:2]]
    (tmp_path / "new.dat").write_text("\n".join([*short, "5.0;Ulm;1", "Summe;;"]), encoding="utf-8")
    done = command("predict", "c", "new.dat")
    assert (done.code, done.err) == (4, "new.dat:3: column 'price': expected a number such as 1.234,5, got '5.0'\n")


@pytest.mark.parametrize(
    "watching", ["early_stopping: {metric: validation/rmse, patience: 3}", "stop_when: {validation/r2: 0.9}"]
)
def test_watching_a_metric_of_numbers_over_a_target_that_became_classes(command, tmp_path, watching):
    (tmp_path / "b.csv").write_text("x,y,word\n" + "".join(f"{k},{k % 2},{'ab'[k % 2]}\n" for k in range(20)))
    config = "dataset: {kind: table, path: b.csv, target: %s}\nmodel: {kind: mlp}\ntraining: {epochs: 2, %s}\n"
    (tmp_path / "d.yaml").write_text(config % ("y", watching))
    done = command("train", "d.yaml", "--quiet")
    assert done.code == 3
    said = "the target was taken as classes, and dataset.task: regression takes its numbers as numbers"
    assert done.err.count(said) == 1
    assert command("train", "d.yaml", "--quiet", "--set", "dataset.task=regression").code == 0
    (tmp_path / "d.yaml").write_text(config % ("word", watching))
    done = command("train", "d.yaml", "--quiet")
    assert (done.code, "regression takes" in done.err) == (3, False)
