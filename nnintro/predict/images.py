"""A run on images, on a folder of images: masks and overlays, and points where it finds points."""

from __future__ import annotations

import contextlib
import csv
import io
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from torch import Tensor
from torch.nn import functional

from nnintro.datasets.images import Format, image_files, read_image
from nnintro.errors import DataError, UsageError
from nnintro.figures.maps import marked
from nnintro.files import write_whole
from nnintro.models import precision_of
from nnintro.models.forward import threads, threads_for
from nnintro.models.standardized import Array
from nnintro.objectives.segmentation import peaks
from nnintro.runs.run import Run, load_run
from nnintro.training.sketches import answers, pictures
from nnintro.wording import cause

Point = tuple[str, float, float, float]
"""The image's name, row and column in pixels, probability."""


PARTS = ("masks", "overlays")

OF_DATA = ("images", "masks")
"""What a folder to learn from has."""


@dataclass(frozen=True)
class Predicted:
    """What was written."""

    images: int
    points: int | None
    """DataFacts in all images; None where the run looks for none."""


def predict_images(directory: Path, source: Path, output: Path) -> Predicted:
    """Segment an image, or every image of a folder.

    Under ``output``: masks/<name>.png holds the masks' own values, overlays/<name>.png shows them
    over the image, and where the run looks for points, points.csv lists them by row and column.
    Nothing stands there unless every image was segmented.

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
    if not isinstance(form, Format):
        message = f"{directory} was trained on rows of numbers: expected a table, not images"
        raise UsageError(message)
    files, has_points = _files(source), run.setup.task.has_points
    try:
        with _unnamed(output) as folder:
            found: list[Point] = []
            with threads(threads_for(run.model, 1)):
                for path in files:
                    found += _one(run, form, path, folder)
            if has_points:
                _write_points(folder / "points.csv", found)
            _move(folder, output, has_points=has_points)
    except OSError as error:
        raise DataError(f"cannot write {output}: {cause(error)}") from error
    return Predicted(len(files), len(found) if has_points else None)


def _require_place(output: Path, source: Path) -> None:
    """Raise UsageError where no folder can be, or where the images or their masks are."""
    if output.exists() and not output.is_dir():
        raise UsageError(f"cannot write {output}: it is a file, and masks need a folder")
    if not output.parent.is_dir():
        raise UsageError(f"cannot write {output}: {output.parent} is no folder")
    # A folder with images/ is somebody's data, and its masks/ are the truth.
    taken = {folder.resolve() for folder in (source, *(source / part for part in OF_DATA))}
    for part in PARTS:
        if (output / "images").exists() or (output / part).resolve() in taken:
            message = f"cannot write {output / part}: it holds the data; choose another --output"
            raise UsageError(message)
        if (output / part).exists() and not (output / part).is_dir():
            raise UsageError(f"cannot write {output / part}: it is no folder")


@contextlib.contextmanager
def _unnamed(output: Path) -> Iterator[Path]:
    """A folder for files that are not to be seen yet, on the output's disk; gone in the end."""
    place = output if output.is_dir() else output.parent
    folder = place / f".{output.name}.{secrets.token_hex(6)}"
    try:
        for part in PARTS:
            (folder / part).mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _move(folder: Path, output: Path, *, has_points: bool) -> None:
    """Give the files their names; points of an earlier prediction are not of these images."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        target = output / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    if not has_points:
        (output / "points.csv").unlink(missing_ok=True)


def _files(source: Path) -> list[Path]:
    if not source.exists():
        raise DataError(f"{source}: no such image or folder")
    if source.is_file():
        return [source]
    if (source / "images").is_dir():
        return image_files(source / "images")
    return image_files(source)


def _one(run: Run, form: Format, path: Path, output: Path) -> list[Point]:
    """Write one image's mask and overlay; its points, if any: name, row, column, probability."""
    image, size = read_image(path, run.setup.facts.description)
    image = image[None].to(precision_of(run.model))
    logits = run.predict(image).float()
    if not bool(logits.isfinite().all()):
        raise DataError(f"{path}: the network has no finite answer for this image")
    # An image that was scaled for the network has its answer scaled back.
    image, logits = (functional.interpolate(x, size, mode="bilinear") for x in (image, logits))
    confidence, classes = answers(logits, form.threshold)
    values = _as_masks(np.array(form.values))
    _save(output / "masks" / f"{path.stem}.png", values[classes[0].numpy()])
    over = marked(pictures(image)[0], classes[0].numpy())
    _save(output / "overlays" / f"{path.stem}.png", (255 * over).round().astype(np.uint8))
    if not run.setup.task.has_points:
        return []
    return _points(path.name, confidence[0], form)


def _points(name: str, confidence: Tensor, form: Format) -> list[Point]:
    assert form.point_radius is not None
    places = peaks(confidence, form.threshold, form.point_radius)
    height, width = confidence.shape
    found = []
    for row, column in places.tolist():
        at = min(max(round(row), 0), height - 1), min(max(round(column), 0), width - 1)
        found.append((name, row, column, float(confidence[at])))
    return found


def _as_masks(values: Array) -> Array:
    """The masks' own values, of class after class; 0 and 1 as 0 and 255, so that they are seen."""
    if values.tolist() == [0, 1]:
        values = values * 255
    return values.astype(np.uint8 if values.max() < 256 else np.uint16)


def _save(path: Path, pixels: Array) -> None:
    from PIL import Image

    def write(file: IO[bytes]) -> None:
        Image.fromarray(pixels).save(file, format="PNG")

    write_whole(path, write)


def _write_points(path: Path, found: list[Point]) -> None:
    def write(file: IO[bytes]) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["image", "row", "column", "probability"])
        writer.writerows((name, f"{r:.2f}", f"{c:.2f}", f"{p:.4f}") for name, r, c, p in found)
        text.detach()

    write_whole(path, write)
