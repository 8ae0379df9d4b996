"""Data sets of images in the layouts, formats and names in which they are downloaded; small, and made up.

Each function writes one below a folder and returns a config's ``dataset`` section, and what ``predict`` is given.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
Download = tuple[dict[str, Any], Path]


def _disc(random: np.random.Generator, size: tuple[int, int] = (SIDE, SIDE)) -> NDArray[np.bool_]:
    row, column = (random.uniform(8, side - 8) for side in size)
    rows, columns = np.ogrid[: size[0], : size[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 < random.uniform(4, 8) ** 2


def _photograph(random: np.random.Generator, mask: NDArray[Any]) -> NDArray[np.uint8]:
    """(height, width, 3): brighter where the mask is, with noise."""
    light = 60 + 40 * np.minimum(mask, 3)[..., None] + random.normal(0, 10, (*mask.shape, 3))
    return light.clip(0, 255).astype(np.uint8)


def _save(path: Path, pixels: NDArray[Any] | Image.Image, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)


def isbi(folder: Path) -> Download:
    """ISBI 2012: two TIFF files of 30 pages of gray, membranes 0 and cells 255; and the test volume."""
    random = np.random.default_rng(1)
    masks = [_disc(random) for _ in range(30)]
    volume = [_photograph(random, mask)[..., 0] for mask in masks]
    labels = [np.where(mask, 255, 0).astype(np.uint8) for mask in masks]
    for name, pages in (("train-volume", volume), ("train-labels", labels), ("test-volume", volume[:3])):
        first, *others = map(Image.fromarray, pages)
        _save(folder / f"{name}.tif", first, save_all=True, append_images=others)
    names = {"images": "train-volume.tif", "masks": "train-labels.tif"}
    return {"path": str(folder), "folders": names}, folder / "test-volume.tif"


def dsb(folder: Path) -> Download:
    """DSB 2018: a folder for each sample, RGBA images of different sizes, a mask for each nucleus."""
    random = np.random.default_rng(2)
    for number in range(8):
        name, size = f"{random.integers(1 << 60):064x}", (SIDE, SIDE + 8 * (number % 2))
        part = "stage1_train" if number < 6 else "stage1_test"
        nuclei = [_disc(random, size) for _ in range(3)]
        opaque = np.full((*size, 1), 255, np.uint8)
        image = np.concatenate([_photograph(random, np.any(nuclei, axis=0)), opaque], axis=-1)
        _save(folder / part / name / "images" / f"{name}.png", image)
        for nucleus in nuclei if number < 6 else ():
            mask = f"{random.integers(1 << 60):064x}.png"
            _save(folder / part / name / "masks" / mask, np.where(nucleus, 255, 0).astype(np.uint8))
    return {"path": str(folder / "stage1_train"), "size": [SIDE, SIDE]}, folder / "stage1_test"


def carvana(folder: Path) -> Download:
    """Carvana: JPEG photographs, masks of the same names with _mask behind them, as GIF of one bit."""
    random = np.random.default_rng(3)
    for number in range(6):
        mask, name = _disc(random), f"{random.integers(1 << 40):012x}_{number + 1:02}"
        _save(folder / "train" / f"{name}.jpg", _photograph(random, mask))
        _save(folder / "train_masks" / f"{name}_mask.gif", Image.fromarray(mask))
    names = {"images": "train", "masks": "train_masks"}
    return {"path": str(folder), "folders": names, "mask_suffix": "_mask"}, folder / "train"


def voc(folder: Path) -> Download:
    """VOC 2012: JPEG photographs of which some have masks, with a palette, 255 between the classes."""
    random = np.random.default_rng(4)
    palette = random.integers(0, 256, 768).tolist()
    for number in range(10):
        disc, name = _disc(random), f"2007_{number:06}"
        inner = disc & np.roll(disc, 1, 0) & np.roll(disc, -1, 0)
        mask = np.where(inner, 1 + number % 2 * 14, np.where(disc, 255, 0)).astype(np.uint8)
        _save(folder / "JPEGImages" / f"{name}.jpg", _photograph(random, mask))
        if number < 8:
            indexed = Image.fromarray(mask)
            indexed.putpalette(palette)
            _save(folder / "SegmentationClass" / f"{name}.png", indexed)
    (folder / "Annotations").mkdir()
    names = {"images": "JPEGImages", "masks": "SegmentationClass"}
    keys = {"path": str(folder), "folders": names, "unpaired": "leave_out", "ignore": 255, "size": [SIDE, SIDE]}
    return keys, folder / "JPEGImages" / "2007_000009.jpg"


def _cityscapes(folder: Path) -> None:
    """Cities below train and val; beside the label ids the same as colours, objects and polygons."""
    random = np.random.default_rng(5)
    colours = np.array([[0, 0, 0], [128, 64, 128], [0, 0, 142]], np.uint8)
    for part, city, count in (("train", "aachen", 4), ("train", "bochum", 3), ("val", "lindau", 2)):
        for number in range(count):
            name = f"{city}_{number:06}_000019"
            classes = 1 + _disc(random).astype(np.uint8)
            classes[-3:] = 0
            _save(folder / "leftImg8bit" / part / city / f"{name}_leftImg8bit.png", _photograph(random, classes))
            fine = folder / "gtFine" / part / city
            _save(fine / f"{name}_gtFine_labelIds.png", np.array([1, 7, 26], np.uint8)[classes])
            _save(fine / f"{name}_gtFine_color.png", colours[classes])
            _save(fine / f"{name}_gtFine_instanceIds.png", np.array([1, 7, 26000], np.uint16)[classes])
            (fine / f"{name}_gtFine_polygons.json").write_text("{}")


def _cityscapes_keys(folder: Path) -> dict[str, Any]:
    parts = {part: {"images": f"leftImg8bit/{part}", "masks": f"gtFine/{part}"} for part in ("train", "val")}
    return {
        "path": str(folder),
        "folders": parts["train"],
        "image_suffix": "_leftImg8bit",
        "validation": {"path": str(folder), "folders": parts["val"]},
    }


def cityscapes_ids(folder: Path) -> Download:
    _cityscapes(folder)
    keys = {"mask_suffix": "_gtFine_labelIds", "ignore": [0, 1, 255]}
    return {**_cityscapes_keys(folder), **keys}, folder / "leftImg8bit" / "val"


def cityscapes_colours(folder: Path) -> Download:
    _cityscapes(folder)
    colours = {"road": "#804080", "car": "#00008e"}
    keys = {"mask_suffix": "_gtFine_color", "colours": colours, "ignore": "#000000"}
    return {**_cityscapes_keys(folder), **keys}, folder / "leftImg8bit" / "val"


DOWNLOADS: dict[str, Callable[[Path], Download]] = {
    "isbi": isbi,
    "dsb": dsb,
    "carvana": carvana,
    "voc": voc,
    "cityscapes ids": cityscapes_ids,
    "cityscapes colours": cityscapes_colours,
}
CLASSES = {
    "isbi": ["0", "255"],
    "dsb": ["background", "object"],
    "carvana": ["0", "255"],
    "voc": ["0", "1", "15"],
    "cityscapes ids": ["7", "26"],
    "cityscapes colours": ["road", "car"],
}
