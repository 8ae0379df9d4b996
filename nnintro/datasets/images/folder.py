"""Folders of images: which files there are, and which mask belongs to which image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnintro.config.wording import listing
from nnintro.datasets.images.reading import SUFFIXES, place, refuse
from nnintro.errors import DataError

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
