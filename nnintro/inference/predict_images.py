"""A run on images, on a folder of images: masks and overlays, and points where it finds points."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from torch import Tensor
from torch.nn import functional

from nnintro.config.images import ImagesDataset
from nnintro.datasets.images import image_files, read_image
from nnintro.errors import DataError, UsageError
from nnintro.inference.block import Array
from nnintro.models import precision_of
from nnintro.recording.directory import explained, make_folder, write_whole
from nnintro.recording.overlays import marked
from nnintro.training.assemble import threads, threads_for
from nnintro.training.maps import answers, pictures
from nnintro.training.run import Run, load_run
from nnintro.training.segmentation_metrics import peaks

Point = tuple[str, float, float, float]
"""The image's name, row and column in pixels, probability."""


@dataclass(frozen=True)
class Predicted:
    """What was written."""

    images: int
    points: int | None
    """Found in all images; None where the run looks for none."""


def predict_images(directory: Path, source: Path, output: Path) -> Predicted:
    """Segment an image, or every image of a folder.

    Under ``output``: masks/<name>.png holds the masks' own values, overlays/<name>.png shows them
    over the image, and where the run looks for points, points.csv lists them by row and column.

    Args:
        source: an image; a folder of images; or one with images in images/.

    Raises:
        CheckpointError: the run cannot be used.
        UsageError: the run takes no images.
        DataError: an image cannot be read or is of another kind than the run's; or the output
            cannot be written.
    """
    run = load_run(directory)
    dataset = run.experiment.dataset
    if not isinstance(dataset, ImagesDataset):
        message = f"{directory} was trained on rows of numbers: expected a table, not images"
        raise UsageError(message)
    files = _files(source)
    for part in ("masks", "overlays"):
        with explained(f"cannot write {output / part}"):
            make_folder(output / part)
    found: list[Point] = []
    with threads(threads_for(run.model, 1, run.experiment.task)):
        for path in files:
            found += _one(run, dataset, path, output)
    has_points = run.experiment.task.has_points
    if has_points:
        _write_points(output / "points.csv", found)
    return Predicted(len(files), len(found) if has_points else None)


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if (source / "images").is_dir():
        return image_files(source / "images")
    return image_files(source)


def _one(run: Run, dataset: ImagesDataset, path: Path, output: Path) -> list[Point]:
    """Write one image's mask and overlay; its points, if any: name, row, column, probability."""
    assert dataset.found is not None
    description = dataset.found.description
    image, size = read_image(path, description)
    image = image[None].to(precision_of(run.model))
    logits = run.predict(image).float()
    if not bool(logits.isfinite().all()):
        raise DataError(f"{path}: the network has no finite answer for this image")
    # An image that was scaled for the network has its answer scaled back.
    image, logits = (functional.interpolate(x, size, mode="bilinear") for x in (image, logits))
    confidence, classes = answers(logits, dataset.threshold)
    values = np.array(description["values"])
    _save(output / "masks" / f"{path.stem}.png", _as_mask(values[classes[0].numpy()]))
    over = marked(pictures(image)[0], classes[0].numpy())
    _save(output / "overlays" / f"{path.stem}.png", (255 * over).round().astype(np.uint8))
    if not run.experiment.task.has_points:
        return []
    return _points(path.name, confidence[0], dataset)


def _points(name: str, confidence: Tensor, dataset: ImagesDataset) -> list[Point]:
    assert dataset.point_radius is not None
    places = peaks(confidence, dataset.threshold, dataset.point_radius)
    height, width = confidence.shape
    found = []
    for row, column in places.tolist():
        at = min(max(round(row), 0), height - 1), min(max(round(column), 0), width - 1)
        found.append((name, row, column, float(confidence[at])))
    return found


def _as_mask(values: Array) -> Array:
    """The masks' own values; zero and one as 0 and 255, so that the mask can be seen."""
    if set(np.unique(values)) <= {0, 1}:
        values = values * 255
    return values.astype(np.uint8 if values.max(initial=0) < 256 else np.uint16)


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
