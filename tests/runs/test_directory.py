"""A run's folder, as somebody finds it who was not there."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import os
import platform
import re
import shlex
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import nnintro
from nnintro.errors import CheckpointError
from nnintro.files import as_json
from nnintro.runs.folder import RunLock, create_run_directory, is_locked
from tests.comparing import saved_bits
from tests.support import config

UPDATES = 3 * 6  # 23 samples in batches of 4 are 6 updates, 3 times


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A run with everything on, and a validation metric that no training loss equals."""
    folder = tmp_path_factory.mktemp("whole") / "runs"
    values = config(logging={"figures": "auto", "histograms": "auto"}, name="whole")
    return nnintro.train(values, runs_dir=folder).directory


def summary(directory):
    return json.loads((directory / "summary.json").read_text())


def test_there_is_everything_and_nothing_else(directory):
    found = {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}
    events = {name for name in found if name.startswith("events.out.tfevents.")}
    assert len(events) == 1
    assert found - events == {
        "config.yaml",
        "environment.json",
        "history.csv",
        "summary.json",
        "checkpoints/latest.json",
        f"checkpoints/step-{UPDATES}.pt",
        "figures/fit.png",
        "figures/curves.png",
    }


def test_summary_has_the_keys_and_types_of_the_contract(directory):
    found = summary(directory)
    kinds = {
        "status": str, "name": str, "directory": str, "engine": str, "device": str,
        "precision": str, "parameters": int, "epochs": int, "steps": int, "samples": int,
        "steps_per_second": float, "seconds": dict, "metrics": dict,
    }  # fmt: skip
    assert {key: type(value) for key, value in found.items()} == kinds
    assert (found["status"], found["name"]) == ("completed", "whole")
    assert found["directory"] == str(directory)
    assert (found["precision"], found["engine"]) == ("float64", "autograd")
    assert found["parameters"] == 2 * 5 + 5 + 1
    assert (found["epochs"], found["steps"], found["samples"]) == (3, UPDATES, 3 * 23)
    seconds = found["seconds"]
    assert list(seconds) == ["startup", "training", "recording", "total"]
    parts = seconds["startup"] + seconds["training"] + seconds["recording"]
    assert parts == pytest.approx(seconds["total"])
    assert found["steps_per_second"] == pytest.approx(UPDATES / seconds["training"])
    metrics = {"train/loss", "validation/loss", "validation/mse", "validation/mae"}
    metrics |= {"validation/rmse", "validation/r2", "validation/sup_error"}
    assert set(found["metrics"]) == metrics
    assert all(type(value) is float for value in found["metrics"].values())


def test_metrics_are_those_of_the_saved_network_on_the_function(directory):
    run = nnintro.load(directory)
    x = np.linspace(0, 1, 2001)
    error = run.predict(x).numpy()[:, 0] - np.sin(3 * x)
    found = run.summary["metrics"]
    assert found["validation/sup_error"] == pytest.approx(np.abs(error).max(), rel=1e-12)
    assert found["validation/mse"] == pytest.approx((error**2).mean(), rel=1e-12)
    x = np.linspace(0, 1, 23)
    error = run.predict(x).numpy()[:, 0] - np.sin(3 * x)
    assert found["train/loss"] == pytest.approx((error**2).mean(), rel=1e-12)


def test_history_has_unique_growing_steps_and_consistent_counts(directory):
    with (directory / "history.csv").open(newline="") as file:
        heading, *rows = csv.reader(file)
    assert heading == [
        "step", "epoch", "samples", "seconds", "train/loss", "validation/loss", "validation/mse",
        "validation/mae", "validation/rmse", "validation/r2", "validation/sup_error",
        "descent/learning_rate", "descent/gradient_norm", "descent/update_ratio",
        "speed/steps_per_second",
    ]  # fmt: skip
    steps = [int(row[0]) for row in rows]
    assert steps[0] == 0
    assert steps[-1] == UPDATES
    assert all(a < b for a, b in zip(steps, steps[1:], strict=False))
    for row in rows:
        step, epoch, samples = int(row[0]), float(row[1]), int(row[2])
        whole, rest = divmod(step, 6)
        assert samples == 23 * whole + 4 * rest
        assert epoch == pytest.approx(samples / 23)
    seconds = [float(row[3]) for row in rows]
    assert seconds == sorted(seconds)
    # The untrained network has a loss and no gradient norm yet.
    assert rows[0][4] != ""
    assert rows[0][12] == ""
    assert "" not in rows[-1]


def test_the_last_row_is_the_summary(directory):
    last = {name: column[-1] for name, column in nnintro.load(directory).history.items()}
    found = summary(directory)
    assert {tag: last[tag] for tag in found["metrics"]} == pytest.approx(found["metrics"])
    assert last["seconds"] == pytest.approx(found["seconds"]["training"])


def test_environment_says_what_it_ran_on(directory):
    found = json.loads((directory / "environment.json").read_text())
    assert found["nnintro"] == nnintro.__version__
    assert found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()
    assert (found["device"], found["threads"]) == ("cpu", 1)
    assert shlex.split(found["command"]) == sys.argv


