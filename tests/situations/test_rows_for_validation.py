"""Rows that are kept for validation, few rows, values that stand for none, and R's tables."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnintro

N = 40
A, B = [k * 37 % 101 / 10 for k in range(N)], [k * 7 % 11 for k in range(N)]
Y = [2 * a - b for a, b in zip(A, B, strict=True)]
AB = {"a": A, "b": B}
HEADER, ROWS = "a,b,y", [f"{a},{b},{y}" for a, b, y in zip(A, B, Y, strict=True)]


def test_two_rows_of_quantities(desk):
    """2 and 3 are no classes with a row each; of one row for validation there is no r2."""
    desk.write(["a,y", "1,2", "2,3"])
    desk.refused("d.csv: target 'y': expected two rows or more of each class, got one of '2', '3'")
    desk.follow("task: regression")
    desk.trains("r2 is not defined")
    assert nnintro.load("c").summary["metrics"]["validation/r2"] is None
    desk.write(["a,y", "1,2"], "one.csv")
    assert desk.evaluated("one.csv")["r2"] is None


def test_validation_rows_in_a_file_of_their_own(desk):
    """No row for validation is taken from the file that is trained on."""
    desk.write([HEADER, *ROWS[:30]])
    desk.write([HEADER, *ROWS[30:]], "valid.csv")
    desk.keys = ["validation: 0"]
    desk.refused("c.yaml:5:15: dataset.validation: expected a number above 0 and below 1, or {path: ...}")
    desk.keys = ["validation: {path: valid.csv}"]
    desk.trains()
    run = nnintro.load("c")
    assert json.loads((run.directory / "data.json").read_text())["training_samples"] == 30
    predicted = run.predict(np.column_stack([A[30:], B[30:]])).numpy()[:, 0]
    error = np.mean((predicted - np.array(Y[30:])) ** 2)
    assert run.summary["metrics"]["validation/mse"] == pytest.approx(error, rel=1e-6)
    desk.write([HEADER, *ROWS], "all.csv")
    desk.has_read(AB, Y, new="all.csv")


def test_a_number_that_stands_for_no_value(desk):
    """-999 in a column of small numbers: a note proposes the key."""
    gaps = range(3, N, 6)
    rows = [f"-999,{b},{y}" if k in gaps else row for k, (row, b, y) in enumerate(zip(ROWS, B, Y, strict=True))]
    desk.write([HEADER, *rows])
    done = desk.trains("-999 is far from all other values of 'a' (7 cells)")
    assert "add missing_values: [-999]" in done.err
    desk.keys = ["missing_values: [-999]", "missing: drop"]
    assert desk.train("--name", "d").code == 0
    kept = [k for k in range(N) if k not in gaps]
    desk.write([HEADER, *(ROWS[k] for k in kept)], "whole.csv")
    columns = {name: [values[k] for k in kept] for name, values in AB.items()}
    desk.has_read(columns, [Y[k] for k in kept], new="whole.csv", run="d")


def test_a_table_that_R_wrote(desk):  # noqa: N802
    """write.table: blanks between cells, and a header without a name for the rows' numbers."""
    lines = [f'"{k}" {a} {b} {y}' for k, (a, b, y) in enumerate(zip(A, B, Y, strict=True), 1)]
    desk.write(['"a" "b" "y"', *lines], "d.txt")
    desk.path = "d.txt"
    desk.refused("d.txt:1: columns set apart by blanks or tabs need delimiter: whitespace")
    desk.follow("delimiter: whitespace")
    done = desk.train()
    assert done.code == 0, done.err
    desk.has_read(AB, Y)


def test_the_date_and_the_time_in_two_columns(desk):
    """UCI's household power: each has a format of its own."""
    desk.write(["Date;Time;power;y", *(f"{16 + k // 24}/12/2006;{k % 24:02}:00:00;{a};{y}"
                                       for k, (a, y) in enumerate(zip(A, Y, strict=True)))])  # fmt: skip
    desk.refused("d.csv:2: column 'Date': expected a date or time such as 2024-12-31, got '16/12/2006'")
    desk.follow('dates: {Date: "%d/%m/%Y"}')
    desk.trains()
    start = 1166227200
    days, hours = [start + 86400 * (k // 24) for k in range(N)], [3600 * (k % 24) for k in range(N)]
    desk.has_read({"Date": days, "Time": hours, "power": A}, Y)


def test_watching_an_error_of_numbers_over_zero_and_one(desk):
    """The target is taken as classes; the error says how it is not."""
    desk.write(["a,y", *(f"{a},{k % 2}" for k, a in enumerate(A))])
    desk.config = desk.config.replace("epochs: 2", "epochs: 2, early_stopping: {patience: 2, metric: validation/rmse}")
    message = desk.train("--quiet").err
    assert message.startswith("c.yaml:")
    assert "validation/rmse" in message
    desk.follow("task: regression")
    desk.trains()
    desk.has_read({"a": A}, [k % 2 for k in range(N)])
