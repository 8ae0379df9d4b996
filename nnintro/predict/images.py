"""Predict a folder of images with a run on images: masks, overlays, and points if it finds points."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nnintro.config.datasets.images import ImagesDataset
from nnintro.config.datasets.masks import Folders
from nnintro.datasets.images import ImageFormat, image_files, page_count, read_image, sample_folders
from nnintro.errors import DataError, UsageError, memory_for
from nnintro.figures.maps import marked
from nnintro.files import as_csv, refuse_own_input, write_text, write_whole
from nnintro.models import precision_of
from nnintro.models.forward import threads, threads_for
from nnintro.models.standardized import Array
from nnintro.models.tiles import padded, takes_tiles, tiles_of
from nnintro.models.unet import Unet
from nnintro.objectives.segmentation import answers, peaks
from nnintro.runs.run import Run, load_run
from nnintro.temporary import temporary_folder
from nnintro.training.sketches import pictures
from nnintro.wording import cause

Point = tuple[str, float, float, float]
"""The image's name, row and column in pixels, probability."""
PARTS = ("masks", "overlays")
ROWS = 256
"""Of an overlay, drawn at a time."""


@dataclass(frozen=True)
class Predicted:
    """What was written."""

    images: int
    points: int | None
    """In all images together; None where the run looks for none."""


def predict_images(directory: Path, source: Path, output: Path) -> Predicted:
    """Segment an image, or every image of a folder.

    Under ``output``: masks/<name>.png holds the masks' own values (or colours), overlays/<name>.png shows them
    over the image, and where the run looks for points, points.csv lists them by row and column.  Of a TIFF file of
    several pages masks and overlays are such files too, <name>.tif.
    Nothing is written there unless every image was segmented.

    Args:
        source: an image; a folder of images; one with images in images/ (or the run's name for it); or one of
            folders of samples.

    Raises:
        CheckpointError: the run cannot be used.
        UsageError: the run takes no images, or the output would lie over the images or their masks.
        DataError: an image cannot be read or is of another kind than the run's; or the output
            cannot be written.
    """
    _require_place(output, source, Folders())
    run = load_run(directory)
    form = run.reading
    if not isinstance(form, ImageFormat):
        message = f"{directory} was trained on rows of numbers: expected a table, not images"
        raise UsageError(message)
    refuse_own_input(source, output)
    dataset = cast(ImagesDataset, run.setup.dataset)  # the one kind that is read as an ImageFormat
    _require_place(output, source, dataset.folders or Folders())
    files = _files(source, dataset)
    points: list[Point] = []
    # A hidden folder on the output's disk holds the files until all are done.
    place = output if output.is_dir() else output.parent
    try:
        with temporary_folder(place, output.name) as folder:
            for part in PARTS:
                (folder / part).mkdir()
            with threads(threads_for(run.model, 1)):
                for path in files:
                    with memory_for(f"{path}: {_need(run)}"):
                        points += _one(run, form, path, folder)
            if form.point_radius is not None:
                lines = [(name, f"{r:.2f}", f"{c:.2f}", f"{p:.4f}") for name, r, c, p in points]
                table = as_csv([("image", "row", "column", "probability"), *lines])
                write_text(folder / "points.csv", table)
            _move(folder, output)
    except OSError as error:
        raise DataError(f"cannot write {output}: {cause(error)}") from error
    return Predicted(len(files), None if form.point_radius is None else len(points))


def _need(run: Run) -> str:
    """What an image takes memory for, and what to do where it goes through as a whole."""
    need = "the network's layers on an image of its size"
    if isinstance(run.model, Unet) and run.model.normalization == "group":
        return f"{need}, of which normalization: group needs the whole; cut it into parts, or train with batch"
    return need


def _require_place(output: Path, source: Path, folders: Folders) -> None:
    """Raise UsageError where no folder can be, or where the images or their masks are."""
    if output.exists() and not output.is_dir():
        raise UsageError(f"cannot write {output}: it is a file, and masks need a folder")
    if not output.parent.is_dir():
        raise UsageError(f"cannot write {output}: {output.parent} is not a folder")
    # A folder with images/ is somebody's data, and its masks/ are the truth.
    taken = {folder.resolve() for folder in (source, source / folders.images, source / folders.masks)}
    for part in PARTS:
        if (output / "images").exists() or (output / part).resolve() in taken:
            message = f"cannot write {output / part}: it holds the data; choose another --output"
            raise UsageError(message)
        if (output / part).exists() and not (output / part).is_dir():
            raise UsageError(f"cannot write {output / part}: it is not a folder")


def _move(folder: Path, output: Path) -> None:
    """Move the files to where they belong; points of an earlier prediction are of other images."""
    no_points = not (folder / "points.csv").exists()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        target = output / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    if no_points:
        (output / "points.csv").unlink(missing_ok=True)