def test_checkpoint_has_the_digest_of_its_manifest(directory):
    latest = json.loads((directory / "checkpoints/latest.json").read_text())
    data = (directory / "checkpoints" / latest["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == latest["sha256"]
    assert latest["step"] == UPDATES


def test_figures_are_pictures(directory):
    for name in ("fit.png", "curves.png"):
        with Image.open(directory / "figures" / name) as image:
            assert image.format == "PNG"
            assert min(image.size) > 300
            # More than one colour: something is drawn.
            assert len(np.unique(np.asarray(image.convert("L")))) > 10


def test_config_says_everything_and_trains_to_the_same_bits(directory, tmp_path):
    again = nnintro.train(directory / "config.yaml", runs_dir=tmp_path)
    assert again.directory.name == "whole"  # config.yaml knows its name
    assert saved_bits(again.directory) == saved_bits(directory)
    text = (directory / "config.yaml").read_text()
    assert (again.directory / "config.yaml").read_text() == text
    for key in ("seed: 0", "loss: mse", "variant: mini-batch", "epochs: 3", "shuffle: true"):
        assert re.search(rf"^ *{key}$", text, re.MULTILINE), key


CONFIGS = {
    "function": config(),
    "classes": config(
        dataset={"kind": "classification", "generator": "spirals", "samples": 50, "noise": 0.1,
                 "standardize": "inputs"},
        model={"dropout": 0.2, "hidden": [7, 4], "activation": ["relu", "sine"]},
        descent={"optimizer": "adam", "schedule": {"kind": "cosine", "warmup_steps": 3}},
        precision="float32",
    ),
    "regression": config(
        dataset={"kind": "regression", "generator": "friedman1", "samples": 40, "noise": 1.0},
        descent={"variant": "stochastic", "batch_size": 1, "clip_norm": 1.0},
        precision="bfloat16",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_the_same_config_twice_is_the_same_checkpoint(tmp_path, name):
    first, second = (nnintro.train(CONFIGS[name], runs_dir=tmp_path) for _ in range(2))
    third = nnintro.train(first.directory / "config.yaml", runs_dir=tmp_path)
    other = nnintro.train(CONFIGS[name], ["seed=1"], runs_dir=tmp_path)
    assert saved_bits(first.directory) == saved_bits(second.directory) == saved_bits(third.directory)
    assert saved_bits(other.directory) != saved_bits(first.directory)


def test_an_overridden_config_is_written_with_its_overrides(tmp_path):
    words = ["training.steps=2", "training.epochs=null", "descent.optimizer={kind: adam, epsilon: 1e-7}"]
    run = nnintro.train(config(), words, runs_dir=tmp_path)
    again = nnintro.train(run.directory / "config.yaml", runs_dir=tmp_path)
    assert run.summary["steps"] == again.summary["steps"] == 2
    assert saved_bits(again.directory) == saved_bits(run.directory)


def test_names_count_up_past_whatever_is_there(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a-2").write_text("a file")
    made = [create_run_directory(tmp_path, "a", "")[0].name for _ in range(2)]
    assert made == ["a-3", "a-4"]
    assert (tmp_path / "a-2").read_text() == "a file"
    assert list((tmp_path / "a").iterdir()) == []


def test_a_folder_of_runs_is_made_with_those_above_it(tmp_path):
    folder, lock = create_run_directory(tmp_path / "deep" / "runs", "a", "seed: 0\n")
    assert (folder / "config.yaml").read_text() == "seed: 0\n"
    assert (folder / "checkpoints").is_dir()
    lock.close()


def test_nothing_is_left_of_a_folder_that_could_not_take_its_name(tmp_path, monkeypatch):
    def refuse(path, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CheckpointError, match=r"cannot make a run in .*: No space left on device$"):
        create_run_directory(tmp_path, "a", "")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_another_process_takes_first_is_left_to_it(tmp_path, monkeypatch):
    rename = Path.rename

    def overtaken(path, target):
        if target.name == "a":
            target.mkdir()
            (target / "theirs").write_text("")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    folder, lock = create_run_directory(tmp_path, "a", "")
    lock.close()
    assert folder.name == "a-2"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["theirs"]


@pytest.mark.parametrize("below", [(), ("runs",)])
def test_a_file_in_the_way_is_told_as_that(tmp_path, below):
    (tmp_path / "file").write_text("")
    path = (tmp_path / "file").joinpath(*below)
    with pytest.raises(CheckpointError) as caught:
        create_run_directory(path, "a", "")
    assert str(caught.value) == f"cannot make a run in {path}: Not a directory"


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CheckpointError, match=r"cannot make a run in .*: Permission denied$"):
        create_run_directory(tmp_path / "runs", "a", "")


def test_json_is_what_every_reader_takes():
    values = {"nan": float("nan"), "inf": [float("inf"), (1.5,)], "text": "é"}
    text = as_json(values)
    assert json.loads(text) == {"nan": None, "inf": [None, [1.5]], "text": "é"}
    assert "é" in text


def test_a_run_is_locked_while_others_look_at_it(tmp_path):
    """Who asks whether it is locked holds a shared lock for an instant."""
    looking = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.03, os.close, [looking]).start()
    with RunLock(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
