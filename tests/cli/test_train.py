"""nnintro train: what goes where, and every way it can end."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import nnintro


def test_json_is_all_that_stands_on_stdout(command, written, tmp_path):
    done = command("train", written(), "--json")
    assert done.code == 0
    assert json.loads(done.out) == json.loads((tmp_path / "runs/small/summary.json").read_text())
    assert "validation/sup_error" in done.err


def test_without_json_stdout_is_empty(command, written):
    done = command("train", written())
    assert (done.code, done.out) == (0, "")


def test_off_a_terminal_there_are_few_plain_lines(command, written):
    classes = {"kind": "classification", "generator": "moons", "samples": 40}
    done = command("train", written(dataset=classes, logging={"figures": "auto"}))
    lines = done.err.splitlines()
    assert 12 < len(lines) <= 30
    assert not re.search("[\x1b\r\x08]", done.err)
    assert [line for line in lines if line != line.rstrip()] == []
    assert lines[0] == "small"
    assert "completed" in lines
    for part in ("runs/small", "figures/fit.png", "nnintro dashboard", "parameters", "2 -> 5"):
        assert part in done.err


def test_quiet_shows_nothing_but_errors(command, written):
    done = command("train", written(), "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    bad = command("train", written(descent={"learning_rate": -1}), "-q")
    assert bad.code == 3
    assert len(bad.err.splitlines()) == 1


def test_overrides_reach_the_run(command, written, tmp_path):
    words = ["--set", "training.epochs=2", "--set", "model.hidden=[3, 2]"]
    done = command("train", written(), "--json", "--quiet", *words)
    summary = json.loads(done.out)
    assert summary["epochs"] == 2
    assert summary["parameters"] == (3 + 3) + (3 * 2 + 2) + (2 + 1)
    assert "hidden: [3, 2]" in (tmp_path / "runs/small/config.yaml").read_text()


def test_smoke_is_small_and_whole(command, written, tmp_path):
    path = written(dataset={"samples": 100_000}, training={"epochs": 500}, logging={"histograms": "auto"})
    done = command("train", path, "--smoke", "--json", "--quiet")
    summary = json.loads(done.out)
    assert done.code == 0
    assert 0 < summary["steps"] <= 20
    assert summary["samples"] <= 20 * 256
    # Four samples make an update: over the whole data an epoch would be 25,000 of them.
    assert summary["steps"] * 4 / summary["epochs"] <= 256
    assert len(list((tmp_path / "runs/small").glob("events.out.tfevents.*"))) == 1


class TestNames:
    def test_a_run_is_never_overwritten(self, command, written, tmp_path):
        path = written("target.yaml", training={"epochs": 0})
        directories = [json.loads(command("train", path, "--json", "-q").out)["directory"]]
        before = {f: f.read_bytes() for f in (tmp_path / "runs/target").rglob("*") if f.is_file()}
        for _ in range(2):
            directories.append(json.loads(command("train", path, "--json", "-q").out)["directory"])
        assert directories == ["runs/target", "runs/target-2", "runs/target-3"]
        assert {f: f.read_bytes() for f in before} == before

    def test_name_wins_over_the_file(self, command, written):
        done = command("train", written(name="inside", training={"epochs": 0}), "--name", "mine", "--json")
        summary = json.loads(done.out)
        assert (summary["name"], summary["directory"]) == ("mine", "runs/mine")

    @pytest.mark.parametrize(
        ("file", "name"),
        [
            ("a b.yaml", "a-b"),
            ("..yaml", "run"),
            (".hidden.yaml", "hidden"),
            ("Übung 1.v2.yaml", "bung-1.v2"),
            ("-x.yml", "x"),
            ("日本.yaml", "run"),
            ("x" * 200 + ".yaml", "x" * 100),
        ],
    )
    def test_odd_file_names_give_plain_run_names(self, written, tmp_path, file, name):
        path = written(file, training={"epochs": 0})
        run = nnintro.train(path, runs_dir=tmp_path / "runs")
        assert run.directory == tmp_path / "runs" / name
        assert [child.name for child in (tmp_path / "runs").iterdir()] == [name]

    @pytest.mark.parametrize("name", ["../out", "a/b", "/tmp/x", "..", "", ".", "a\\b", "a\nb", "-x"])
    def test_a_name_cannot_leave_the_folder_of_runs(self, command, written, tmp_path, name):
        done = command("train", written(), f"--name={name}")
        assert done.code == 3
        assert done.err.startswith("--name: name: ")
        assert len(done.err.splitlines()) == 1
        assert sorted(child.name for child in tmp_path.iterdir()) == ["small.yaml"]


class TestRefusals:
    def test_a_missing_config_is_one_line(self, command):
        done = command("train", "nowhere.yaml")
        assert done.code == 3
        assert (
            done.err == f"nowhere.yaml: cannot be read: No such file or directory; the current folder is {Path.cwd()}\n"
        )

    def test_a_folder_as_config(self, command, tmp_path):
        done = command("train", tmp_path)
        assert done.code == 3
        assert len(done.err.splitlines()) == 1
        assert str(tmp_path) in done.err

    def test_cuda_where_there_is_none(self, command, written, tmp_path, monkeypatch):
        import torch

        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        path = written()
        path.write_text("# first line\ndevice: cuda\n" + path.read_text())
        done = command("train", path)
        assert done.code == 3
        assert re.fullmatch(
            re.escape(str(path)) + r":2:\d+: device: cuda was asked for, and torch finds no CUDA "
            r"device; use auto or cpu\n",
            done.err,
        )
        assert not (tmp_path / "runs").exists()

    def test_a_file_as_folder_of_runs(self, command, written, tmp_path):
        (tmp_path / "taken").write_text("")
        done = command("train", written(), "--runs-dir", "taken")
        assert (done.code, done.out) == (6, "")
        assert done.err == "cannot make a run in taken: Not a directory\n"

    def test_a_folder_of_runs_that_may_not_be_written(self, command, written):
        # Root may write to any folder; this one refuses root too.
        done = command("train", written(), "--runs-dir", "/proc/nnintro-runs")
        assert done.code == 6
        assert done.err.startswith("cannot make a run in /proc/nnintro-runs: ")
        assert len(done.err.splitlines()) == 1


class TestDivergence:
    @pytest.fixture
    def diverging(self, written):
        # Gradient descent on a linear neuron diverges above 2 / (largest curvature).
        return written(
            dataset={"formula": "3*x"},
            model={"hidden": []},
            descent={"learning_rate": 50.0, "variant": "batch", "batch_size": 23},
            training={"epochs": 2000},
        )

    def test_it_is_saved_said_and_counted_as_such(self, command, diverging, tmp_path):
        done = command("train", diverging, "--json")
        assert done.code == 5
        summary = json.loads(done.out)
        assert summary["status"] == "diverged"
        assert summary == json.loads((tmp_path / "runs/small/summary.json").read_text())
        last = done.err.splitlines()[-1]
        assert last.startswith(f"training diverged after {summary['steps']} updates")
        run = nnintro.load(tmp_path / "runs/small")
        assert all(bool(p.isfinite().all()) for p in run.model.parameters())

    def test_the_learning_rate_of_the_hint_does_not_diverge(self, command, diverging):
        said = command("train", diverging).err.splitlines()[-1]
        override = re.search(r"--set (descent\.learning_rate=\S+) \(it was 50\)", said)
        assert override is not None
        done = command("train", diverging, "--set", override[1], "--json", "-q")
        assert done.code == 0
        summary = json.loads(done.out)
        assert summary["status"] == "completed"
        assert summary["metrics"]["train/loss"] < 0.1


def test_a_run_can_be_moved(command, written, tmp_path):
    command("train", written(), "-q")
    shutil.move(tmp_path / "runs/small", tmp_path / "elsewhere")
    assert nnintro.load(tmp_path / "elsewhere").predict([0.5]).shape == (1, 1)
