"""Runs in a folder, in order (the command's tests are in tests/cli/test_runs.py)."""

from __future__ import annotations

import json
import re

import pytest

import nnintro
from nnintro.errors import CheckpointError, UsageError
from nnintro.runs.folder import RunLock
from nnintro.runs.listing import as_table, find_runs, in_order, with_settings
from nnintro.runs.summary import read_summary
from tests.support import config


def test_a_real_run_is_listed_as_it_summarises_itself(tmp_path):
    run = nnintro.train(config(name="real"), runs_dir=tmp_path)
    (found,) = find_runs(tmp_path)
    modified = found.pop("modified")
    assert found == run.summary
    assert modified == (tmp_path / "real/summary.json").stat().st_mtime
    line = as_table(find_runs(tmp_path), tmp_path)[0].splitlines()[1]
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


STRANGE = {
    "infinity": float("inf"),
    "beyond floats": 10**400,
    "a lone surrogate": "\ud800",
    "an escape": "\x1b[31mred",
    "two lines": "a\nb",
    "a page": "x" * 3000,
    "a list": [1],
    "a mapping": {"a": 1},
    "true": True,
    "below": -1,
}
FIELDS = [
    ("status",), ("name",), ("engine",), ("steps",), ("parameters",), ("steps_per_second",), ("seconds",),
    ("seconds", "total"), ("metrics",), ("metrics", "train/loss"), ("resumed",),
]  # fmt: skip


