"""Runs in a folder, in order (the command's tests are in tests/cli/test_runs.py)."""

from __future__ import annotations

import json

import pytest

import nnintro
from nnintro.errors import UsageError
from nnintro.runs.listing import as_table, find_runs, in_order
from tests.support import config


def test_a_real_run_is_listed_as_it_summarises_itself(tmp_path):
    run = nnintro.train(config(name="real"), runs_dir=tmp_path)
    (found,) = find_runs(tmp_path)
    modified = found.pop("modified")
    assert found == run.summary
    assert modified == (tmp_path / "real/summary.json").stat().st_mtime
    line = as_table(find_runs(tmp_path), tmp_path).splitlines()[1]
    assert line.split()[:3] == ["real", "completed", f"{run.summary['metrics']['train/loss']:.4g}"]


def test_the_directory_is_where_it_is_found_now(tmp_path):
    directory = tmp_path / "moved"
    directory.mkdir()
    (directory / "config.yaml").write_text("")
    old = {"status": "completed", "name": "a", "directory": "/old/place"}
    (directory / "summary.json").write_text(json.dumps(old))
    assert find_runs(tmp_path)[0]["directory"] == str(directory)


def test_order_of_unequal_kinds_does_not_fail():
    runs = [{"name": 3}, {"name": "b"}, {"name": "a"}, {}]
    assert in_order(runs, "name") == [{"name": 3}, {"name": "a"}, {"name": "b"}, {}]


def test_equal_values_keep_their_order():
    runs = [{"name": name, "steps": 5} for name in "cab"]
    assert in_order(runs, "steps") == runs


def test_a_key_of_the_whole_summary_is_not_sorted_by():
    with pytest.raises(UsageError, match="--sort metrics: no run has it"):
        in_order([{"name": "a", "metrics": {"train/loss": 1.0}}], "metrics")


def test_nothing_to_sort_is_no_error():
    assert in_order([], "anything") == []
