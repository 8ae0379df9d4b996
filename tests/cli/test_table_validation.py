"""A table with a file of its own for validation: trained on, measured, resumed, moved and exported."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nnintro
from tests.recording.test_recorder import read

CONFIG = """\
dataset:
  kind: table
  path: data/train.csv
  target: y
  validation: {path: data/test.csv}
model: {kind: mlp, hidden: [4]}
descent: {optimizer: adam, learning_rate: 0.01}
training: {epochs: 20}
logging: {figures: off, histograms: off}
"""


@pytest.fixture
def files(tmp_path):
    """y = 2 a + (5 where kind is b); the other file has its columns in another order."""
    (tmp_path / "data").mkdir()
    kinds = ["a", "b"]
    train = [f"{k},{kinds[k % 2]},{2 * k + 5 * (k % 2)}" for k in range(40)]
    test = [f"{2 * k + 5 * (k % 2)},{kinds[k % 2]},{k}" for k in range(5, 20)]
    (tmp_path / "data" / "train.csv").write_text("\n".join(["x,kind,y", *train]) + "\n")
    (tmp_path / "data" / "test.csv").write_text("\n".join(["y,kind,x", *test]) + "\n")
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


def test_the_file_is_what_the_run_is_measured_on(command, files):
    done = command("train", "c.yaml", "--quiet")
    assert (done.code, done.err) == (0, "")
    run = nnintro.load("c")
    assert run.setup.training_samples == 40
    assert run.summary["data"] == {"rows": 40, "validation_samples": 15}
    kinds = ["a" if k % 2 == 0 else "b" for k in range(5, 20)]
    predicted = run.predict({"x": list(range(5, 20)), "kind": kinds}).numpy()[:, 0]
    truth = np.array([2 * k + 5 * (k % 2) for k in range(5, 20)])
    rmse = float(np.sqrt(np.mean((predicted - truth) ** 2)))
    assert run.summary["metrics"]["validation/rmse"] == pytest.approx(rmse, rel=1e-4)
    own, same = (
        json.loads(command("evaluate", "c", *more, "--json").out)
        for more in ((), ("--dataset", str(files / "data" / "test.csv")))
    )
    assert own["metrics"]["rmse"] == pytest.approx(rmse, rel=1e-4)
    assert own["metrics"] == pytest.approx(same["metrics"], rel=1e-6)
    assert (own["samples"], same["samples"]) == (15, 15)


def test_a_run_goes_on_only_over_the_same_two_files(command, files):
    assert command("train", "c.yaml", "--quiet").code == 0
    more = ("--resume", "c", "--set", "training.epochs=25", "--quiet")
    assert command("train", *more).code == 0
    test = files / "data" / "test.csv"
    text = test.read_text()
    test.write_text(text.replace("15,b,5", "15,b,6"))
    for words in (("train", "--resume", "c", "--set", "training.epochs=30"), ("evaluate", "c")):
        done = command(*words)
        assert done.code == 4, done.err
        assert "test.csv: has changed since the run in" in done.err
    test.write_text(text)
    assert command("evaluate", "c").code == 0
    done = command("train", "--resume", "c", "--set", "training.epochs=30", "--set", "dataset.validation=0.5")
    assert done.code != 0


def test_smoke_other_folders_home_and_export(command, files, monkeypatch):
    assert command("train", "c.yaml", "--smoke", "--quiet").code == 0
    (files / "elsewhere").mkdir()
    monkeypatch.chdir(files / "elsewhere")
    done = command("train", "../c.yaml", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert command("evaluate", "runs/c").code == 0
    assert command("export", "runs/c", "--output", "c.safetensors").code == 0
    monkeypatch.setenv("HOME", str(files))
    done = command(
        "train", "../c.yaml", "--quiet", "--name", "home", "--set", "dataset.validation.path=~/data/test.csv"
    )
    assert (done.code, done.err) == (0, "")


def test_what_is_wrong_with_the_file_is_said_with_its_place(command, files):
    test = files / "data" / "test.csv"
    text = test.read_text()
    for new, wanted in (
        (text.replace("y,kind,x", "why,kind,x"), "test.csv:1: no column 'y' in"),
        (text.replace("15,b,5", "15,b,five"), "test.csv:2: column 'x': expected a number, got 'five'"),
        (text.replace("15,b,5", ",b,5"), "test.csv:2: column 'y': expected a number, got no value"),
    ):
        test.write_text(new)
        done = command("train", "c.yaml", "--quiet")
        assert done.code == 4
        assert wanted in done.err
    test.unlink()
    done = command("train", "c.yaml", "--quiet")
    assert done.code == 4
    assert "test.csv: cannot be read" in done.err
    assert not (files / "runs").exists()


def test_each_of_several_targets_is_in_the_summary_and_in_tensorboard(command, files):
    for name, numbers in (("train", range(30)), ("test", range(3, 12)), ("one", [4])):
        lines = [f"{k},{3 * k},{k * k}" for k in numbers]
        (files / "data" / f"{name}.csv").write_text("\n".join(["x,line,square", *lines]) + "\n")
    (files / "c.yaml").write_text(CONFIG.replace("target: y", "target: [line, square]"))
    done = command("train", "c.yaml")
    assert done.code == 0
    run = nnintro.load("c")
    x = np.arange(3.0, 12)
    predicted = run.predict({"x": x}).numpy()
    assert list(run.summary["targets"]) == ["line", "square"]
    points = read(run.directory)
    for column, (name, truth) in enumerate((("line", 3 * x), ("square", x * x))):
        errors = predicted[:, column] - truth
        expected = {
            "mse": np.mean(errors**2), "mae": np.mean(np.abs(errors)), "rmse": np.sqrt(np.mean(errors**2)),
            "r2": 1 - np.sum(errors**2) / np.sum((truth - truth.mean()) ** 2),
        }  # fmt: skip
        assert run.summary["targets"][name] == pytest.approx(expected, rel=1e-4)
        for metric, value in expected.items():
            (point,) = points.Scalars(f"targets/{metric}/{name}")
            assert (point.step, point.value) == (run.summary["steps"], pytest.approx(value, rel=1e-4))
    line, square = (f"{name} {run.summary['targets'][name]['rmse']:.3g}" for name in ("line", "square"))
    assert f"{line[:8]}" in done.err
    assert f"{square[:9]}" in done.err
    # Of one row there is no r2.
    assert command("train", "c.yaml", "--name", "one", "--set", "dataset.validation.path=data/one.csv").code == 0
    for found in nnintro.load("one").summary["targets"].values():
        assert found["r2"] is None
        assert found["rmse"] == pytest.approx(found["mae"])
