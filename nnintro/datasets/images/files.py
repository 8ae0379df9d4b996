"""Folders of images: which files there are, and which mask belongs to which image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from nnintro.datasets.images.reading import SUFFIXES, place, refuse
from nnintro.errors import DataError
from nnintro.wording import listing

SYSTEM_FILES = ("thumbs.db", "desktop.ini")
"""What Windows leaves in folders; files that begin with a dot are left out too."""


@dataclass(frozen=True)
class Pair:
    """An image and its mask."""

    image: Path
    mask: Path


def image_files(folder: Path) -> list[Path]:
    """The images in a folder, by name.

    Raises:
        DataError: it is not a folder, or holds something else, nothing, or two files of one stem.
    """
    _require_folder(folder, "a folder of images")
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise DataError(f"{place(folder)}: cannot be read: {error.strerror}") from error
    files = [path for path in entries if not _of_the_system(path)]
    stems: dict[str, Path] = {}
    for path in files:
        _require_image(path)
        if path.stem in stems:
            other = stems[path.stem].name
            raise refuse(path, "one file of this name", f"{other!r} too")
        stems[path.stem] = path
    if not files:
        raise refuse(folder, f"{listing(SUFFIXES)} files", "none")
    return files


def _require_folder(folder: Path, wanted: str) -> None:
    try:
        if folder.is_dir():
            return
        got = "a file" if folder.exists() else "nothing"
    except OSError as error:  # a name longer than a file system takes
        raise DataError(f"{place(folder)}: cannot be read: {error.strerror}") from error
    raise refuse(folder, wanted, got)


def _of_the_system(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in SYSTEM_FILES


def _require_image(path: Path) -> None:
    if path.is_dir():
        raise refuse(path, "image files alone", "a folder")
    if path.suffix.lower() not in SUFFIXES:
        raise refuse(path, f"a {listing(SUFFIXES)} file", repr(path.suffix or path.name))


def pairs_of(folder: Path, least: int = 2) -> list[Pair]:
    """Images and masks of one stem each, by name.

    Raises:
        DataError: a part is missing, or there are fewer than ``least``.
    """
    _require_folder(folder, "a folder with images/ and masks/")
    images, masks = (
        {path.stem: path for path in image_files(folder / part)} for part in ("images", "masks")
    )
    for stem, path in images.items():
        if stem not in masks:
            raise refuse(path, f"a mask of this name in {place(folder / 'masks')}", "none")
    for stem, path in masks.items():
        if stem not in images:
            raise refuse(path, f"an image of this name in {place(folder / 'images')}", "none")
    if len(images) < least:
        raise refuse(folder / "images", f"at least {least} images", len(images))
    return [Pair(path, masks[stem]) for stem, path in images.items()]


@dataclass(frozen=True)
class Format:
    """Plain values, in and out of JSON by ``description`` and ``from_description``."""

    size: tuple[int, int]
    """Height and width of a sample."""
    fit: Literal["resize", "crop"] | None
    """How files come to that size; None where they must have it."""
    channels: int
    """1 for gray, 3 for red, green and blue."""
    convert: bool
    """Whether gray and coloured files are made into one another; else they must be alike."""
    bits: int | None
    """8 or 16: a sample's number is the file's by the largest of so many bits. None: the file's
    number is a count, taken as it is."""
    values: tuple[int, ...]
    """The values in masks, rising; class k is value k."""
    classes: tuple[str, ...]
    threshold: float
    """Probability from which a pixel belongs to the second of two classes."""
    point_radius: float | None
    """Pixels within which a peak is a point of the mask; None where points do not matter."""

    @property
    def largest(self) -> float:
        """What a pixel's number is divided by."""
        return 1.0 if self.bits is None else float(2**self.bits - 1)

    def description(self) -> dict[str, Any]:
        """As JSON has it."""
        plain = asdict(self)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> Format:
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in description.items()
        }
        return cls(**plain)
