"""Folders of images that cannot be used: how each is made, and where its error must point.

``make(folder)`` starts from a good folder of four pairs, a01 to a04, 12 x 10 pixels of 8-bit gray
with masks of 0 and 255.  ``place`` is the path (from the folder) that the message begins with, and
``says`` what it must contain.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 12, 10


@dataclass(frozen=True)
class Bad:
    make: Callable[[Path], None]
    place: str
    says: str
    section: dict[str, Any] = field(default_factory=dict)


def good_folder(folder: Path) -> Path:
    """Four pairs without a fault."""
    random = np.random.default_rng(7)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(1, 5):
        gray = random.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
        Image.fromarray(gray).save(folder / "images" / f"a0{number}.png")
        mask = (gray > 100).astype(np.uint8) * 255
        Image.fromarray(mask).save(folder / "masks" / f"a0{number}.png")
    return folder


def _image(folder: Path) -> Path:
    return folder / "images" / "a03.png"


def _mask(folder: Path) -> Path:
    return folder / "masks" / "a03.png"


def _gray(height: int = HEIGHT, width: int = WIDTH, kind: type = np.uint8) -> np.ndarray:
    return np.arange(height * width).reshape(height, width).astype(kind)


def _png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG written by hand: headers that Pillow would not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _cut(path: Path, keep: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def renamed_folder(folder: Path) -> None:
    folder.rename(folder.with_name(f"{folder.name}s"))


def folder_is_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("images")


def no_masks_folder(folder: Path) -> None:
    shutil.rmtree(folder / "masks")


def no_images_folder(folder: Path) -> None:
    shutil.rmtree(folder / "images")


def images_is_a_file(folder: Path) -> None:
    shutil.rmtree(folder / "images")
    (folder / "images").write_text("")


def empty_images(folder: Path) -> None:
    for path in (folder / "images").iterdir():
        path.unlink()


def empty_masks(folder: Path) -> None:
    for path in (folder / "masks").iterdir():
        path.unlink()


def one_pair(folder: Path) -> None:
    for part in ("images", "masks"):
        for number in (2, 3, 4):
            (folder / part / f"a0{number}.png").unlink()


def two_of_a_stem(folder: Path) -> None:
    Image.fromarray(_gray()).save(folder / "images" / "a03.tif")


def two_masks_of_a_stem(folder: Path) -> None:
    Image.fromarray(_gray()).save(folder / "masks" / "a03.tif")


def foreign_file(folder: Path) -> None:
    (folder / "images" / "notes.txt").write_text("taken on Monday")


def a_subfolder(folder: Path) -> None:
    (folder / "masks" / "old").mkdir()


def text_named_png(folder: Path) -> None:
    _image(folder).write_text("not an image")


def empty_file(folder: Path) -> None:
    _image(folder).write_bytes(b"")


def ico_named_png(folder: Path) -> None:
    Image.fromarray(_gray(16, 16)).save(_image(folder), format="ICO")


def truncated_png(folder: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH), np.uint8)).save(_image(folder))
    _cut(_image(folder), 0.6)


def truncated_mask(folder: Path) -> None:
    _cut(_mask(folder), 0.6)


def truncated_jpeg(folder: Path) -> None:
    _image(folder).unlink()
    big = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH), np.uint8)
    Image.fromarray(big).save(folder / "images" / "a03.jpg", quality=95)
    _cut(folder / "images" / "a03.jpg", 0.7)


def truncated_tiff(folder: Path) -> None:
    _image(folder).unlink()
    Image.fromarray(_gray()).save(folder / "images" / "a03.tif")
    _cut(folder / "images" / "a03.tif", 0.3)


def damaged_png(folder: Path) -> None:
    data = bytearray(_image(folder).read_bytes())
    at = data.index(b"IDAT") + 8
    data[at : at + 12] = b"\xff" * 12
    _image(folder).write_bytes(bytes(data))


def half_a_header(folder: Path) -> None:
    _image(folder).write_bytes(_image(folder).read_bytes()[:20])


def bomb(folder: Path) -> None:
    _image(folder).write_bytes(_png(60_000, 60_000, 8, 0, b"\x00" * 1000))


def small_bomb(folder: Path) -> None:
    """Above our limit, below the one at which Pillow warns."""
    _image(folder).write_bytes(_png(9_000, 8_000, 1, 0, b"\x00" * 1000))


def middle_bomb(folder: Path) -> None:
    """Above the limit at which Pillow warns, below the one at which it raises."""
    _image(folder).write_bytes(_png(10_000, 10_000, 1, 0, b"\x00" * 1000))


def bomb_as_mask(folder: Path) -> None:
    _mask(folder).write_bytes(_png(60_000, 60_000, 8, 0, b"\x00" * 1000))


def missing_mask(folder: Path) -> None:
    _mask(folder).unlink()


def mask_without_image(folder: Path) -> None:
    _image(folder).unlink()


def another_size(folder: Path) -> None:
    for path in (_image(folder), _mask(folder)):
        Image.fromarray(_gray(16, 20)).save(path)


def mask_of_another_size(folder: Path) -> None:
    Image.fromarray(_gray(WIDTH, HEIGHT)).save(_mask(folder))


def turned_by_exif(folder: Path) -> None:
    """The camera noted half a turn; what the mask was drawn on cannot be seen by the sizes."""
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(_gray()).save(_image(folder), exif=exif)


def too_small_to_crop(folder: Path) -> None:
    for path in (_image(folder), _mask(folder)):
        Image.fromarray(_gray(9, 9)).save(path)


def colour_among_gray(folder: Path) -> None:
    Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(_image(folder))


def sixteen_among_eight(folder: Path) -> None:
    Image.fromarray(_gray(kind=np.uint16)).save(_image(folder))


def transparent(folder: Path) -> None:
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    pixels[3, 4, 3] = 128
    Image.fromarray(pixels).save(_image(folder))


def transparent_palette(folder: Path) -> None:
    image = Image.fromarray(_gray() % 4).convert("P")
    image.save(_image(folder), transparency=1)


def transparent_gray(folder: Path) -> None:
    Image.fromarray(_gray()).save(_image(folder), transparency=7)


def cmyk(folder: Path) -> None:
    _image(folder).unlink()
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    Image.fromarray(pixels, mode=None).convert("RGB").convert("CMYK").save(folder / "images" / "a03.jpg")


def floating_point(folder: Path) -> None:
    _image(folder).unlink()
    Image.fromarray(_gray(kind=np.float32)).save(folder / "images" / "a03.tif")


def negative_mask(folder: Path) -> None:
    values = np.zeros_like(np.array(Image.open(_mask(folder))), np.int32)
    values[1, 2] = -1
    _mask(folder).unlink()
    Image.fromarray(values).save(folder / "masks" / "a03.tif")


def mask_of_fractions(folder: Path) -> None:
    values = np.zeros_like(np.array(Image.open(_mask(folder))), np.float32)
    values[1, 2] = 0.5
    _mask(folder).unlink()
    Image.fromarray(values).save(folder / "masks" / "a03.tif")


def numbers_beyond_sixteen_bits(folder: Path) -> None:
    values = np.zeros_like(np.array(Image.open(_mask(folder))), np.int32)
    values[1, 2] = 70_000
    _mask(folder).unlink()
    Image.fromarray(values).save(folder / "masks" / "a03.tif")


def ones_among_255(folder: Path) -> None:
    values = np.array(Image.open(_mask(folder)))
    Image.fromarray((values > 0).astype(np.uint8)).save(_mask(folder))


def another_palette(folder: Path) -> None:
    for number, palette in enumerate(([0, 0, 0, 255, 255, 255], [255, 255, 255, 0, 0, 0])):
        path = folder / "masks" / f"a0{2 * number + 1}.png"
        mask = Image.fromarray((np.array(Image.open(path)) > 0).astype(np.uint8))
        mask.putpalette(palette)
        mask.save(path)


def blurred_objects(folder: Path) -> None:
    values = np.array(Image.open(_mask(folder)))
    values[: len(values) // 2] = 255
    values[len(values) // 2 :] = 0
    _mask(folder).unlink()
    Image.fromarray(values).save(folder / "masks" / "a03.jpg", quality=30)
    noisy = np.array(Image.open(folder / "masks" / "a03.jpg"))
    noisy[0, 0] = 7
    Image.fromarray(noisy).save(folder / "masks" / "a03.jpg", quality=30)


def colours_of_sixteen_bits(folder: Path) -> None:
    row = b"\x00" + b"\x12\x34" * 3 * WIDTH
    _image(folder).write_bytes(_png(WIDTH, HEIGHT, 16, 2, row * HEIGHT))


def pages(folder: Path) -> None:
    _image(folder).unlink()
    page = Image.fromarray(_gray())
    page.save(folder / "images" / "a03.tif", save_all=True, append_images=[page, page])


def frames(folder: Path) -> None:
    first, second = Image.fromarray(_gray()), Image.fromarray(255 - _gray())
    first.save(_image(folder), save_all=True, append_images=[second])


def coloured_mask(folder: Path) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[2, 2, 0] = 255
    Image.fromarray(pixels).save(_mask(folder))


def transparent_mask(folder: Path) -> None:
    Image.fromarray(np.zeros((HEIGHT, WIDTH, 4), np.uint8)).save(_mask(folder))


def empty_masks_all(folder: Path) -> None:
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint8)).save(path)


def full_masks_all(folder: Path) -> None:
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.full((HEIGHT, WIDTH), 255, np.uint8)).save(path)


def jpeg_mask(folder: Path) -> None:
    mask = Image.open(_mask(folder))
    mask.save(folder / "masks" / "a03.jpg", quality=70)
    _mask(folder).unlink()


def many_values(folder: Path) -> None:
    Image.fromarray(_gray() % 40).save(_mask(folder))


def too_many_values(folder: Path) -> None:
    for path in (_image(folder), _mask(folder)):
        path.unlink()
    Image.fromarray(_gray(20, 20)).save(_image(folder))
    Image.fromarray(_gray(20, 20, np.uint16)).save(_mask(folder))


def unreadable_name(folder: Path) -> None:
    (folder / "images" / "two\nlines.png").write_bytes(b"")


CROP = {"size": [10, 10], "fit": "crop"}
BAD: dict[str, Bad] = {
    "no folder": Bad(no_folder, "", "a folder with images/ and masks/, got nothing"),
    "the folder is a file": Bad(folder_is_a_file, "", "got a file"),
    "no masks/": Bad(no_masks_folder, "masks", "a folder of images, got nothing"),
    "no folder, and one alike": Bad(renamed_folder, "", "nothing; did you mean "),
    "no images/": Bad(no_images_folder, "images", "a folder of images, got nothing"),
    "images/ is a file": Bad(images_is_a_file, "images", "got a file"),
    "empty images/": Bad(empty_images, "images", "got none"),
    "empty masks/": Bad(empty_masks, "masks", "got none"),
    "one pair": Bad(one_pair, "images", "at least 2 images, got 1"),
    "two images of a stem": Bad(two_of_a_stem, "images/a03.tif", "'a03.png' too"),
    "two masks of a stem": Bad(two_masks_of_a_stem, "masks/a03.tif", "'a03.png' too"),
    "a foreign file": Bad(foreign_file, "images/notes.txt", "got '.txt'"),
    "a subfolder": Bad(a_subfolder, "masks/old", "got a folder"),
    "text named png": Bad(text_named_png, "images/a03.png", "a PNG, JPEG, TIFF, GIF, BMP or WebP image"),
    "an empty file": Bad(empty_file, "images/a03.png", "got an empty file"),
    "ico named png": Bad(ico_named_png, "images/a03.png", "a PNG, JPEG, TIFF, GIF, BMP or WebP image"),
    "truncated png": Bad(truncated_png, "images/a03.png", "cannot be read"),
    "truncated mask": Bad(truncated_mask, "masks/a03.png", "cannot be read"),
    "truncated jpeg": Bad(truncated_jpeg, "images/a03.jpg", "cannot be read: image file is trunc"),
    "truncated tiff": Bad(truncated_tiff, "images/a03.tif", ""),
    "damaged png": Bad(damaged_png, "images/a03.png", "cannot be read"),
    "half a header": Bad(half_a_header, "images/a03.png", ""),
    "bomb": Bad(bomb, "images/a03.png", "expected at most 67,108,864 pixels"),
    "bomb under Pillow's limit": Bad(small_bomb, "images/a03.png", "got 8000 x 9000"),
    "bomb of which Pillow warns": Bad(middle_bomb, "images/a03.png", "at most 67,108,864 pixels"),
    "bomb as mask": Bad(bomb_as_mask, "masks/a03.png", "at most 67,108,864 pixels"),
    "missing mask": Bad(missing_mask, "images/a03.png", "a mask of this name in"),
    "mask without image": Bad(mask_without_image, "masks/a03.png", "an image of this name in"),
    "another size": Bad(another_size, "images/a03.png", "12 x 10 as the others have, got 16 x 20"),
    "mask of another size": Bad(mask_of_another_size, "masks/a03.png", "expected 12 x 10"),
    "turned by exif": Bad(turned_by_exif, "masks/a03.png", "dataset.mask_orientation: displayed or stored"),
    "too small to crop": Bad(too_small_to_crop, "images/a03.png", "at least 10 x 10", CROP),
    "colour among gray": Bad(colour_among_gray, "images/a03.png", "gray as the first image is"),
    "16 bits among 8": Bad(sixteen_among_eight, "images/a03.png", "expected 8 bits"),
    "transparent": Bad(transparent, "images/a03.png", "expected opaque", {"channels": "gray"}),
    "transparent palette": Bad(transparent_palette, "images/a03.png", "expected opaque", {"channels": "gray"}),
    "transparent gray": Bad(transparent_gray, "images/a03.png", "expected opaque"),
    "cmyk": Bad(cmyk, "images/a03.jpg", "got RGB; dataset.channels: gray or rgb makes all alike"),
    "floating point": Bad(floating_point, "images/a03.tif", "expected 8 bits as the first image has, got 32"),
    "negative mask": Bad(negative_mask, "masks/a03.tif", "whole numbers from 0 on as a mask's values, got -1 in row 2"),
    "mask of fractions": Bad(mask_of_fractions, "masks/a03.tif", "got 0.5 in row 2, column 3"),
    "numbers beyond 16 bits": Bad(numbers_beyond_sixteen_bits, "masks", "there is dataset.instances: true"),
    "ones among 255": Bad(ones_among_255, "masks/a03.png", "dataset.threshold_mask: 1 makes both foreground"),
    "another palette": Bad(another_palette, "masks/a03.png", "to be #000000 as in a01.png, got #ffffff; name"),
    "blurred objects": Bad(blurred_objects, "masks/a03.jpg", "give dataset.threshold_mask", {"instances": True}),
    "colours of 16 bits": Bad(colours_of_sixteen_bits, "images/a03.png", "got RGB of 16 bits"),
    "pages": Bad(pages, "masks/a03.png", "expected 3 pages as its image a03.tif has, got 1"),
    "frames": Bad(frames, "images/a03.png", "one image in a file, or the pages of a TIFF, got 2"),
    "coloured mask": Bad(coloured_mask, "masks/a03.png", "one value per pixel"),
    "transparent mask": Bad(transparent_mask, "masks/a03.png", "expected opaque pixels"),
    "all masks empty": Bad(empty_masks_all, "masks", "at least two values, got 0 alone"),
    "all masks full": Bad(full_masks_all, "masks", "at least two values, got 255 alone"),
    "jpeg mask": Bad(jpeg_mask, "masks/a03.jpg", "JPEG blurs the values, save masks as PNG"),
    "many values": Bad(many_values, "masks/a03.png", "at most 16 values in all masks"),
    "too many values": Bad(
        too_many_values,
        "masks/a03.png",
        "at most 256 values in all masks, got",
        {"size": [12, 10], "classes": ["a", "b", "c"]},
    ),
    "a name of two lines": Bad(unreadable_name, "", "a mask of this name in"),
}