def _files(source: Path, dataset: ImagesDataset) -> list[Path]:
    """The images to predict; DataError where two have one name, under which their masks would be written."""
    if not source.exists():
        raise DataError(f"{source}: no such image or folder")
    if source.is_file():
        return [source]
    if samples := sample_folders(source):
        files = [path for sample in samples for path in image_files(sample / "images")]
    else:
        named = [source / name for name in ("images", (dataset.folders or Folders()).images)]
        folder = next((path for path in named if path.exists()), source)
        if folder.is_file():
            return [folder]
        files = image_files(folder, nested=dataset.folders is not None, suffix=dataset.image_suffix)
    stems: dict[str, Path] = {}
    for path in files:
        if path.stem in stems:
            raise DataError(f"{path}: its mask would be written under the name of that of {stems[path.stem]}")
        stems[path.stem] = path
    return files


def _one(run: Run, form: ImageFormat, path: Path, output: Path) -> list[Point]:
    """Write one file's masks and overlays; returns its points, where the run looks for some."""
    pages, points = page_count(path), []
    masks, overlays = [], []
    for page in range(pages):
        image, confidence, classes = _segmented(run, form, path, page)
        masks.append(_painted(form)[classes.numpy()])
        overlays.append(_overlay(image, classes.numpy()))
        name = path.name if pages == 1 else f"{path.name} page {page + 1}"
        points += [(name, *point) for point in _points(confidence, form)]
    for part, pictured in zip(PARTS, (masks, overlays), strict=True):
        _save(output / part / f"{path.stem}.{'png' if pages == 1 else 'tif'}", pictured)
    return points


def _segmented(run: Run, form: ImageFormat, path: Path, page: int) -> tuple[Tensor, Tensor, Tensor]:
    """An image (1, channels, height, width), and the confidence and class number of each pixel, of the file's size."""
    image, size = read_image(path, form, page)
    image = image[None].to(precision_of(run.model))
    if form.fit != "resize" and takes_tiles(run.model, image):
        try:
            return image, *tiled_answers(run, image, form.threshold)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
    logits = run.predict(image).float()
    if not bool(logits.isfinite().all()):
        raise DataError(f"{path}: the network has no finite answer for this image")
    # An image that was scaled for the network has its answer scaled back.
    image, logits = (functional.interpolate(x, size, mode="bilinear") for x in (image, logits))
    confidence, classes = answers(logits, form.threshold)
    return image, confidence[0], classes[0]


def tiled_answers(run: Run, image: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Confidence (height, width) and class numbers (height, width) uint8 of a large image (1, channels, height, width).

    Raises:
        DataError: the network has no finite answer.
    """
    assert isinstance(run.model, Unet)
    image, inner = padded(run.model, image)
    confidence = torch.empty(image.shape[-2:])
    classes = torch.empty(image.shape[-2:], dtype=torch.uint8)
    for part, inside, place in tiles_of(run.model, image):
        logits = run.predict(part).float()
        if not bool(logits.isfinite().all()):
            raise DataError("the network has no finite answer for this image")
        found = answers(logits[..., inside[0], inside[1]], threshold)
        confidence[place], classes[place] = found[0][0], found[1][0].to(torch.uint8)
    return confidence[inner], classes[inner]


def _overlay(image: Tensor, classes: Array) -> Array:
    """(height, width, 3) uint8, some rows at a time: in floating point all of a large image would take gigabytes."""
    overlay = np.empty((*classes.shape, 3), np.uint8)
    for start in range(0, len(classes), ROWS):
        rows = slice(start, start + ROWS)
        shown = marked(pictures(image[..., rows, :], like=image)[0], classes[rows])
        overlay[rows] = (255 * shown).round()
    return overlay


def _points(confidence: Tensor, form: ImageFormat) -> list[tuple[float, float, float]]:
    """Row, column and probability of each point of a map (height, width)."""
    if form.point_radius is None:
        return []
    places = peaks(confidence, form.threshold, form.point_radius)
    pixels = places.round().long()
    probabilities = confidence[pixels[:, 0], pixels[:, 1]].tolist()
    return [(*place, p) for place, p in zip(places.tolist(), probabilities, strict=True)]


def _painted(form: ImageFormat) -> Array:
    """The masks' own values, or colours, of class after class."""
    if form.masks.colours:
        return np.array([[colour >> 16, colour >> 8 & 255, colour & 255] for colour in form.masks.colours], np.uint8)
    return _as_masks(np.array(form.values))


def _as_masks(values: Array) -> Array:
    """The masks' own values, of class after class; 0 and 1 as 0 and 255, so that they are seen."""
    if values.tolist() == [0, 1]:
        values = values * 255
    return values.astype(np.uint8 if values.max() < 256 else np.uint16)


def _save(path: Path, pages: list[Array]) -> None:
    from PIL import Image

    first, *others = map(Image.fromarray, pages)
    if path.suffix == ".png":
        write_whole(path, lambda file: first.save(file, format="PNG"))
    else:
        held = io.BytesIO()  # Pillow reads what it has written of a file of several pages
        first.save(held, format="TIFF", compression="tiff_adobe_deflate", save_all=True, append_images=others)
        write_whole(path, lambda file: file.write(held.getbuffer()))
