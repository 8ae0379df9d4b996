"""Metrics that have no value on the validation data: null in the files, a note, and an error where one is watched."""

from __future__ import annotations

import json
import math

import pytest

import nnintro
from tests.comparing import scalar_events

AUC = "no sample belongs to class yes; auc is not defined"
R2 = "there is one sample, which has no spread around a mean; r2 is not defined"
COLUMN = {
    "auc": ["no", "yes", "no", "yes", "yes", "no", "yes", "no", "no", "no"],
    "r2": ["2.5", "3.5", "1.5", "2", "1"],
}
"""Of a table in the order of time, whose last fifth is for validation."""
WHY = {"auc": AUC, "r2": R2}


def table(tmp_path, metric, **training):
    path = tmp_path / "data.csv"
    rows = [f"{time},{time % 3},{value}" for time, value in enumerate(COLUMN[metric])]
    path.write_text("\n".join(["t,a,y", *rows, ""]), encoding="utf-8")
    return {
        "dataset": {"kind": "table", "path": str(path), "target": "y", "split": "time", "split_by": "t"},
        "model": {"kind": "mlp", "hidden": [3]},
        "training": {"epochs": 2, **training},
        "logging": {"figures": "off"},
        "name": "run",
    }


@pytest.mark.parametrize("metric", WHY)
def test_it_is_null_in_the_files_and_said_once(metric, tmp_path, capsys):
    run = nnintro.train(table(tmp_path, metric), runs_dir=tmp_path, quiet=False)
    tag, shown = f"validation/{metric}", capsys.readouterr().err
    assert shown.count(f"warning: validation: {WHY[metric]}\n") == shown.count("not defined") == 1
    assert [line.split() for line in shown.splitlines() if line.startswith(tag + " ")] == [[tag, "undefined"]]
    assert json.loads((tmp_path / "run/summary.json").read_text())["metrics"][tag] is None
    assert run.summary["metrics"][tag] is None
    assert set(run.history[tag]) == {None}
    assert set(run.history["validation/loss"]) != {None}
    # TensorBoard would show points where there is nothing.
    events = scalar_events(run.directory)
    assert tag not in {name for _, name, _ in events}
    assert {name for _, name, _ in events} >= {"train/loss", "validation/loss"}


def test_a_loss_that_is_not_finite_is_shown(tmp_path):
    values = {"dataset": {"kind": "function", "formula": "x"}, "model": {"kind": "mlp", "activation": "relu"},
              "descent": {"learning_rate": 1e6}, "training": {"epochs": 2}, "name": "run"}  # fmt: skip
    with pytest.raises(nnintro.DivergedError):
        nnintro.train(values, runs_dir=tmp_path)
    last = {name: value for _, name, value in scalar_events(tmp_path / "run")}
    assert not math.isfinite(last["train/loss"])


@pytest.mark.parametrize("metric", WHY)
@pytest.mark.parametrize("start", [nnintro.train, nnintro.fit])
def test_to_watch_it_is_an_error_before_there_is_a_folder(start, metric, tmp_path):
    tag, options = f"validation/{metric}", {"runs_dir": tmp_path / "runs"} if start is nnintro.train else {}
    rules = {
        f"training.stop_when.{tag}": {"stop_when": {tag: 0.9}},
        "training.early_stopping.metric": {"early_stopping": {"metric": tag}},
    }
    for key, rule in rules.items():
        with pytest.raises(nnintro.ConfigError) as caught:
            start(table(tmp_path, metric, **rule), **options)
        (problem,) = caught.value.problems
        assert problem.path == key
        assert problem.message == f"in the validation data {WHY[metric]}; watch another metric, or split otherwise"
    assert not (tmp_path / "runs").exists()
