"""nnintro predict and evaluate on images: masks, overlays, points."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from nnintro.predict import images as predicting
from nnintro.predict.images import predict_images
from tests.comparing import train
from tests.training.test_runs_on_images import experiment, one_thread, pixels_of, write_cells

__all__ = ["one_thread"]


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    values = experiment(
        {"generator": "sky", "samples": 40, "size": [48, 48]},
        model={"channels": [8, 16]},
        training={"epochs": 25},
        loss="bce+dice",
    )
    return train(values, tmp_path_factory.mktemp("sky"))


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    path = write_cells(folder / "cells", count=16)
    values = experiment({"path": str(path)}, training={"epochs": 25})
    return train(values, folder).directory, path


def test_masks_and_overlays(cells, command, tmp_path):
    run, folder = cells
    done = command("predict", run, folder, "--output", "out")
    assert (done.code, done.out, done.err) == (0, "", "16 masks in out\n")
    hits = []
    for path in sorted((tmp_path / "out/masks").iterdir()):
        mask = pixels_of(path)
        truth = pixels_of(folder / "masks" / path.name)
        assert set(np.unique(mask)) <= {0, 100}
        hits.append(((mask > 0) == (truth > 0)).mean())
        assert pixels_of(tmp_path / "out/overlays" / path.name).shape == (40, 40, 3)
    assert np.mean(hits) > 0.97


def test_any_size_and_a_single_file(cells, command, tmp_path):
    Image.fromarray(np.zeros((33, 21), np.uint8)).save(tmp_path / "a.png")
    done = command("predict", cells[0], "a.png", "--output", "out")
    assert (done.code, done.err) == (0, "1 mask in out\n")
    assert pixels_of(tmp_path / "out/masks/a.png").shape == (33, 21)


def test_evaluate_on_another_folder(cells, command, tmp_path):
    run, folder = cells
    done = command("evaluate", run, "--dataset", folder, "--json")
    report = json.loads(done.out)
    assert report["samples"] == 16
    assert report["metrics"]["iou"] > 0.7
    assert np.sum(report["confusion"]) == 16 * 40 * 40


def test_points(sky, tmp_path):
    """A source alone in the dark is found within the two pixels that are asked for."""
    row, column = np.mgrid[:48, :48]
    spot = 400 * np.exp(-((row - 20.0) ** 2 + (column - 31.0) ** 2) / (2 * 1.5**2))
    image = np.random.default_rng(0).poisson(8 + spot).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    written = predict_images(sky.directory, tmp_path / "a.png", tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out/points.csv").read_text().splitlines()))
    assert written.points == len(rows) >= 1
    near = [np.hypot(float(r["row"]) - 20, float(r["column"]) - 31) for r in rows]
    assert min(near) < 2
    assert rows[0]["image"] == "a.png"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nothing", "--output", "out"], 4, "nothing: no such image or folder"),
        (["empty", "--output", "out"], 4, "empty: expected"),
        (["a.png"], 2, "images are predicted as mask files: give --output FOLDER"),
        (["a.png", "--output", "out", "--format", "csv"], 2, "--format applies to tables only"),
        (["deep.png", "--output", "out"], 4, "deep.png: expected 8 bits"),
        (["table.csv", "--output", "out"], 4, "table.csv: "),
    ],
)
def test_what_cannot_be_predicted(cells, command, tmp_path, arguments, code, said):
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((20, 20), np.uint16)).save(tmp_path / "deep.png")
    (tmp_path / "table.csv").write_text("x\n1\n")
    (tmp_path / "empty").mkdir()
    done = command("predict", cells[0], *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_the_data_is_not_written_over(cells, command):
    run, folder = cells
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    for source in (folder, folder / "images", folder / "images/00.png"):
        done = command("predict", run, source, "--output", folder)
        assert done.code == 2
        assert "it holds the data; choose another --output" in done.err
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before


def test_a_folder_that_is_there_holds_what_is_not_done_yet(cells, command, tmp_path):
    """It may be a disk of its own, which nothing can be moved to."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to("elsewhere")
    source = cells[1] / "images/00.png"
    assert command("predict", cells[0], source, "--output", "out").code == 0
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["masks", "overlays"]
    (tmp_path / "new").mkdir()
    (tmp_path / "new/masks").write_text("no folder")
    (tmp_path / "new/points.csv").write_text("of another day")
    done = command("predict", cells[0], source, "--output", "new")
    assert (done.code, done.err) == (2, "cannot write new/masks: it is not a folder\n")
    assert (tmp_path / "new/points.csv").exists()


def test_masks_have_the_runs_values_whatever_is_seen(tmp_path):
    """0 and 1 alone of three classes stay 0 and 1."""
    assert predicting._as_masks(np.array([0, 1, 2])).tolist() == [0, 1, 2]
    assert predicting._as_masks(np.array([0, 1])).tolist() == [0, 255]
    assert predicting._as_masks(np.array([0, 70_00])).dtype == np.uint16


def test_all_or_nothing(cells, command, tmp_path):
    run, folder = cells
    (tmp_path / "new").mkdir()
    for name in ("a", "b"):
        (tmp_path / "new" / f"{name}.png").write_bytes((folder / "images/00.png").read_bytes())
    (tmp_path / "new/c.png").write_bytes(b"junk")
    done = command("predict", run, "new", "--output", "out")
    assert done.code == 4
    assert done.err.startswith("new/c.png: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]
    (tmp_path / "new/c.png").unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/points.csv").write_text("of another day\n")
    assert command("predict", run, "new", "--output", "out").code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["masks", "overlays"]


@pytest.mark.parametrize("output", ["a.png", "nowhere/out"])
def test_where_no_folder_can_be(cells, command, tmp_path, output):
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "a.png")
    done = command("predict", cells[0], "a.png", "--output", output)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"cannot write {output}" in done.err


def test_a_large_photograph(cells, command, tmp_path):
    """torch ranks 16 million numbers at most."""
    source = np.random.default_rng(0).integers(0, 255, (1, 4200), dtype=np.uint8)
    Image.fromarray(np.repeat(source, 4100, axis=0)).save(tmp_path / "a.png")
    assert command("predict", cells[0], "a.png", "--output", "out").code == 0
    assert pixels_of(tmp_path / "out/overlays/a.png").shape == (4100, 4200, 3)


def test_what_predict_writes_evaluate_takes(sky, command, tmp_path):
    """Generated masks are 0 and 1; written they are 0 and 255.  And images may be larger."""
    (tmp_path / "new/images").mkdir(parents=True)
    image = np.random.default_rng(0).poisson(8, (64, 56)).astype(np.uint8)
    image[20:23, 30:33] += 90
    Image.fromarray(image).save(tmp_path / "new/images/a.png")
    assert command("predict", sky.directory, "new", "--output", "out").code == 0
    (tmp_path / "out/masks").rename(tmp_path / "new/masks")
    assert set(np.unique(pixels_of(tmp_path / "new/masks/a.png"))) == {0, 255}
    done = command("evaluate", sky.directory, "--dataset", "new", "--json")
    assert (done.code, json.loads(done.out)["metrics"]["iou"]) == (0, 1.0)
