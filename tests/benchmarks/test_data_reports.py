"""The tables on real data and on a million rows, of made-up outcomes; the jobs on a few rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine

from benchmarks import large_files, million_rows, million_rows_jobs, real_data
from benchmarks.real_data import Outcome, Problem
from tests.benchmarks.test_table import cells


def test_outcomes_are_averaged_and_their_times_are_medians():
    outcomes = [Outcome(0.9, 3.0, 1.0), Outcome(1.0, 9.0, 0.5), Outcome(0.95, 2.0, 0.25)]
    (row,) = cells(real_data.report({("wine", "somebody"): outcomes}))
    assert row == ["wine, accuracy", "somebody", "0.9500", "0.9000-1.0000", "3.00 s", "0.50 s"]


def test_a_problem_is_the_whole_data_set_raw():
    problem, everything = Problem.of("wine", 3), load_wine()
    assert [len(x) for x in problem.x] == [142, 36]
    rows = {tuple(row) for x in problem.x for row in x}
    assert rows == {tuple(row) for row in everything.data}
    assert sorted(np.concatenate(problem.y).tolist()) == everything.target.tolist()


def test_memory_is_told_in_numbers_and_time_beside_row_by_row():
    found = {("parquet", "ours-load"): (2.0, 600e6), ("csv", "rows-load"): (50.0, 4e9),
             ("parquet", "ours-epoch"): (3.0, 800e6)}  # fmt: skip
    load, slow, epoch = cells(million_rows.report(found, 1_000_000))
    assert load == ["nnintro, load", "parquet", "2.0 s", "600 MB", "1.50", "25"]
    assert slow[2:] == ["50.0 s", "4,000 MB", "10.00", "1"]
    assert epoch[2:] == ["3.0 s", "800 MB", "2.00", ""]


@pytest.mark.parametrize("name", ["ours-load", "ours-epoch", "rows-load"])
def test_jobs_read_what_was_written(name, tmp_path):
    million_rows_jobs.write(str(tmp_path), "300", "200", "csv")
    file = tmp_path / ("sample.csv" if name == "rows-load" else "table.parquet")
    result = million_rows_jobs.JOBS[name]()(str(file))
    if name == "ours-load":
        assert (len(result.training), len(result.validation)) == (240, 60)
    if name == "rows-load":
        assert [tuple(part.shape) for part in result] == [(160, 50), (40, 50)]


def test_whole_commands_on_large_files_are_timed_with_their_memory(tmp_path):
    folder = tmp_path / "wide"
    folder.mkdir()
    commands = large_files.wide(3).write(folder)
    assert list(commands) == ["train", "evaluate", "predict", "Python reads its rows"]
    assert len((folder / "wide.csv").read_text().splitlines()) == 101
    seconds, peak = large_files.timed(commands["Python reads its rows"])
    assert 0 < seconds < 60
    assert 1e6 < peak < 1e9
    with pytest.raises(RuntimeError, match="ended with 3"):
        large_files.timed([*commands["train"][:4], str(folder / "no.yaml")])
    (row,) = cells(large_files.report({"CSV, 100 x 3": {"train": (2.04, 3e8)}}))
    assert row == ["CSV, 100 x 3", "train", "2.0 s", "300 MB"]
