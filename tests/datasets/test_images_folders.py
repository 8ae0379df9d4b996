"""Folders as computers leave them, and the nearest of those that are there."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from nnintro.errors import DataError
from tests.datasets.bad_images import good_folder
from tests.datasets.test_images_bad import build


def test_what_a_mac_and_notebooks_leave_is_passed_over(tmp_path):
    folder = good_folder(tmp_path / "cells")
    for part in ("images", "masks"):
        for place in (folder, folder / part):
            (place / "__MACOSX").mkdir(exist_ok=True)
            (place / "__MACOSX" / "._a01.png").write_bytes(b"\0\5\x16\7")
        (folder / part / "._a01.png").write_bytes(b"\0\5\x16\7")
        (folder / part / ".DS_Store").write_bytes(b"\0")
        (folder / part / ".ipynb_checkpoints").mkdir()
        copy = folder / part / ".ipynb_checkpoints" / "a01-checkpoint.png"
        copy.write_bytes((folder / part / "a01.png").read_bytes())
    for folders in ({}, {"folders": {"images": "images", "masks": "masks"}}):
        splits = build(folder, **folders)
        assert len(splits.train) + len(splits.validation) == 4


def test_folders_of_samples_from_a_mac(tmp_path):
    for sample in ("one", "two", "three"):
        objects(tmp_path / "cells" / sample, [((0, 0), 255)])
    (tmp_path / "cells" / "__MACOSX").mkdir()
    splits = build(tmp_path / "cells")
    assert len(splits.train) + len(splits.validation) == 3


def objects(folder, pixels, suffix="png"):
    """A sample of 4 x 4 pixels with a mask for each object, one pixel of some value."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4)).save(folder / "images/image.png")
    for number, (place, value) in enumerate(pixels):
        mask = np.zeros((4, 4), np.uint8)
        mask[place] = value
        Image.fromarray(mask).save(folder / f"masks/{number}.{suffix}")


def test_a_threshold_is_for_the_mask_of_each_object(tmp_path):
    for sample in ("one", "two"):
        objects(tmp_path / "cells" / sample, [((0, 0), 255), ((1, 1), 200), ((2, 2), 100)])
    splits = build(tmp_path / "cells", threshold_mask=128)
    _, targets = splits.train.rows(torch.tensor([0]))
    assert torch.nonzero(targets[0, 0]).tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("path", "folders", "says"),
    [
        ("cels", None, r"cels: expected a folder with images/ and masks/, got nothing; did you mean .*cells\?"),
        ("Data/cells", None, r"Data.cells: expected .*, got nothing; did you mean .*data.cells\?"),
        ("cells", {"images": "image", "masks": "masks"}, r"image: expected .*, got nothing; did you mean .*images\?"),
    ],
)
def test_a_folder_that_is_not_there_has_the_nearest(tmp_path, path, folders, says):
    good_folder(tmp_path / "cells")
    good_folder(tmp_path / "data/cells")
    with pytest.raises(DataError, match=says):
        build(tmp_path / path, **({} if folders is None else {"folders": folders}))


def test_colours_of_one_meaning_may_have_any_palette_where_they_are_named(tmp_path):
    folder = good_folder(tmp_path / "cells")
    for number in range(1, 5):
        path = folder / "masks" / f"a0{number}.png"
        values = (np.array(Image.open(path)) > 0).astype(np.uint8)
        flipped = number % 2
        mask = Image.fromarray(values ^ flipped)
        mask.putpalette([255, 255, 255, 0, 0, 0] if flipped else [0, 0, 0, 255, 255, 255])
        mask.save(path)
    truth = np.array(Image.open(folder / "images/a01.png")) > 100
    with pytest.raises(DataError, match=r"entry . of its palette"):
        build(folder)
    splits = build(folder, colours={"dark": "#000000", "bright": "#ffffff"})
    part = splits.train if 0 in splits.train.numbers else splits.validation
    _, targets = part.rows(torch.tensor([part.numbers.tolist().index(0)]))
    np.testing.assert_array_equal(targets[0, 0].numpy(), truth)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_back_is_refused_and_other_links_are_followed(tmp_path):
    folder = good_folder(tmp_path / "cells")
    for part in ("images", "masks"):
        (tmp_path / f"more_{part}").mkdir()
        (folder / part / "a01.png").rename(tmp_path / f"more_{part}" / "a01.png")
        (folder / part / "more").symlink_to(tmp_path / f"more_{part}")
    folders = {"images": "images", "masks": "masks"}
    splits = build(folder, folders=folders)
    assert len(splits.train) + len(splits.validation) == 4
    (folder / "images/loop").symlink_to(folder)
    with pytest.raises(DataError, match=r"images.loop: expected .*, got a link back to a folder that it lies in"):
        build(folder, folders=folders)
