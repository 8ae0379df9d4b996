"""``nnintro sweep``: what it prints and leaves behind, and what bad input is answered with."""

from __future__ import annotations

import json
import shutil

import pytest

RATE = "--over=descent.learning_rate="
METRICS = (
    "train/loss, validation/loss, validation/mse, validation/mae, validation/rmse, validation/r2 or "
    "validation/sup_error"
)


def test_a_sweep_and_its_best(command, written):
    done = command("sweep", written("a.yaml"), RATE + "0.1,0.2", "--over=model.hidden=[3],[4,2]", "--keep=1", "--json")
    assert done.code == 0
    summary = json.loads(done.out)
    assert {"name", "directory", "trials", "completed", "diverged", "failed", "seconds", "best"} <= set(summary)
    assert summary["best"].keys() == {"number", "values", "objective", "metrics"}
    assert (summary["name"], summary["trials"], summary["completed"]) == ("a", 4, 4)
    for text in (
        "over descent.learning_rate  0.1, 0.2",
        "over model.hidden           [3], [4, 2]",
        "trials                      4 (grid)",
        "validation/loss, smallest first",
        "keeping the best 1 trial as runs",
        "completed: 4 trials (4 completed) in ",
        "to train the best again: nnintro train runs/a/best.yaml",
    ):
        assert text in done.err
    number = summary["best"]["number"]
    listed = command("runs", "--json")
    assert [run["directory"] for run in json.loads(listed.out)] == [f"runs/a/trial-{number}"]
    again = command("train", "runs/a/best.yaml", "--json", "-q")
    assert json.loads(again.out)["metrics"] == summary["best"]["metrics"]


def test_quiet_says_nothing(command, written):
    assert command("sweep", written(), RATE + "0.1,0.2", "--keep=0", "-q") == type(command("runs"))(0, "", "")


