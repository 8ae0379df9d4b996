"""Well-known data sets of images, as they are downloaded, train, are measured and predict with few lines of YAML."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from PIL import Image, ImageSequence

import nnintro
from tests.conformance.image_downloads import CLASSES, DOWNLOADS

MASK_VALUES = {
    "isbi": {0, 255},
    "dsb": {0, 255},
    "carvana": {0, 255},
    "voc": {0, 1, 15},
    "cityscapes ids": {7, 26},
    "cityscapes colours": {(0x80, 0x40, 0x80), (0, 0, 0x8E)},
}


def values_in(path):
    found = set()
    with Image.open(path) as image:
        pages = [np.array(page) for page in ImageSequence.Iterator(image)]
    for pixels in pages:
        found |= set(pixels.ravel().tolist()) if pixels.ndim == 2 else set(map(tuple, pixels.reshape(-1, 3).tolist()))
    return found


@pytest.mark.parametrize("name", DOWNLOADS)
def test_from_download_to_prediction(name, tmp_path, command):
    section, new = DOWNLOADS[name](tmp_path / "data")
    config = {"dataset": {"kind": "images", **section}, "model": {"kind": "unet", "channels": [2, 4]}}
    config |= {"descent": {"optimizer": "adam", "batch_size": 4}, "training": {"epochs": 2}}
    assert len(section) + len(["dataset:", "kind:", "model:"]) <= 10  # lines; the rest has defaults
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = command("train", "c.yaml", "--quiet")
    assert done.code == 0, done.err
    assert list(nnintro.load("runs/c").setup.task.classes) == CLASSES[name]
    done = command("evaluate", "runs/c", "--json")
    assert done.code == 0, done.err
    metrics, summary = json.loads(done.out)["metrics"], nnintro.load("runs/c").summary["metrics"]
    for metric in ("loss", "iou", "dice", "pixel_accuracy", "boundary_f1"):
        assert metrics[metric] == pytest.approx(summary[f"validation/{metric}"], rel=1e-6)
    done = command("predict", "runs/c", new, "--output", "out")
    assert done.code == 0, done.err
    masks = sorted((tmp_path / "out" / "masks").iterdir())
    assert len(masks) == (1 if new.is_file() else len([path for path in new.rglob("*") if path.is_file()]))
    for mask in masks:
        assert values_in(mask) <= MASK_VALUES[name]
    if name == "isbi":
        with Image.open(masks[0]) as stack:
            assert stack.n_frames == 3
    done = command("train", "--resume", "runs/c", "--set", "training.epochs=3", "--quiet")
    assert done.code == 0, done.err
    for words in (["train", "c.yaml", "--smoke", "--quiet"], ["evaluate", "runs/c", "--dataset", section["path"]]):
        done = command(*words)
        assert done.code == 0, done.err
