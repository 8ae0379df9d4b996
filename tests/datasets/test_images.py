"""Folders of images: every kind of file against the array that it was written from."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from nnintro.config.datasets.images import ImagesDataset
from nnintro.datasets.images import ImageFormat, build_images, image_files, read_image
from nnintro.errors import DataError

CPU = torch.device("cpu")


def build(folder, **section):
    dataset = ImagesDataset(kind="images", path=str(folder), **section)
    return build_images(dataset, torch.Generator().manual_seed(0), torch.Generator().manual_seed(1))


def write(folder, images, masks, suffix="png", **options):
    """Numbered pairs of arrays (or Pillow images), as files."""
    for part, arrays in (("images", images), ("masks", masks)):
        (folder / part).mkdir(parents=True)
        for number, array in enumerate(arrays):
            image = array if isinstance(array, Image.Image) else Image.fromarray(array)
            ending = suffix if part == "images" else "png"
            image.save(folder / part / f"{number:02}.{ending}", **(options if ending != "png" else {}))
    return folder


def everything(splits):
    """Inputs and targets of all samples, in the order of their files."""
    data = [splits.train, splits.validation]
    numbers = torch.cat([part.numbers for part in data])
    parts = [part.to(CPU, torch.float64).rows(torch.arange(len(part))) for part in data]
    inputs, targets = (torch.cat(part)[numbers.argsort()] for part in zip(*parts, strict=True))
    return inputs.numpy(), targets.numpy()


def form_of(splits):
    return ImageFormat.from_description(splits.found.description)


def random_images(count, *shape, largest=255, kind=np.uint8, seed=0):
    random = np.random.default_rng(seed)
    return list(random.integers(0, largest + 1, (count, *shape), dtype=kind))


MASKS = [(image > 100).astype(np.uint8) * 255 for image in random_images(5, 12, 10, seed=3)]


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("png", {}), ("tif", {}), ("tiff", {"compression": "tiff_adobe_deflate"}), ("TIF", {"compression": "tiff_lzw"})],
)
@pytest.mark.parametrize(("shape", "kind"), [((12, 10), np.uint8), ((12, 10), np.uint16), ((12, 10, 3), np.uint8)])
def test_every_depth_in_every_lossless_format(tmp_path, suffix, options, shape, kind):
    largest = np.iinfo(kind).max
    images = random_images(5, *shape, largest=largest, kind=kind)
    splits = build(write(tmp_path / "cells", images, MASKS, suffix, **options))
    inputs, targets = everything(splits)
    expected = np.stack(images).astype(np.float64) / largest
    expected = expected[:, None] if len(shape) == 2 else expected.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(inputs, expected)
    np.testing.assert_array_equal(targets[:, 0], np.stack(MASKS) / 255)
    assert splits.found.task.inputs == expected.shape[1]
    assert splits.found.task.image == (12, 10)
    assert splits.found.task.outputs == 1


def test_jpeg_is_nearly_what_was_written(tmp_path):
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    masks = [(ramp > 60).astype(np.uint8)] * 3
    inputs, _ = everything(build(write(tmp_path / "cells", [ramp] * 3, masks, "jpg", quality=95)))
    assert np.abs(inputs[:, 0] - ramp / 255).max() < 3 / 255


def test_a_palette_is_its_colours_in_an_image_and_its_numbers_in_a_mask(tmp_path):
    numbers = random_images(4, 12, 10, largest=2)
    palette = [10, 20, 30, 200, 100, 50, 7, 8, 9]
    pictures = []
    for array in numbers:
        picture = Image.fromarray(array).convert("P")
        picture = Image.frombytes("P", (10, 12), array.tobytes())
        picture.putpalette(palette)
        pictures.append(picture)
    splits = build(write(tmp_path / "cells", pictures, pictures), classes=["a", "b", "c"])
    inputs, targets = everything(splits)
    colours = np.array(palette).reshape(3, 3)[np.stack(numbers)]
    np.testing.assert_array_equal(inputs, colours.transpose(0, 3, 1, 2) / 255)
    np.testing.assert_array_equal(targets, np.stack(numbers))
    assert targets.dtype == np.int64
    assert splits.found.task.outputs == 3
    assert splits.found.task.classes == ("a", "b", "c")


def test_one_bit_opaque_alpha_and_equal_colours(tmp_path):
    masks = [Image.fromarray(mask).convert("1") for mask in MASKS]
    masks[1] = Image.fromarray(MASKS[1]).convert("RGB")
    masks[2] = Image.fromarray(MASKS[2]).convert("LA")
    rgb = random_images(5, 12, 10, 3)
    images = [Image.fromarray(array).convert("RGBA") for array in rgb]
    inputs, targets = everything(build(write(tmp_path / "cells", images, masks)))
    np.testing.assert_array_equal(inputs, np.stack(rgb).transpose(0, 3, 1, 2) / 255)
    np.testing.assert_array_equal(targets[:, 0], np.stack(MASKS) / 255)


def test_values_become_classes_in_rising_order(tmp_path):
    numbers = random_images(5, 12, 10, largest=3)
    values = np.array([7, 300, 1000, 65535], dtype=np.uint16)
    splits = build(write(tmp_path / "cells", random_images(5, 12, 10), [values[n] for n in numbers]))
    _, targets = everything(splits)
    np.testing.assert_array_equal(targets, np.stack(numbers))
    assert splits.found.task.classes == ("7", "300", "1000", "65535")


def test_exif_turns_the_image(tmp_path):
    upright = random_images(3, 12, 10, 3)
    masks = [mask[:12, :10] for mask in MASKS[:3]]
    folder = write(tmp_path / "cells", upright, masks)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    lying = np.rot90(upright[1], 1)  # so the camera saw it turned the other way
    Image.fromarray(np.ascontiguousarray(lying)).save(folder / "images" / "01.png", exif=exif)
    inputs, _ = everything(build(folder))
    np.testing.assert_array_equal(inputs[1], upright[1].transpose(2, 0, 1) / 255)


def test_gray_and_colour_become_alike(tmp_path):
    gray, colour = random_images(2, 12, 10), random_images(2, 12, 10, 3, seed=1)
    folder = write(tmp_path / "cells", [*gray, *colour], MASKS[:4])
    as_colour, _ = everything(build(folder, channels="rgb"))
    np.testing.assert_array_equal(as_colour[0], np.stack([gray[0]] * 3) / 255)
    as_gray, _ = everything(build(folder, channels="gray"))
    weights = np.array([0.299, 0.587, 0.114])
    np.testing.assert_array_equal(as_gray[2, 0], (colour[0] @ weights).round() / 255)


def test_cut_out_of_the_middle(tmp_path):
    images, masks = random_images(3, 20, 15), random_images(3, 20, 15, largest=1, seed=1)
    inputs, targets = everything(build(write(tmp_path / "cells", images, masks), size=[10, 8], fit="crop"))
    np.testing.assert_array_equal(inputs[:, 0], np.stack(images)[:, 5:15, 3:11] / 255)
    np.testing.assert_array_equal(targets[:, 0], np.stack(masks)[:, 5:15, 3:11])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_halved_pixels_stand_where_their_mask_stands(tmp_path, kind):
    largest = np.iinfo(kind).max
    step = np.zeros((32, 32), kind)
    step[:, 16:] = largest
    ramp = (np.arange(32) * (largest // 32)).astype(kind)[None].repeat(32, 0)
    masks = [(step > 0).astype(np.uint8)] * 3
    folder = write(tmp_path / "cells", [step, step, ramp], masks)
    inputs, targets = everything(build(folder, size=[16, 16]))
    assert inputs[0, 0, :, 7].max() < 0.2
    assert inputs[0, 0, :, 8].min() > 0.8
    np.testing.assert_array_equal(targets[:, 0, :, :8], 0)
    np.testing.assert_array_equal(targets[:, 0, :, 8:], 1)
    pairs = ramp.reshape(32, 16, 2).mean(2)[:16] / largest  # away from the border a mean of two
    np.testing.assert_allclose(inputs[2, 0, :, 1:-1], pairs[:, 1:-1], atol=1 / 255)


def test_files_of_all_sizes_become_one(tmp_path):
    images = [*random_images(1, 12, 10), *random_images(1, 30, 40), *random_images(2, 9, 9)]
    masks = [image // 128 for image in images]
    inputs, targets = everything(build(write(tmp_path / "cells", images, masks), size=[16, 24]))
    assert inputs.shape == targets.shape == (4, 1, 16, 24)
    assert set(np.unique(targets)) == {0, 1}


def test_statistics_are_those_of_the_training_images(tmp_path):
    images = random_images(9, 12, 10, 3)
    splits = build(write(tmp_path / "cells", images, [*MASKS, *MASKS[:4]]), validation=0.3)
    training = np.stack(images)[splits.train.numbers.numpy()] / 255
    pixels = training.reshape(-1, 3)
    np.testing.assert_allclose(splits.standardization.mean, pixels.mean(0), rtol=1e-13)
    np.testing.assert_allclose(splits.standardization.scale, pixels.std(0), rtol=1e-12)
    np.testing.assert_array_equal(splits.low, pixels.min(0))
    np.testing.assert_array_equal(splits.high, pixels.max(0))
    assert build(tmp_path / "cells", standardize="none").standardization is None


def test_a_constant_channel_keeps_its_scale(tmp_path):
    images = [np.full((12, 10), 51, np.uint8)] * 5
    standardization = build(write(tmp_path / "cells", images, MASKS)).standardization
    assert float(standardization.mean) == 0.2
    assert float(standardization.scale) == 1


def test_splits_share_the_images_out(tmp_path):
    folder = write(tmp_path / "cells", random_images(10, 12, 10), MASKS * 2)
    splits = build(folder, validation=0.3)
    both = torch.cat([splits.train.numbers, splits.validation.numbers])
    assert sorted(both.tolist()) == list(range(10))
    assert len(splits.validation) == 3
    assert splits.found.training_samples == 7
    assert torch.equal(build(folder, validation=0.3).train.numbers, splits.train.numbers)
    for fraction, held_out in ((0.01, 1), (0.99, 9)):
        assert len(build(folder, validation=fraction).validation) == held_out


def test_at_most_so_many_chosen_by_chance_and_sorted(tmp_path):
    images = [np.full((12, 10), number, np.uint8) for number in range(10)]
    folder = write(tmp_path / "cells", images, MASKS * 2)
    inputs, _ = everything(build(folder, samples=4))
    chosen = (inputs[:, 0, 0, 0] * 255).round().tolist()
    assert chosen == sorted(chosen)
    assert len(set(chosen)) == 4
    assert chosen != [0, 1, 2, 3]
    assert len(everything(build(folder, samples=400))[0]) == 10


def test_what_the_system_left_in_a_folder_is_not_an_image(tmp_path):
    folder = write(tmp_path / "cells", random_images(5, 12, 10), MASKS)
    for name in (".DS_Store", "Thumbs.db", "._00.png"):
        (folder / "images" / name).write_bytes(b"x")
    assert [path.name for path in image_files(folder / "images")] == [f"{number:02}.png" for number in range(5)]
    assert len(everything(build(folder))[0]) == 5


@pytest.mark.parametrize("size", [None, [16, 16]])
def test_the_description_reads_another_file_alike(tmp_path, size):
    images = random_images(5, 12, 10, 3)
    folder = write(tmp_path / "cells", images, MASKS)
    splits = build(folder, size=size)
    description = json.loads(json.dumps(splits.found.description))
    inputs, _ = everything(splits)
    image, own = read_image(folder / "images" / "03.png", ImageFormat.from_description(description))
    assert own == (12, 10)
    assert image.dtype == torch.float32
    np.testing.assert_array_equal(image, inputs[3].astype(np.float32))
    assert description["values"] == [0, 255]


def test_a_file_of_another_kind_is_an_error(tmp_path):
    folder = write(tmp_path / "cells", random_images(5, 12, 10), MASKS)
    form = form_of(build(folder))
    for name, array, says in (
        ("deep.png", random_images(1, 12, 10, kind=np.uint16)[0], "expected 8 bits"),
        ("colour.png", random_images(1, 12, 10, 3)[0], "expected gray"),
    ):
        Image.fromarray(array).save(tmp_path / name)
        with pytest.raises(DataError, match=says) as caught:
            read_image(tmp_path / name, form)
        assert str(caught.value).startswith(str(tmp_path / name))


def test_another_file_may_be_larger(tmp_path):
    folder = write(tmp_path / "cells", random_images(5, 12, 10), MASKS)
    pixels = random_images(1, 14, 11)[0]
    Image.fromarray(pixels).save(tmp_path / "large.png")
    image, own = read_image(tmp_path / "large.png", form_of(build(folder)))
    assert own == (14, 11)
    np.testing.assert_allclose(image[0], pixels / 255, rtol=1e-6)
    image, own = read_image(tmp_path / "large.png", form_of(build(folder, size=[16, 16])))
    assert (own, tuple(image.shape)) == ((14, 11), (1, 16, 16))


def test_more_than_two_classes_have_no_points(tmp_path):
    from nnintro.errors import ConfigError

    numbers = random_images(5, 12, 10, largest=2)
    folder = write(tmp_path / "cells", random_images(5, 12, 10), numbers)
    with pytest.raises(ConfigError, match=r"dataset\.point_radius: points need masks of two"):
        build(folder, point_radius=2.0)


def test_the_files_of_a_type_are_delivered_in_it(tmp_path):
    folder = write(tmp_path / "cells", random_images(5, 12, 10, 3), MASKS)
    data = build(folder).train
    for dtype in (torch.float32, torch.float64):
        inputs, targets = data.to(CPU, dtype).rows(torch.tensor([2, 0]))
        assert inputs.dtype == targets.dtype == dtype
        assert inputs.is_contiguous(memory_format=torch.channels_last)
    part = data.take(torch.tensor([3, 1])).to(CPU, torch.float64)
    whole = data.to(CPU, torch.float64)
    assert torch.equal(part.rows(torch.arange(2))[0], whole.rows(torch.tensor([3, 1]))[0])
