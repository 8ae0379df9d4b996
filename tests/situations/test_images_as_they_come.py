"""Images and masks as data sets and label tools have them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch
from PIL import Image

import nnintro
from nnintro.config.load import load_config
from nnintro.training.setup import build_data
from tests.situations.desk import IMAGES

SIZE = 16
ROW, COLUMN = np.indices((SIZE, SIZE))


@pytest.fixture
def photos(desk):
    """A desk with a folder of images and masks, that is empty so far."""
    desk.config, desk.path = IMAGES, "d"
    for part in ("images", "masks"):
        (desk.folder / "d" / part).mkdir(parents=True)
    return desk


def disc(k):
    """(16, 16) truth values: a disc that lies elsewhere in each picture."""
    return (ROW - 5 - k) ** 2 + (COLUMN - 9 + k) ** 2 < 20


def gray(k):
    return (40 + 150 * disc(k) + 3 * COLUMN).astype(np.uint8)


def save(desk, name, pixels, **options):
    Image.fromarray(pixels).save(desk.folder / "d" / name, **options)


def write(desk, mask, count=6, image="{}.png", name="{}.png"):
    for k in range(count):
        save(desk, f"images/{image.format(k)}", gray(k))
        save(desk, f"masks/{name.format(k)}", mask(k))


def binary(k):
    return (disc(k) * 255).astype(np.uint8)


def learned(desk):
    """Pairs of an image and its mask as training has them, (height, width) each."""
    splits = build_data(load_config(desk.folder / "c.yaml").experiment)
    for data in (splits.train, splits.validation):
        images, masks = data.rows(torch.arange(len(data)))
        yield from zip(images[:, 0].numpy(), masks.squeeze(1).numpy(), strict=True)


def classes():
    return list(nnintro.load("c").setup.task.classes)


def predicted_values(desk, source="d/images", out="out"):
    done = desk.command("predict", "c", source, "--output", out)
    assert done.code == 0, done.err
    return {path.name: np.array(Image.open(path)) for path in (desk.folder / out / "masks").iterdir()}


def stack(desk, name, pages):
    first, *rest = [Image.fromarray(page) for page in pages]
    first.save(desk.folder / "d" / name, save_all=True, append_images=rest)


def test_two_volumes(photos):
    """ISBI's cells: the pages of two files are pairs."""
    for part in ("images", "masks"):
        (photos.folder / "d" / part).rmdir()
    stack(photos, "train-volume.tif", [gray(k) for k in range(5)])
    stack(photos, "train-labels.tif", [binary(k) for k in range(5)])
    photos.refused(f"{photos.folder}/d: expected images and masks in folders of these names, got 'train-labels.tif'")
    photos.follow("folders: {images: train-volume.tif, masks: train-labels.tif}")
    photos.trains()
    done = photos.command("predict", "c", "d/train-volume.tif", "--output", "out")
    assert done.code == 0, done.err
    (mask,) = (photos.folder / "out" / "masks").iterdir()
    with Image.open(mask) as pages:
        assert (pages.n_frames, pages.size) == (5, (SIZE, SIZE))


def test_stacks_in_two_folders(photos):
    stack(photos, "images/train.tif", [gray(k) for k in range(5)])
    stack(photos, "masks/train.tif", [binary(k) for k in range(5)])
    photos.trains()
    assert nnintro.load("c").summary["data"]["images"] == 5


@pytest.mark.parametrize("suffix", ["gif", "png"])
def test_masks_with_a_suffix(photos, suffix):
    """Carvana: car_01.jpg and car_01_mask.gif."""
    write(photos, binary, image="car_{}.jpg", name=f"car_{{}}_mask.{suffix}")
    photos.refused(
        f"{photos.folder}/d/images/car_0.jpg: expected a mask of this name in", f"there is car_0_mask.{suffix}"
    )
    photos.follow("mask_suffix: _mask")
    photos.trains()
    assert {value for mask in predicted_values(photos).values() for value in np.unique(mask)} <= {0, 255}


ROAD, SKY = (0x80, 0x40, 0x80), (0x46, 0x82, 0xB4)


def test_masks_in_colours(photos):
    def coloured(k):
        return np.where(disc(k)[:, :, None], np.uint8(ROAD), np.uint8(SKY))

    write(photos, coloured)
    photos.refused(
        f"{photos.folder}/d/masks/0.png: expected one value per pixel (gray, or a palette), got colours",
        "add colours: {class 1: '#4682b4', class 2: '#804080'}, with names of your own",
    )
    photos.follow("colours: {class 1: '#4682b4', class 2: '#804080'}")
    photos.trains()
    assert classes() == ["class 1", "class 2"]
    photos.keys = ["colours: {sky: '#4682b4', road: '#804080'}"]
    assert photos.train("--name", "e").code == 0
    assert list(nnintro.load("e").setup.task.classes) == ["sky", "road"]
    for mask in predicted_values(photos).values():
        assert set(map(tuple, mask.reshape(-1, 3).tolist())) <= {ROAD, SKY}


