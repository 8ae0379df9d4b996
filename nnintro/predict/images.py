"""Predict a folder of images with a run on images: masks, overlays, and points if it finds points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor
from torch.nn import functional

from nnintro.datasets.images import ImageFormat, image_files, read_image
from nnintro.errors import DataError, UsageError, memory_for
from nnintro.figures.maps import marked
from nnintro.files import as_csv, refuse_own_input, write_text, write_whole
from nnintro.models import precision_of
from nnintro.models.forward import threads, threads_for
from nnintro.models.standardized import Array
from nnintro.objectives.segmentation import answers, peaks
from nnintro.runs.run import Run, load_run
from nnintro.temporary import temporary_folder
from nnintro.training.sketches import pictures
from nnintro.wording import cause

Point = tuple[str, float, float, float]
"""The image's name, row and column in pixels, probability."""
PARTS = ("masks", "overlays")


@dataclass(frozen=True)
class Predicted:
    """What was written."""

    images: int
    points: int | None
    """In all images together; None where the run looks for none."""


def predict_images(directory: Path, source: Path, output: Path) -> Predicted:
    """Segment an image, or every image of a folder.

    Under ``output``: masks/<name>.png holds the masks' own values, overlays/<name>.png shows them
    over the image, and where the run looks for points, points.csv lists them by row and column.
    Nothing is written there unless every image was segmented.

    Args:
        source: an image; a folder of images; or one with images in images/.

    Raises:
        CheckpointError: the run cannot be used.
        UsageError: the run takes no images, or the output would lie over the images or their masks.
        DataError: an image cannot be read or is of another kind than the run's; or the output
            cannot be written.
    """
    _require_place(output, source)
    run = load_run(directory)
    form = run.reading
    if not isinstance(form, ImageFormat):
        message = f"{directory} was trained on rows of numbers: expected a table, not images"
        raise UsageError(message)
    refuse_own_input(source, output)
    files = _files(source)
    points: list[Point] = []
    # A hidden folder on the output's disk holds the files until all are done.
    place = output if output.is_dir() else output.parent
    try:
        with temporary_folder(place, output.name) as folder:
            for part in PARTS:
                (folder / part).mkdir()
            with threads(threads_for(run.model, 1)):
                for path in files:
                    with memory_for(f"{path}: the network's layers on an image of its size"):
                        points += _one(run, form, path, folder)
            if form.point_radius is not None:
                lines = [(name, f"{r:.2f}", f"{c:.2f}", f"{p:.4f}") for name, r, c, p in points]
                table = as_csv([("image", "row", "column", "probability"), *lines])
                write_text(folder / "points.csv", table)
            _move(folder, output)
    except OSError as error:
        raise DataError(f"cannot write {output}: {cause(error)}") from error
    return Predicted(len(files), None if form.point_radius is None else len(points))


def _require_place(output: Path, source: Path) -> None:
    """Raise UsageError where no folder can be, or where the images or their masks are."""
    if output.exists() and not output.is_dir():
        raise UsageError(f"cannot write {output}: it is a file, and masks need a folder")
    if not output.parent.is_dir():
        raise UsageError(f"cannot write {output}: {output.parent} is not a folder")
    # A folder with images/ is somebody's data, and its masks/ are the truth.
    taken = {folder.resolve() for folder in (source, source / "images", source / "masks")}
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


def _files(source: Path) -> list[Path]:
    if not source.exists():
        raise DataError(f"{source}: no such image or folder")
    if source.is_file():
        return [source]
    return image_files(source / "images" if (source / "images").is_dir() else source)


def _one(run: Run, form: ImageFormat, path: Path, output: Path) -> list[Point]:
    """Write one image's mask and overlay; returns its points, where the run looks for some."""
    image, size = read_image(path, form)
    image = image[None].to(precision_of(run.model))
    logits = run.predict(image).float()
    if not bool(logits.isfinite().all()):
        raise DataError(f"{path}: the network has no finite answer for this image")
    # An image that was scaled for the network has its answer scaled back.
    image, logits = (functional.interpolate(x, size, mode="bilinear") for x in (image, logits))
    confidence, classes = answers(logits, form.threshold)
    values = _as_masks(np.array(form.values))
    _save(output / "masks" / f"{path.stem}.png", values[classes[0].numpy()])
    overlay = marked(pictures(image)[0], classes[0].numpy())
    _save(output / "overlays" / f"{path.stem}.png", (255 * overlay).round().astype(np.uint8))
    return [(path.name, *point) for point in _points(confidence[0], form)]


def _points(confidence: Tensor, form: ImageFormat) -> list[tuple[float, float, float]]:
    """Row, column and probability of each point of a map (height, width)."""
    if form.point_radius is None:
        return []
    places = peaks(confidence, form.threshold, form.point_radius)
    pixels = places.round().long()
    probabilities = confidence[pixels[:, 0], pixels[:, 1]].tolist()
    return [(*place, p) for place, p in zip(places.tolist(), probabilities, strict=True)]


def _as_masks(values: Array) -> Array:
    """The masks' own values, of class after class; 0 and 1 as 0 and 255, so that they are seen."""
    if values.tolist() == [0, 1]:
        values = values * 255
    return values.astype(np.uint8 if values.max() < 256 else np.uint16)


def _save(path: Path, pixels: Array) -> None:
    from PIL import Image

    write_whole(path, lambda file: Image.fromarray(pixels).save(file, format="PNG"))