@pytest.mark.parametrize("value", STRANGE)
@pytest.mark.parametrize("field", FIELDS, ids="/".join)
def test_a_forged_summary_is_a_damaged_line(field, value, tmp_path):
    """The other runs are listed as they are, in every order, and nothing strange reaches the terminal."""
    good = {"status": "completed", "name": "r", "engine": "fused", "steps": 5, "parameters": 3, "steps_per_second": 2.0,
            "seconds": {"total": 1.5}, "metrics": {"train/loss": 0.5}, "resumed": [1]}  # fmt: skip
    for name in ("forged", "sound"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text("", encoding="utf-8")
    (tmp_path / "sound/summary.json").write_text(json.dumps(good), encoding="utf-8")
    forged = json.loads(json.dumps(good))
    place = forged
    for key in field[:-1]:
        place = place[key]
    place[field[-1]] = STRANGE[value]
    text = json.dumps(forged)
    (tmp_path / "forged/summary.json").write_text(text, encoding="utf-8")
    numbers = [("steps_per_second",), ("seconds", "total"), ("metrics", "train/loss")]
    fine = (value == "below" and field in numbers) or (value, field) == ("a list", ("resumed",))
    fine |= (value, field[0]) == ("a mapping", "seconds") and len(field) == 1
    fine |= (value, field) == ("a mapping", ("metrics",))
    for sort in ("name", "-train/loss", "status", "total"):
        runs = in_order(find_runs(tmp_path), sort)
        table, _ = as_table(runs, tmp_path)
        lines = {line.split()[0]: line.split()[1] for line in table.splitlines()[1:]}
        assert lines["sound"] == "completed"
        assert fine or lines["forged"] == "damaged"
        assert table.isascii()
        assert "\x1b" not in table
    if not fine:
        with pytest.raises(CheckpointError, match=rf"summary\.json.*{re.escape(field[0])}|no readable summary\.json"):
            read_summary(tmp_path / "forged")


def bare_run(folder):
    folder.mkdir()
    (folder / "config.yaml").write_text("")
    return folder


def test_numbers_in_names_count(tmp_path):
    for name in ("run-10", "run-2", "run", "run-1"):
        bare_run(tmp_path / name)
    assert [run["name"] for run in in_order(find_runs(tmp_path), "name")] == ["run", "run-1", "run-2", "run-10"]


def test_a_run_is_running_while_its_lock_is_held(tmp_path):
    live, _ = bare_run(tmp_path / "a"), bare_run(tmp_path / "b")
    lock = RunLock(live)
    assert [run["status"] for run in find_runs(tmp_path)] == ["running", "unfinished"]
    lock.close()
    assert [run["status"] for run in find_runs(tmp_path)] == ["unfinished", "unfinished"]
    RunLock(live).close()  # to look at it has left no lock


def test_what_has_no_value_is_undefined(tmp_path):
    summary = {"status": "completed", "name": "a", "metrics": {"train/loss": None}, "steps_per_second": 0.25}
    (bare_run(tmp_path / "a") / "summary.json").write_text(json.dumps(summary))
    line = as_table(find_runs(tmp_path), tmp_path)[0].splitlines()[1]
    assert line.split() == ["a", "completed", "undefined", "0.25"]


def run_of(folder, text, **summary):
    folder.mkdir()
    (folder / "config.yaml").write_text(text)
    (folder / "summary.json").write_text(json.dumps({"status": "completed", "name": folder.name, **summary}))


def test_columns_show_where_the_configs_differ(tmp_path):
    same = "name: x\nseed: 1\nlogging: {scalars: auto}\n"
    run_of(tmp_path / "a", same + "model: {hidden: [64]}\ndescent: {learning_rate: 0.1, optimizer: {kind: sgd}}")
    run_of(
        tmp_path / "b",
        same.replace("auto", "off")  # which is no difference to the network
        + "model: {hidden: [16]}\ndescent: {learning_rate: 1.0e-05, optimizer: {kind: adam, betas: [0.9, 0.999]}}",
    )
    runs = with_settings(find_runs(tmp_path))
    assert [run["settings"] for run in runs] == [
        {"model.hidden": [64], "descent.learning_rate": 0.1, "descent.optimizer.kind": "sgd"},
        {"model.hidden": [16], "descent.learning_rate": 1e-5, "descent.optimizer.kind": "adam"},
    ]
    table, left_out = as_table(runs, tmp_path)
    assert [line.split() for line in table.splitlines()] == [
        [
            "run",
            "status",
            "hidden",
            "learning_rate",
            "optimizer",
            "train/loss",
            "validation",
            "updates",
            "updates/s",
            "time",
        ],
        ["a", "completed", "[64]", "0.1", "sgd"],
        ["b", "completed", "[16]", "1e-05", "adam"],
    ]
    assert left_out == []
    for sort in ("learning_rate", "descent.learning_rate", "optimizer"):
        assert [run["name"] for run in in_order(runs, sort)] == ["b", "a"]


def test_keys_of_one_last_word_are_told_apart(tmp_path):
    run_of(tmp_path / "a", "dataset: {validation: 0.2, standardize: none}\nmodel: {kind: mlp}")
    run_of(tmp_path / "b", "dataset: {validation: 0.5, standardize: both}\nmodel: {kind: steps}")
    heading = as_table(with_settings(find_runs(tmp_path)), tmp_path)[0].splitlines()[0].split()
    assert heading[2:5] == ["model", "dataset.validation", "standardize"]


def test_a_single_run_and_runs_of_one_config_differ_in_nothing(tmp_path):
    run_of(tmp_path / "a", "seed: 1")
    assert with_settings(find_runs(tmp_path))[0]["settings"] == {}
    run_of(tmp_path / "b", "seed: 1")
    assert [run["settings"] for run in with_settings(find_runs(tmp_path))] == [{}, {}]


@pytest.mark.parametrize("text", ["", "[", "a: &a [*a]", "7", "seed: !!python/name:os.system", "x: " + "[" * 2000])
def test_a_config_that_cannot_be_read_has_no_settings(tmp_path, text):
    run_of(tmp_path / "a", "seed: 1")
    run_of(tmp_path / "b", "seed: 2")
    run_of(tmp_path / "c", text)
    settings = [run["settings"] for run in with_settings(find_runs(tmp_path))]
    assert settings[:2] == [{"seed": 1}, {"seed": 2}]
    assert settings[2].get("seed") is None
    assert as_table(with_settings(find_runs(tmp_path)), tmp_path)[0].count("\n") == 3


def test_a_setting_cannot_steer_the_terminal(tmp_path):
    run_of(tmp_path / "a", 'loss: "\\e[31mred\\nline"')
    run_of(tmp_path / "b", "loss: mse")
    line = as_table(with_settings(find_runs(tmp_path)), tmp_path)[0].splitlines()[1]
    assert line.split() == ["a", "completed", "\\x1b[31mred", "line"]


def test_smoke_runs_are_marked(tmp_path):
    smoke = nnintro.train(config(name="quick"), runs_dir=tmp_path, smoke=True)
    whole = nnintro.train(config(name="whole"), runs_dir=tmp_path)
    assert smoke.summary["smoke"] is True
    assert "smoke" not in whole.summary
    lines = as_table(find_runs(tmp_path), tmp_path)[0].splitlines()
    assert lines[1].split()[:3] == ["quick", "completed", "(smoke)"]
    assert "smoke" not in lines[2]
    nnintro.train(resume=tmp_path / "quick", overrides=["training.steps=30"])
    assert find_runs(tmp_path)[0]["smoke"] is True  # of few samples it still is