def test_a_grid_says_that_it_runs_all(command, written):
    done = command("sweep", written(), RATE + "0.1,0.2", "--keep=0", "--trials=1")
    assert "warning: a grid runs all of its 2 trials; trials: 1 is for random and tpe" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [
        ([], 3, [": sweep: required key is missing; write a sweep section, or give --over KEY=VALUES"]),
        (["--over=learning_rate"], 3, ["--over:1: expected KEY=VALUES, such as"]),
        (["--over=descent.learning_rat=1,2"], 3, ["--over:1: descent.learning_rat: unknown key; did you mean"]),
        (["--over=descent.lr=1,2"], 3, ["--over:1: descent.lr: unknown key; did you mean 'learning_rate'?"]),
        ([RATE], 3, ["--over:1: sweep.over.descent.learning_rate: expected 1 or more entries, got an empty list"]),
        ([RATE + "1..1e-3"], 3, ["expected low below high, got 1 and 0.001; the other way round"]),
        ([RATE + "1..1"], 3, ["expected low below high, got 1 and 1"]),
        ([RATE + "log:0..1"], 3, ["a logarithmic range starts above 0, got low 0"]),
        ([RATE + "-1..1"], 3, ["--over:1: descent.learning_rate: expected a number above 0, got -1.0"]),
        ([RATE + "log:a..1"], 3, ["--over:1: descent.learning_rate: expected a number, got 'log:a..1'"]),
        ([RATE + "0.1,fast,-1"], 3, ["expected a number, got 'fast'", "expected a number above 0, got -1"]),
        (["--over=model.activation=0..1"], 3, ["a range is of numbers, and this key does not take any number"]),
        (["--over=model.activation=relu,rleu"], 3, ["--over:1: model.activation: ", ]),
        (["--over=model.hidden=[8],[16"], 3, ["--over:1: sweep.over.model.hidden: not valid YAML"]),
        (["--over=descent.batch_size=2..3.5"], 3, ["--over:1: sweep.over.descent.batch_size: high: expected a whole"]),
        (["--over=descent.batch_size=4,99"], 3, ["--over:1: descent.batch_size: expected at most the 23 training"]),
        (["--over=name=a,b"], 3, ["--over:1: sweep.over.name: makes no difference to the network that is trained"]),
        (["--over=sweep.seeds=1,2"], 3, ["--over:1: sweep.over.sweep.seeds: makes no difference to the network"]),
        (["--over=seed=1,2", "--seeds=2"], 3, ["--seeds: sweep.seeds: the sweep goes over seed already"]),
        ([RATE + "1", "--trials=0"], 3, ["--trials: sweep.trials: expected a number of at least 1, got 0"]),
        ([RATE + "1", "--seeds=0"], 3, ["--seeds: sweep.seeds: expected a number of at least 1, got 0"]),
        ([RATE + "1", "--keep=-1"], 3, ["--keep: sweep.keep: expected a number of at least 0, got -1"]),
        ([RATE + "1", "--sampler=gird"], 3, ["--sampler: sweep.sampler: expected grid, random or tpe, got 'gird'"]),
        ([RATE + "1", "--objective=accuracy"], 3, [f"--objective: sweep.objective: expected {METRICS}, got 'acc"]),
        ([RATE + "1", "--set", "descent.lr=2"], 3, ["--set:1: descent.lr: unknown key"]),
        ([RATE + "1", "--workers=0"], 2, ["--workers: expected a number of at least 1, got 0"]),
        (["--resume=runs/s"], 6, ["runs/s: no such sweep"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_each_and_leaves_nothing(arguments, code, lines, command, written, tmp_path):
    config = [] if "--resume=runs/s" in arguments else [written("a.yaml")]
    done = command("sweep", *config, *arguments)
    assert (done.code, done.out) == (code, "")
    found = done.err.splitlines()
    assert len(found) == len(lines), done.err
    for line, expected in zip(found, lines, strict=True):
        assert expected in line
    assert not (tmp_path / "runs").exists()


def test_a_file_of_its_own_that_names_no_config(command, tmp_path):
    (tmp_path / "s.yaml").write_text("config: missing.yaml\nsweep: {over: {seed: [1, 2]}}\n")
    done = command("sweep", "s.yaml")
    assert (done.code, done.out) == (3, "")
    assert "missing.yaml" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_file_of_its_own_has_no_other_sections(command, written, tmp_path):
    written("a.yaml")
    (tmp_path / "s.yaml").write_text("config: a.yaml\ntraining: {epochs: 1}\nsweep: {over: {seed: [1, 2]}}\n")
    done = command("sweep", "s.yaml")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("s.yaml:2:1: training: a file that names a config has name or sweep beside; change")
    (tmp_path / "s.yaml").write_text("config: a.yaml\nname: mine\nsweep: {over: {seed: [1, 2]}, keep: 0}\n")
    assert json.loads(command("sweep", "s.yaml", "--json").out)["directory"] == "runs/mine"


def test_validate_tries_the_values(command, written):
    section = {"over": {"descent.batch_size": [4, 99], "model.activation": {"low": 0, "high": 1}}}
    path = written("a.yaml", sweep=section)
    done = command("validate", path)
    assert done.code == 3
    first, second = done.err.splitlines()
    assert "descent.batch_size: expected at most the 23 training samples, got 99" in first + second
    assert "a range is of numbers" in first + second
    assert all(line.startswith(f"{path}:") for line in (first, second))


def test_values_that_do_not_go_with_the_data(command, written, tmp_path):
    rows = [f"{n},{n % 7},{n + n % 7}" for n in range(50)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *rows, ""]))
    section = {"over": {"descent.batch_size": {"low": 2, "high": 64}, "loss": ["mse", "cross_entropy"]}}
    path = written("a.yaml", dataset={"kind": "table", "path": "t.csv", "target": "y"}, sweep=section)
    for arguments in (["sweep", path], ["validate", "--data", path]):
        done = command(*arguments)
        assert (done.code, done.out) == (3, "")
        first, second = sorted(done.err.splitlines())
        assert "descent.batch_size: expected at most the 40 training samples, got 64" in first + second
        assert "loss: cross_entropy" in first + second
        assert all(line.startswith(f"{path}:") for line in (first, second))
    assert not (tmp_path / "runs").exists()


def test_a_sweep_is_no_run(command, written, tmp_path):
    assert command("sweep", written("a.yaml"), RATE + "0.1", "--keep=0", "-q").code == 0
    done = command("train", "--resume", "a")
    assert done.code == 6
    assert "runs/a is not a run: it has no config.yaml; it is a sweep, whose runs are folders below it" in done.err
    shutil.rmtree(tmp_path / "runs" / "a" / "figures", ignore_errors=True)
    done = command("sweep", "--resume", "a", "--json")
    assert (done.code, json.loads(done.out)["trials"]) == (0, 1)


def test_a_sweep_under_torchrun_is_refused(command, written, tmp_path, monkeypatch):
    variables = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = command("sweep", written(), RATE + "0.1,0.2")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("sweep in 2 processes: torchrun shares one training")
    assert not (tmp_path / "runs").exists()
