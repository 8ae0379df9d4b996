"""history.csv: what is written is what is read."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnintro.errors import CheckpointError
from nnintro.runs.history import History, read_history

ROW = {"step": 3, "epoch": 0.75, "samples": 12, "seconds": 0.5}


def write(path, rows, tags=("train/loss",)):
    history = History(path, tags)
    for row in rows:
        history.append(row)
    history.close()
    return history


def test_columns_and_cells_as_any_reader_of_csv_sees_them(tmp_path):
    path = tmp_path / "history.csv"
    write(path, [{**ROW, "train/loss": 0.1}, {**ROW, "step": 4, "train/loss": math.nan}])
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["step", "epoch", "samples", "seconds", "train/loss"],
        ["3", "0.75", "12", "0.5", "0.1"],
        ["4", "0.75", "12", "0.5", ""],
    ]


@given(st.lists(st.floats(allow_nan=False), max_size=20))
def test_numbers_come_back_to_the_last_bit(tmp_path_factory, losses):
    path = tmp_path_factory.mktemp("history") / "history.csv"
    write(path, [{**ROW, "step": i, "train/loss": loss} for i, loss in enumerate(losses)])
    history = read_history(path)
    assert history["train/loss"] == losses
    assert history["step"] == list(range(len(losses)))
    assert all(type(step) is int for step in history["step"])


def test_what_was_not_measured_is_none(tmp_path):
    write(tmp_path / "history.csv", [ROW])
    assert read_history(tmp_path / "history.csv")["train/loss"] == [None]


def test_a_full_disk_is_noted_and_not_raised():
    history = write(Path("/dev/full"), [ROW])
    assert history.error == "history.csv: No space left on device"


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(CheckpointError, match=r"cannot write .*nowhere/history\.csv: No such file"):
        History(tmp_path / "nowhere" / "history.csv", [])


@pytest.mark.parametrize("text", ["step,a\n1,x\n", "step,a\n1\n", "step\n1.5\n", "step\n\x00\n"])
def test_a_table_that_is_none_of_ours(tmp_path, text):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(CheckpointError, match=r"cannot read .*history\.csv"):
        read_history(path)


def test_no_table(tmp_path):
    with pytest.raises(CheckpointError, match=r"cannot read .*history\.csv"):
        read_history(tmp_path / "history.csv")
