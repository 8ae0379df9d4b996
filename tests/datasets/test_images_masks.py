"""How masks become classes: EXIF's turns, ignored values, colours, instances, smooth edges; and how files pair up."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images import build_images
from nnintro.errors import ConfigError, DataError
from tests.datasets.test_images import build, everything, form_of, random_images, write

SQUARE, WIDE = (12, 12), (12, 10)


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def bright(shape, seed):
    """An image whose brightness is its mask: what is turned alike agrees."""
    return np.where(np.random.default_rng(seed).random(shape) < 0.4, 250, 10).astype(np.uint8)


def turned_folder(folder, orientation, shape, *, displayed):
    images = [bright(shape, seed) for seed in range(3)]
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number, image in enumerate(images):
        path = folder / "images" / f"{number}.png"
        Image.fromarray(image).save(path, exif=exif_of(orientation))
        mask = np.asarray(ImageOps.exif_transpose(Image.open(path))) if displayed else image
        Image.fromarray((mask > 100).astype(np.uint8)).save(folder / "masks" / f"{number}.png")
    return folder


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shape", [SQUARE, WIDE])
@pytest.mark.parametrize("displayed", [True, False])
def test_a_mask_is_turned_as_its_image_or_asked_for(tmp_path, orientation, shape, displayed):
    folder = turned_folder(tmp_path / "d", orientation, shape, displayed=displayed)
    keys = {}
    if orientation > 1 and (shape == SQUARE or orientation < 5):  # the sizes do not tell
        with pytest.raises(DataError, match=r"masks.0\.png: expected to know .* dataset\.mask_orientation: displayed"):
            build(folder)
        keys = {"mask_orientation": "displayed" if displayed else "stored"}
    inputs, targets = everything(build(folder, **keys))
    np.testing.assert_array_equal(inputs[:, 0] > 0.5, targets[:, 0] == 1)


def test_a_mask_with_exif_of_its_own_is_turned_by_that(tmp_path):
    folder = turned_folder(tmp_path / "d", 3, SQUARE, displayed=False)
    for path in (folder / "masks").iterdir():
        with Image.open(path) as mask:
            mask.load()
        mask.save(path, exif=exif_of(3))
    inputs, targets = everything(build(folder))
    np.testing.assert_array_equal(inputs[:, 0] > 0.5, targets[:, 0] == 1)


def voc_masks(count=5, classes=3):
    random = np.random.default_rng(5)
    values = random.choice([*range(classes), 255], (count, 12, 10)).astype(np.uint8)
    masks = []
    for value in values:
        mask = Image.fromarray(value)
        mask.putpalette([component for k in range(256) for component in (k, 255 - k, 7)])
        masks.append(mask)
    return values, masks


@pytest.mark.parametrize("memory", [1024.0, 0.0001])
def test_an_ignored_value_is_no_class_and_its_target_is_minus_one(tmp_path, memory):
    values, masks = voc_masks()
    splits = build(write(tmp_path / "d", random_images(5, 12, 10), masks), ignore=255, memory=memory)
    _, targets = everything(splits)
    np.testing.assert_array_equal(targets, np.where(values == 255, -1, values.astype(int)))
    assert form_of(splits).values == (0, 1, 2)
    assert form_of(splits).classes == ("0", "1", "2")


def test_255_beside_other_classes_is_noted_where_nobody_has_named_it(tmp_path):
    folder = write(tmp_path / "d", random_images(5, 12, 10), voc_masks()[1])
    note = "the masks' 4 values, 0, 1, 2, 255, are taken as classes; if 255 means ignored, give dataset.ignore: 255"
    assert build(folder).notes[0].startswith(note)
    assert not build(folder, classes=["a", "b", "c", "border"]).notes
    assert not build(folder, ignore=255).notes


def test_two_classes_and_an_ignored_value(tmp_path):
    values, masks = voc_masks(classes=2)
    _, targets = everything(build(write(tmp_path / "d", random_images(5, 12, 10), masks), ignore=[255]))
    np.testing.assert_array_equal(targets[:, 0], np.where(values == 255, -1, values.astype(int)))


COLOURS = {"void": "#000000", "road": "#804080", "Himmel": "#4682B4"}


def coloured(numbers, *, palette):
    pixels = np.array([[0, 0, 0], [0x80, 0x40, 0x80], [0x46, 0x82, 0xB4], [255, 255, 255]], np.uint8)[numbers]
    image = Image.fromarray(pixels)
    return image.quantize(16) if palette else image


@pytest.mark.parametrize("palette", [False, True])
def test_colours_are_classes_in_the_order_of_their_names(tmp_path, palette):
    numbers = np.random.default_rng(1).integers(0, 4, (4, 12, 10))
    masks = [coloured(one, palette=palette) for one in numbers]
    folder = write(tmp_path / "d", random_images(4, 12, 10), masks)
    splits = build(folder, colours=COLOURS, ignore="#FFFFFF")
    _, targets = everything(splits)
    np.testing.assert_array_equal(targets, np.where(numbers == 3, -1, numbers))
    assert form_of(splits).classes == ("void", "road", "Himmel")


def test_a_colour_that_is_not_named_is_located(tmp_path):
    numbers = np.zeros((4, 12, 10), int)
    numbers[2, 5, 7] = 3
    masks = [coloured(one, palette=False) for one in numbers]
    with pytest.raises(DataError) as caught:
        build(write(tmp_path / "d", random_images(4, 12, 10), masks), colours={"a": "#000000", "b": "#fefefe"})
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'd' / 'masks' / '02.png'}: row 6, column 8: ")
    assert message.endswith("got #ffffff; the nearest that is named is #fefefe")


def objects(count=5, size=24):
    """Images whose masks number their objects, 20 in each."""
    masks = []
    for start in range(count):
        mask = np.zeros((size, size), np.uint8)
        for k in range(20):
            row, column = divmod(k, 5)
            mask[row * 5 + 1 : row * 5 + 4, column * 5 + 0 : column * 5 + 3] = k + 1 + start
        masks.append(mask)
    return masks


def test_numbers_of_objects_are_reported_and_are_instances_by_choice(tmp_path):
    masks = objects()
    folder = write(tmp_path / "d", random_images(5, 24, 24), masks)
    with pytest.raises(DataError, match=r"look like numbers of objects, .* dataset\.instances: true"):
        build(folder)
    _, targets = everything(build(folder, instances=True))
    np.testing.assert_array_equal(targets[:, 0], np.stack(masks) > 0)
    splits = build(folder, instances="outline")
    _, targets = everything(splits)
    assert form_of(splits).classes == ("background", "object", "outline")
    # Of 3 x 3 pixels the one in the middle is inside; at the image's left border the one beside it is too.
    assert (targets[0, 1:4, 5:8] == [[2, 2, 2], [2, 1, 2], [2, 2, 2]]).all()
    assert (targets[0, 1:4, 0:3] == [[2, 2, 2], [1, 1, 2], [2, 2, 2]]).all()


def smooth(count=5):
    """Squares with an edge of many grays."""
    random = np.random.default_rng(4)
    masks = np.zeros((count, 24, 24), np.uint8)
    masks[:, 4:20, 4:20] = random.integers(1, 255, (count, 16, 16))
    masks[:, 5:19, 5:19] = 255
    return list(masks)


def test_smooth_edges_are_reported_and_cut_by_a_threshold(tmp_path):
    masks = smooth()
    folder = write(tmp_path / "d", random_images(5, 24, 24), masks)
    with pytest.raises(DataError, match=r"smooth edges, .* dataset\.threshold_mask: 128"):
        build(folder)
    _, targets = everything(build(folder, threshold_mask=128))
    np.testing.assert_array_equal(targets[:, 0], np.stack(masks) >= 128)


def test_values_that_hardly_a_pixel_has_are_noted(tmp_path):
    masks = [np.zeros((64, 64), np.uint8) for _ in range(5)]
    for mask in masks:
        mask[:32], mask[32, 5] = 255, 100
    notes = build(write(tmp_path / "d", random_images(5, 64, 64), masks)).notes
    assert notes[-1].startswith("part of the training pixels below 0.001: '100 (0.00024)'")


def test_balanced_weights_count_the_training_pixels(tmp_path):
    masks = [np.zeros((10, 10), np.uint8) for _ in range(5)]
    for mask in masks:
        mask[:1] = 1  # a tenth
    splits = build(write(tmp_path / "d", random_images(5, 10, 10), masks), class_weights="balanced")
    np.testing.assert_allclose(splits.class_weights.numpy(), [1 / (2 * 0.9), 1 / (2 * 0.1)])
    assert json.loads(json.dumps(splits.found.description))["class_weights"] == splits.class_weights.tolist()


def test_generated_images_have_balanced_weights_too():
    dataset = ImagesDataset(kind="images", generator="cells", samples=5, class_weights="balanced")
    splits = build_images(dataset, torch.Generator().manual_seed(0), torch.Generator().manual_seed(1))
    _, targets = splits.train.rows(torch.arange(len(splits.train)))
    part = float(targets.mean())
    np.testing.assert_allclose(splits.class_weights.numpy(), [1 / (2 * (1 - part)), 1 / (2 * part)])


# --- files --------------------------------------------------------------------------------------

MASKS = [(image > 100).astype(np.uint8) for image in random_images(5, 12, 10, seed=3)]


def renamed(folder, images="images", masks="masks", *, suffix=""):
    write(folder, random_images(5, 12, 10), MASKS)
    for path in list((folder / "masks").iterdir()):
        path.rename(path.with_name(f"{path.stem}{suffix}.png"))
    for old, new in (("images", images), ("masks", masks)):
        (folder / old).rename(folder / new)
    return folder


def test_folders_and_names_of_their_own(tmp_path):
    folder = renamed(tmp_path / "d", "imgs", "labels", suffix="_mask")
    with pytest.raises(DataError, match=r"dataset.folders: \{images: imgs, masks: labels\}"):
        build(folder)
    names = {"images": "imgs", "masks": "labels"}
    with pytest.raises(DataError, match=r"there is 00_mask.png \(dataset.mask_suffix: _mask pairs all 5\)"):
        build(folder, folders=names)
    _, targets = everything(build(folder, folders=names, mask_suffix="_mask"))
    np.testing.assert_array_equal(targets[:, 0], np.stack(MASKS))


def test_images_without_masks_are_left_out_by_choice(tmp_path):
    folder = renamed(tmp_path / "d")
    (folder / "masks" / "02.png").unlink()
    with pytest.raises(DataError, match=r"images.02\.png: .*dataset.unpaired: leave_out takes the 4 pairs"):
        build(folder)
    splits = build(folder, unpaired="leave_out")
    assert len(splits.train) + len(splits.validation) == 4
    assert splits.notes == ("1 file without a partner left out (dataset.unpaired)",)


def stack(path, pages):
    first, *rest = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=rest)


@pytest.mark.parametrize("in_folders", [True, False])
def test_the_pages_of_two_stacks_pair_up(tmp_path, in_folders):
    images = random_images(5, 12, 10)
    names = ("images/train.tif", "masks/train.tif") if in_folders else ("train-volume.tif", "train-labels.tif")
    for name, pages in zip(names, (images, [255 * mask for mask in MASKS]), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        stack(tmp_path / name, pages)
    keys = {}
    if not in_folders:
        with pytest.raises(DataError, match=r"\{images: train-volume.tif, masks: train-labels.tif\}"):
            build(tmp_path)
        keys = {"folders": {"images": names[0], "masks": names[1]}}
    inputs, targets = everything(build(tmp_path, **keys))
    np.testing.assert_array_equal(inputs[:, 0], np.stack(images) / 255)
    np.testing.assert_array_equal(targets[:, 0], np.stack(MASKS))


def test_stacks_of_different_lengths_are_an_error(tmp_path):
    stack(tmp_path / "a.tif", random_images(5, 12, 10))
    stack(tmp_path / "b.tif", MASKS[:4])
    with pytest.raises(DataError, match=r"b\.tif: expected 5 pages as its image a\.tif has, got 4"):
        build(tmp_path, folders={"images": "a.tif", "masks": "b.tif"})


def test_a_folder_for_each_sample_with_a_mask_for_each_object(tmp_path):
    truth = []
    for number, image in enumerate(random_images(4, 12, 10)):
        sample = tmp_path / f"s{number}"
        for part in ("images", "masks"):
            (sample / part).mkdir(parents=True)
        Image.fromarray(image).save(sample / "images" / f"s{number}.png")
        truth.append(np.zeros((12, 10), bool))
        for k in range(3):
            mask = np.zeros((12, 10), np.uint8)
            mask[4 * k : 4 * k + 2, 1:5] = 255
            truth[-1] |= mask > 0
            Image.fromarray(mask).save(sample / "masks" / f"{k:04}.png")
    _, targets = everything(build(tmp_path))
    np.testing.assert_array_equal(targets[:, 0], np.stack(truth))
    splits = build(tmp_path, instances="outline")
    assert form_of(splits).classes == ("background", "object", "outline")


@pytest.mark.parametrize("ending", ["gif", "bmp", "webp", "png"])
def test_masks_of_every_lossless_format(tmp_path, ending):
    folder = write(tmp_path / "d", random_images(5, 12, 10), MASKS)
    for path in list((folder / "masks").iterdir()):
        mask = Image.fromarray(255 * np.asarray(Image.open(path)))
        path.unlink()
        mask.save(path.with_suffix(f".{ending}"), **({"lossless": True} if ending == "webp" else {}))
    _, targets = everything(build(folder))
    np.testing.assert_array_equal(targets[:, 0], np.stack(MASKS))


def test_validation_from_a_folder_of_its_own(tmp_path):
    write(tmp_path / "train", random_images(5, 12, 10), MASKS)
    images = random_images(3, 12, 10, seed=9)
    write(tmp_path / "val", images, MASKS[:3])
    splits = build(tmp_path / "train", validation={"path": str(tmp_path / "val")})
    assert (len(splits.train), len(splits.validation)) == (5, 3)
    inputs, _ = splits.validation.to(torch.device("cpu"), torch.float64).rows(torch.arange(3))
    np.testing.assert_array_equal(inputs.numpy()[:, 0], np.stack(images) / 255)


def test_signed_numbers_are_shifted(tmp_path):
    images = [image.astype(np.int32) - 300 for image in random_images(3, 12, 10)]
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for number, image in enumerate(images):
        page = Image.fromarray(image.astype(np.int16).view(np.uint16))
        page.save(tmp_path / "images" / f"{number}.tif", tiffinfo={339: 2})
        Image.fromarray(MASKS[number]).save(tmp_path / "masks" / f"{number}.png")
    inputs, _ = everything(build(tmp_path))
    np.testing.assert_array_equal(inputs[:, 0], (np.stack(images) + 32768) / 65535)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"ignore": "#ffffff"}, "expected a mask's value such as 255"),
        ({"ignore": 255, "colours": COLOURS}, 'expected a colour such as "#ffffff"'),
        ({"ignore": "#804080", "colours": COLOURS}, "is the colour of a class, too"),
        ({"instances": True, "threshold_mask": 3}, "masks are read by instances already"),
        ({"colours": COLOURS, "classes": ["a", "b", "c"]}, "dataset.colours names the classes"),
        ({"colours": {"a": "#000000", "b": "#000000"}}, "a and b have one colour"),
        ({"colours": {"a": "black", "b": "#000000"}}, 'expected a colour such as "#804080"'),
    ],
)
def test_keys_that_do_not_go_together(keys, says):
    from nnintro.config.load import load_config

    dataset = {"kind": "images", "path": "d", **keys}
    with pytest.raises(ConfigError) as caught:
        load_config({"dataset": dataset, "model": {"kind": "unet"}})
    assert says in str(caught.value)
