"""Images and masks of 32 bits, whole or floating point: read as they are, in training and in prediction."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

import nnintro
from nnintro.datasets.images import ImageFormat, read_image
from nnintro.errors import DataError
from tests.datasets.test_images_bad import build

SIZE = (16, 16)


def folder_of(path, kind, count=4, *, masks=np.uint8):
    """Images around 1000 with few of deviation 3, far from any range of whole numbers, masks their bright half."""
    random, images = np.random.default_rng(0), []
    for part in ("images", "masks"):
        (path / part).mkdir(parents=True)
    for number in range(count):
        pixels = (1000 + 3 * random.normal(size=SIZE)).astype(kind)
        images.append(pixels)
        Image.fromarray(pixels).save(path / f"images/{number}.tif")
        Image.fromarray((pixels > 1000).astype(masks)).save(path / f"masks/{number}.tif")
    return images


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_pixels_are_as_they_are_and_standardised_by_the_training_images(tmp_path, kind):
    images = folder_of(tmp_path / "cells", kind)
    splits = build(tmp_path / "cells")
    rows = splits.train.numbers.tolist()
    trained = np.stack([images[row] for row in rows]).astype(np.float64)
    inputs, _ = splits.train.to(torch.device("cpu"), torch.float64).rows(torch.arange(len(rows)))
    np.testing.assert_array_equal(inputs.numpy()[:, 0], trained)
    standard = splits.standardization
    assert float(standard.mean) == pytest.approx(trained.mean(), rel=1e-12)
    assert float(standard.scale) == pytest.approx(trained.std(), rel=1e-9)
    assert (float(splits.low), float(splits.high)) == (trained.min(), trained.max())


def test_prediction_reads_them_alike_and_no_others(tmp_path):
    images = folder_of(tmp_path / "cells", np.float32)
    splits = build(tmp_path / "cells", size=[8, 8])
    form = ImageFormat.from_description(json.loads(json.dumps(splits.found.description)))
    assert (form.bits, form.largest) == (32, 1.0)
    image, size = read_image(tmp_path / "cells/images/1.tif", form)
    assert size == SIZE
    row = splits.train.numbers.tolist().index(1) if 1 in splits.train.numbers else None
    part = splits.train if row is not None else splits.validation
    inputs, _ = part.rows(torch.tensor([row or 0]))
    np.testing.assert_array_equal(image.numpy(), inputs[0].numpy())
    # Averages of 4 x 4 neighbourhoods, more or less: as bright as the file, and of no whole numbers.
    assert float(image.mean()) == pytest.approx(float(images[1].mean()), abs=0.5)
    assert not torch.equal(image, image.round())
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / "eight.png")
    with pytest.raises(DataError, match=r"eight\.png: expected 32 bits as the others have, got 8"):
        read_image(tmp_path / "eight.png", form)


def test_a_pixel_that_is_not_finite_has_its_place(tmp_path):
    folder_of(tmp_path / "cells", np.float32)
    pixels = np.array(Image.open(tmp_path / "cells/images/2.tif"))
    pixels[3, 4] = np.nan
    Image.fromarray(pixels).save(tmp_path / "cells/images/2.tif")
    with pytest.raises(DataError, match=r"2\.tif: expected finite numbers, got nan in row 4, column 5; replace"):
        build(tmp_path / "cells")


@pytest.mark.parametrize("masks", [np.int32, np.float32, np.uint16])
def test_masks_of_numbered_objects_have_any_depth(tmp_path, masks):
    folder_of(tmp_path / "cells", np.uint8)
    for number in range(4):
        values = np.zeros(SIZE, masks)
        values[2:9, 3:8], values[10:, 10:] = 300, 65_000
        Image.fromarray(values).save(tmp_path / f"cells/masks/{number}.tif")
    splits = build(tmp_path / "cells", instances=True)
    _, targets = splits.train.rows(torch.tensor([0]))
    wanted = np.zeros(SIZE)
    wanted[2:9, 3:8], wanted[10:, 10:] = 1, 1
    np.testing.assert_array_equal(targets[0, 0].numpy(), wanted)


def test_a_run_on_floating_point_images_predicts_and_is_evaluated(tmp_path):
    folder_of(tmp_path / "cells", np.float32, 6)
    config = {
        "device": "cpu",
        "dataset": {"kind": "images", "path": str(tmp_path / "cells")},
        "model": {"kind": "unet", "channels": [4, 8]},
        "descent": {"optimizer": "adam", "learning_rate": 0.02, "batch_size": 2},
        "training": {"epochs": 15},
        "logging": {"figures": "off"},
    }
    run = nnintro.train(config, runs_dir=tmp_path / "runs")
    assert run.summary["metrics"]["validation/pixel_accuracy"] > 0.8
    again = nnintro.load(run.directory)
    image, _ = read_image(tmp_path / "cells/images/0.tif", again.reading)
    found = again.predict(image[None].numpy())
    assert np.isfinite(np.asarray(found)).all()
    truth = np.array(Image.open(tmp_path / "cells/masks/0.tif"))
    assert ((np.asarray(found)[0, 0] > 0) == truth).mean() > 0.8
