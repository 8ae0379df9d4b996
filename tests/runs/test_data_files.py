"""Data that was moved, with a run or without it: it is found again, or the run says that it is gone."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import nnintro
from nnintro.errors import DataError
from nnintro.predict.evaluate import evaluate
from tests.comparing import Cut, assert_same_run, cut_before

TABLE = "dataset: {kind: table, path: data/prices.csv, target: price}\nmodel: {kind: mlp, hidden: [3]}\n"
IMAGES = "dataset: {kind: images, path: data/cells}\nmodel: {kind: unet, channels: [2, 4]}\n"
CONFIG = "training: {epochs: 2, checkpoint: {every: 1 steps}}\ndescent: {batch_size: 4}\n"


def make_table(folder, seed=0):
    source = np.random.default_rng(seed)
    rows = [f"{area},{3 * area + noise}" for area, noise in source.integers(1, 99, (40, 2)).tolist()]
    (folder / "prices.csv").write_text("\n".join(["area,price", *rows]) + "\n", encoding="utf-8")


def make_images(folder):
    source = np.random.default_rng(1)
    for part in ("images", "masks"):
        (folder / "cells" / part).mkdir(parents=True)
        for number in range(6):
            pixels = source.integers(0, 255 if part == "images" else 2, (16, 16)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "cells" / part / f"{number}.png")


@pytest.fixture(params=["table", "images"])
def project(request, tmp_path, monkeypatch):
    """A folder with a config and its data, which is the current folder."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (make_table if request.param == "table" else make_images)(folder / "data")
    (folder / "a.yaml").write_text((TABLE if request.param == "table" else IMAGES) + CONFIG, encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def path_in(run):
    return yaml.safe_load((Path(run) / "config.yaml").read_text(encoding="utf-8"))["dataset"]["path"]


def metrics_of(run):
    found = evaluate(run)
    expected = json.loads((Path(found.run) / "summary.json").read_text(encoding="utf-8"))["metrics"]
    assert found.metrics == {k.removeprefix("validation/"): v for k, v in expected.items() if "validation" in k}
    return found


def test_folder_and_data_are_moved_together(project, tmp_path, monkeypatch):
    nnintro.train("a.yaml")
    assert path_in("runs/a").startswith("../../data/")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    project.rename(tmp_path / "elsewhere/renamed")
    run = tmp_path / "elsewhere/renamed/runs/a"
    assert metrics_of(run).notes == ()
    again = nnintro.train(run / "config.yaml", runs_dir=tmp_path / "again")
    assert_same_run(again.directory, run)
    assert nnintro.train(resume=run, overrides=["training.epochs=3"]).summary["epochs"] == 3
    assert path_in(run).startswith("../../data/")


def test_a_run_that_was_cut_off_goes_on_elsewhere(project, tmp_path, monkeypatch):
    whole = nnintro.train("a.yaml", runs_dir="whole").directory
    with cut_before(monkeypatch, 1), pytest.raises(Cut):
        nnintro.train("a.yaml", runs_dir="cut")
    shutil.copytree(project, tmp_path / "copy")
    shutil.rmtree(project / "data")
    monkeypatch.chdir(tmp_path / "copy")
    # With its config, which is not where it was either.
    assert_same_run(nnintro.train("a.yaml", runs_dir="cut", resume="a").directory, project / whole)


def test_the_run_is_moved_and_the_data_stays(project, tmp_path, monkeypatch):
    nnintro.train("a.yaml")
    (tmp_path / "archive/deep").mkdir(parents=True)
    shutil.move("runs/a", tmp_path / "archive/deep/b")
    monkeypatch.chdir(tmp_path / "archive")
    (note,) = metrics_of(tmp_path / "archive/deep/b").notes
    assert note.startswith(str(tmp_path / "archive/data"))  # which is where the relative path leads now
    assert f"is taken from {project / 'data'}" in note


@pytest.mark.parametrize("place", ["data/old", "elsewhere", "."])
def test_moved_data_is_found(project, place, recwarn):
    nnintro.train("a.yaml")
    Path(place).mkdir(exist_ok=True)
    (moved,) = Path("data").iterdir() if place != "data/old" else [p for p in Path("data").iterdir() if p.name != "old"]
    name = "other.csv" if moved.is_file() else moved.name  # a folder of images is known by its name
    shutil.move(moved, Path(place) / name)
    if moved.suffix:  # of the same size, and not the same
        (Path(place) / moved.name).write_bytes(b"x" * (Path(place) / name).stat().st_size)
    (note,) = metrics_of("runs/a").notes
    assert note == f"{project / moved} is gone; the run's data is taken from {project / place / name}"
    assert nnintro.train(resume="a", overrides=["training.epochs=3"]).summary["epochs"] == 3
    assert metrics_of("runs/a").notes == ()  # from here on config.yaml says where it is


def test_data_of_other_bytes_is_not_taken(project):
    nnintro.train("a.yaml")
    (data,) = Path("data").iterdir()
    if data.is_file():
        size = data.stat().st_size
        data.unlink()
        make_table(Path("data"), seed=1)
        Path("data/prices.csv").rename("prices.csv")
        content = Path("prices.csv").read_bytes()
        Path("prices.csv").write_bytes((content + b"1,1\n" * 99)[:size])
        with pytest.raises(DataError, match=r"prices.csv: cannot be read: No such file"):
            evaluate("runs/a")
    else:
        shutil.move(data, "cells")
        Image.fromarray(np.full((16, 16), 9, np.uint8)).save("cells/images/0.png")
        with pytest.raises(DataError, match="has changed since"):
            evaluate("runs/a")


def test_a_run_of_an_earlier_version_with_its_whole_path(project):
    """Its data.json has no files."""
    nnintro.train("a.yaml")
    config, data = Path("runs/a/config.yaml"), Path("runs/a/data.json")
    whole = project / next(Path("data").iterdir())
    config.write_text(config.read_text().replace(path_in("runs/a"), str(whole)))
    held = json.loads(data.read_text())
    del held["files"], held["sha256"]
    held["sha256"] = hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()
    data.write_text(json.dumps(held))
    assert metrics_of("runs/a").notes == ()
    shutil.move(whole, project / whole.name)
    assert metrics_of("runs/a").notes == (f"{whole} is gone; the run's data is taken from {project / whole.name}",)


def test_nothing_above_both_but_the_root(tmp_path):
    from nnintro.config.load import load_config
    from nnintro.runs.data_files import seen_from

    config = {"dataset": {"kind": "table", "path": "/data/a.csv", "target": "y"}, "model": {"kind": "mlp"}}
    experiment = load_config(config).experiment
    assert seen_from(experiment, Path("/home/ann/runs/a")) is experiment
    assert seen_from(experiment, Path("/data/runs/a")).dataset.path == "../../a.csv"