def test_borders_that_do_not_count(photos):
    """VOC: 255 around the objects."""

    def with_border(k):
        ring = ((ROW - 5 - k) ** 2 + (COLUMN - 9 + k) ** 2 < 30) & ~disc(k)
        return np.where(ring, 255, disc(k)).astype(np.uint8)

    write(photos, with_border)
    photos.trains(
        "the masks' 3 values, 0, 1, 255, are taken as classes; if 255 means ignored, give dataset.ignore: 255"
    )
    photos.keys = ["ignore: 255"]
    assert photos.train("--name", "e").code == 0
    assert list(nnintro.load("e").setup.task.classes) == ["0", "1"]


def test_masks_that_number_objects(photos):
    def numbered(k):
        objects = (ROW // 4 * 4 + COLUMN // 4) * (k + 1) % 23 + 20 * k
        return np.where((ROW + COLUMN) % 2, objects, 0).astype(np.uint8)

    write(photos, numbered)
    photos.refused(
        f"{photos.folder}/d/masks/", "expected at most 16 values in all masks", "they look like numbers of objects"
    )
    photos.follow("instances: true")
    photos.trains()
    assert len(classes()) == 2


def test_masks_with_smooth_edges(photos):
    def smooth(k):
        return np.where(disc(k), 255, np.where(ROW == 3, [51, 102, 153][k % 3], 0)).astype(np.uint8)

    write(photos, smooth)
    photos.trains("if the values between are edges, dataset.threshold_mask")
    photos.keys = ["threshold_mask: 128"]
    assert photos.train("--name", "e").code == 0
    assert len(nnintro.load("e").setup.task.classes) == 2


def twelve_bits(pixels):
    """A TIFF with 12 bits to a sample, two samples in three bytes, as cameras write them."""
    height, width = pixels.shape
    pairs = pixels.reshape(-1, 2).astype(int)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1] & 255], 1)
    entries = [(256, width), (257, height), (258, 12), (259, 1), (262, 1), (273, 8 + 2 + 12 * 9 + 4), (277, 1),
               (278, height), (279, packed.size)]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 9) + directory + bytes(4) + packed.astype(np.uint8).tobytes()


def test_images_of_twelve_bits(photos):
    write(photos, binary, image="{}.png")
    for k in range(6):
        (photos.folder / f"d/images/{k}.png").unlink()
        (photos.folder / f"d/images/{k}.tif").write_bytes(twelve_bits(gray(k).astype(int) * 16 + k))
    photos.trains()
    assert len(predicted_values(photos)) == 6


@pytest.mark.parametrize("drawn", ["displayed", "stored"])
def test_a_photo_that_exif_turns(photos, drawn):
    """A square one, of whose mask the size does not tell how it was drawn."""
    turn = Image.Exif()
    turn[0x0112] = 6
    for k in range(6):
        save(photos, f"images/{k}.jpg", np.rot90(gray(k)).copy(), exif=turn, quality=95)
        save(photos, f"masks/{k}.png", binary(k) if drawn == "displayed" else np.rot90(binary(k)).copy())
    photos.refused(f"{photos.folder}/d/masks/0.png: expected to know whether it was drawn", "orientation 6 in 0.jpg")
    photos.follow("mask_orientation: displayed")
    photos.keys = [f"mask_orientation: {drawn}"]
    photos.trains()
    for image, mask in learned(photos):
        assert image[mask == 1].min() > image[mask == 0].max()


def test_a_colour_image_for_a_network_of_gray_ones(photos):
    write(photos, binary)
    photos.trains()
    (photos.folder / "new").mkdir()
    Image.fromarray(np.stack([gray(1)] * 3, 2)).save(photos.folder / "new/a.png")
    done = photos.command("predict", "c", "new", "--output", "out")
    assert done.code == 4
    assert done.err.startswith("new/a.png: expected gray as the others are, got RGB; convert it to gray, or train anew")
    photos.keys = ["channels: gray"]
    assert photos.train("--name", "e").code == 0
    done = photos.command("predict", "e", "new", "--output", "out")
    assert done.code == 0, done.err


def test_weights_of_a_class_with_few_pixels(photos):
    write(photos, lambda k: (disc(k) & (ROW == 8)).astype(np.uint8))
    photos.keys = ["class_weights: balanced"]
    photos.trains()
    assert classes() == ["0", "1"]
