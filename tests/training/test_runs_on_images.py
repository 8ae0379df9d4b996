"""Runs on images: small U-Nets on made-up cells and on folders, from training to predictions."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

import nnintro
from nnintro.config.load import load_config
from nnintro.errors import CheckpointError, DataError
from nnintro.predict.evaluate import evaluate
from nnintro.predict.images import predict_images
from nnintro.training.setup import build_data
from tests.comparing import Cut, assert_same_run, cut_before, train
from tests.support import config


@pytest.fixture(autouse=True)
def one_thread():
    """Two threads that wait for each other stand still where other tests want the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def experiment(dataset=None, model=None, **sections):
    values = config(
        dataset={"kind": "images", "generator": "cells", "samples": 12, "size": [32, 32],
                 "augmentation": ["flip", "rotate", "crop"], **(dataset or {})},
        model={"kind": "unet", "channels": [4, 8], **(model or {})},
        descent={"batch_size": 4, "optimizer": "adam", "learning_rate": 0.01},
        training={"epochs": 4, "checkpoint": {"every": "1 steps"}},
        precision="float32",
        name="run",
    )  # fmt: skip
    for name, keys in sections.items():
        values[name] = {**values[name], **keys} if isinstance(keys, dict) else keys
    if "path" in values["dataset"]:
        for key in ("generator", "size"):
            values["dataset"].pop(key)
    return values


def pixels_of(path):
    with Image.open(path) as image:
        return np.array(image)


def write_cells(folder, count=10, size=40, classes=2, depth=np.uint8):
    """Squares of their own brightness on dark ground, and masks with the values 0, 100, 200."""
    source = np.random.default_rng(0)
    largest = np.iinfo(depth).max
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(count):
        mask = np.zeros((size, size), np.uint8)
        for one in range(1, classes):
            row, column = source.integers(2, size - 14, 2)
            mask[row : row + 10, column : column + 10] = 100 * one
        image = source.normal(0.2, 0.03, mask.shape) + mask / 255
        pixels = (image.clip(0, 1) * largest).astype(depth)
        Image.fromarray(pixels).save(folder / "images" / f"{number:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:02}.png")
    return folder


@pytest.mark.parametrize("normalization", ["batch", "group"])
@pytest.mark.parametrize("step", [2, 7])
def test_cut_off_it_goes_on_to_the_same_bits(tmp_path, monkeypatch, step, normalization):
    """Weights, running statistics, augmentations: none needs a replay."""
    values = experiment(model={"normalization": normalization})
    whole = train(values, tmp_path / "whole").directory
    with cut_before(monkeypatch, step), pytest.raises(Cut):
        train(values, tmp_path / "cut")
    assert_same_run(train(None, tmp_path / "cut", resume="run").directory, whole)


@pytest.mark.parametrize("memory", [1024, 0.001])
def test_from_a_folder_in_memory_or_from_disk_to_the_same_bits(tmp_path, memory):
    folder = write_cells(tmp_path / "cells")
    first = train(experiment({"path": str(folder)}), tmp_path / "a").directory
    values = experiment({"path": str(folder), "memory": memory})
    again = train(values, tmp_path / "b").directory
    assert nnintro.load(again).summary["metrics"] == nnintro.load(first).summary["metrics"]
    assert evaluate(again).metrics == {
        name.removeprefix("validation/"): value
        for name, value in nnintro.load(first).summary["metrics"].items()
        if name.startswith("validation/")
    }


def test_its_config_trains_again_to_the_same_bits(tmp_path):
    first = train(experiment({"generator": "sky"}), tmp_path / "a").directory
    again = train(first / "config.yaml", tmp_path / "b").directory
    assert_same_run(again, first)


def test_what_a_run_on_images_leaves(tmp_path):
    values = experiment({"generator": "sky"}, logging={"figures": "auto"})
    run = train(values, tmp_path)
    assert (run.directory / "figures/maps.png").stat().st_size > 10_000
    held = json.loads((run.directory / "data.json").read_text())
    assert held["task"]["image"] == [32, 32]
    assert list(run.summary["metrics"]) == [
        "train/loss",
        *(f"validation/{name}" for name in (
            "loss", "iou", "dice", "pixel_accuracy", "boundary_f1", "precision", "recall",
        )),
    ]  # fmt: skip
    assert run.summary["data"]["signal_to_noise"] == 8
    assert sum(map(sum, run.summary["confusion"])) == 2 * 32 * 32
    inputs, _ = build_data(run.setup.experiment).validation.to(torch.device("cpu"), torch.float32).rows(torch.arange(2))
    assert run.predict(inputs).shape == (2, 1, 32, 32)
    assert run.predict(torch.zeros(1, 1, 19, 50)).shape == (1, 1, 19, 50)
    with pytest.raises(DataError, match=r"expected shape \(n, 1, height, width\), got \(3, 4\)"):
        run.predict(np.zeros((3, 4)))


def test_standardised_channels_are_part_of_the_network(tmp_path):
    """Sixteen bits of which few are used: the first layer sees deviations of about 1."""
    folder = write_cells(tmp_path / "cells", depth=np.uint16)
    run = train(experiment({"path": str(folder)}), tmp_path)
    images = [pixels_of(path).astype(float) / 65535 for path in sorted((folder / "images").iterdir())]
    description = json.loads((run.directory / "data.json").read_text())["description"]
    assert description["bits"] == 16
    assert float(run.model.scale) == pytest.approx(np.std(images), rel=0.1)
    assert float(run.model.mean) == pytest.approx(np.mean(images), rel=0.05)
    plain = train(experiment({"path": str(folder), "standardize": "none"}), tmp_path)
    assert (float(plain.model.mean), float(plain.model.scale)) == (0, 1)


def test_several_classes(tmp_path):
    folder = write_cells(tmp_path / "cells", classes=3)
    values = experiment(
        {"path": str(folder), "classes": ["ground", "left", "right"]},
        training={"epochs": 12},
        logging={"figures": "auto"},
    )
    run = train(values, tmp_path)
    assert (run.directory / "figures/confusion.png").exists()
    assert run.setup.task.outputs == 3
    found = evaluate(run.directory, str(folder))
    assert found.classes == ("ground", "left", "right")
    assert np.sum(found.confusion) == 10 * 40 * 40
    predict_images(run.directory, folder, tmp_path / "out")
    values = {int(value) for path in (tmp_path / "out/masks").iterdir() for value in np.unique(pixels_of(path))}
    assert values <= {0, 100, 200}
    assert 0 in values


@pytest.mark.parametrize("loss", ["bce", "dice", "bce+dice", "cross_entropy"])
def test_every_loss_falls(tmp_path, loss):
    run = train(experiment(loss=loss, training={"epochs": 10}), tmp_path)
    losses = run.history["train/loss"]
    assert losses[-1] < 0.9 * losses[0]


def test_bfloat16(tmp_path):
    run = train(experiment(precision="bfloat16"), tmp_path)
    assert next(run.model.parameters()).dtype == torch.float32
    assert run.summary["metrics"]["train/loss"] < run.history["train/loss"][0]


def test_batch_descent_in_blocks(tmp_path):
    """With groups it is the update over all images; with batches it is not, and that is said."""

    def trained(size, normalization):
        values = experiment(
            model={"normalization": normalization},
            descent={"variant": "batch", "batch_size": size, "optimizer": "sgd"},
            precision="float64",
        )
        loaded = load_config(values)
        said = loaded.setup(build_data(loaded.experiment).found).notes()
        return train(values, tmp_path / f"{size}{normalization}").model.state_dict(), said

    (one, _), (other, said) = trained(10, "group"), trained(3, "group")
    assert said == []
    for name, tensor in one.items():
        assert torch.allclose(tensor, other[name], rtol=1e-9, atol=1e-11), name
    (one, quiet), (other, said) = trained(10, "batch"), trained(3, "batch")
    assert quiet == []
    assert said[0].startswith("batch normalization takes its means over a block")
    weights = [name for name in one if name.endswith("weight")]
    assert any(not torch.allclose(one[name], other[name], rtol=1e-6) for name in weights)


def test_smoke(tmp_path):
    run = nnintro.train(experiment({"samples": 400}), runs_dir=tmp_path, smoke=True)
    assert run.summary["steps"] <= 20
    assert run.setup.dataset.samples == 256


def test_changed_images_are_noticed(tmp_path):
    folder = write_cells(tmp_path / "cells")
    run = train(experiment({"path": str(folder)}), tmp_path).directory
    Image.fromarray(np.full((40, 40), 9, np.uint8)).save(folder / "images/03.png")
    for again in (lambda: evaluate(run), lambda: nnintro.train(
        resume=run, overrides=["training.epochs=9"]
    )):  # fmt: skip
        with pytest.raises(DataError, match="has changed since"):
            again()
    path = run / "data.json"
    path.write_text(path.read_text().replace('"channels": 1', '"channels": 3'))
    with pytest.raises(CheckpointError):
        nnintro.load(run)


@pytest.mark.parametrize("key", ["threshold=0.4", "memory=0.001", "point_radius=3"])
def test_settings_may_change_under_a_run(tmp_path, key):
    folder = write_cells(tmp_path / "cells")
    run = train(experiment({"path": str(folder), "point_radius": 2}), tmp_path).directory
    again = nnintro.train(resume=run, overrides=[f"dataset.{key}", "training.epochs=5"])
    assert again.summary["epochs"] == 5
    metrics = again.summary["metrics"]
    assert evaluate(run).metrics["iou"] == metrics["validation/iou"]
