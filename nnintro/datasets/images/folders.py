"""List folders of images, and pair each image, or page of a TIFF file, with its mask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nnintro.config.datasets.masks import Folders, MaskKeys
from nnintro.datasets.images.files import SUFFIXES, page_count, place, refuse
from nnintro.errors import DataError
from nnintro.files import nearby
from nnintro.wording import cause, counted, listed, listing

SYSTEM_FILES = ("thumbs.db", "desktop.ini", "__macosx")
"""What Windows, and archives made on a Mac, leave in folders; what begins with a dot is left out too."""
MASKS, IMAGES = "masks", "images"


@dataclass(frozen=True)
class Pair:
    """An image and its mask."""

    image: Path
    mask: Path
    """A file; or a folder with a mask for each object of the image."""
    page: int = 0
    """Of both files."""
    orientation: int = 1
    """EXIF's turn of the image that the mask needs too."""


def image_files(folder: Path, *, nested: bool = False, suffix: str = "") -> list[Path]:
    """The images in a folder, by name.

    Args:
        nested: whether folders in it are searched too.
        suffix: what the names end in; others are passed over where it is given.

    Raises:
        DataError: it is not a folder, or holds something else, nothing, or two files of one stem.
    """
    files: dict[Path, Path] = {}  # by the path without the ending
    for path in _entries(folder, nested):
        if suffix and not path.stem.endswith(suffix):
            continue
        if path.is_dir():
            raise refuse(path, "image files alone", "a folder")
        if path.suffix.lower() not in SUFFIXES:
            raise refuse(path, f"a {listing(SUFFIXES)} file", repr(path.suffix or path.name))
        if (twin := files.get(path.with_suffix(""))) is not None:
            raise refuse(path, "one file of this name", f"{twin.name!r} too")
        files[path.with_suffix("")] = path
    if not files:
        raise refuse(folder, f"{listing(SUFFIXES)} files{f' named *{suffix}' if suffix else ''}", "none")
    return list(files.values())


def _entries(folder: Path, nested: bool) -> list[Path]:
    _require_folder(folder, "a folder of images")
    try:
        entries = sorted(filter(_is_meant, folder.iterdir()), key=lambda path: path.name)
        if not nested:
            return entries
        for entry in entries:
            if entry.is_symlink() and folder.resolve().is_relative_to(entry.resolve()):
                raise refuse(entry, "image files and folders of them", "a link back to a folder that it lies in")
        return [found for entry in entries for found in (_entries(entry, nested=True) if entry.is_dir() else [entry])]
    except OSError as error:
        raise DataError(f"{place(folder)}: cannot be read: {cause(error)}") from error


def _is_meant(path: Path) -> bool:
    return not path.name.startswith(".") and path.name.lower() not in SYSTEM_FILES


def _require_folder(folder: Path, wanted: str) -> None:
    try:
        if folder.is_dir():
            return
        got = "a file" if folder.exists() else f"nothing{nearby(folder)}"
    except OSError as error:  # a name longer than a file system takes
        raise DataError(f"{place(folder)}: cannot be read: {cause(error)}") from error
    raise refuse(folder, wanted, got)


def sample_folders(folder: Path) -> list[Path]:
    """The folders in it, where each is a sample: with images/ of one image, and masks/ where there are masks."""
    if not folder.is_dir() or (folder / IMAGES).exists():
        return []
    found = [path for path in sorted(folder.iterdir()) if path.is_dir() and _is_meant(path)]
    return found if found and all((path / IMAGES).is_dir() for path in found) else []


def pairs_of(folder: Path, keys: MaskKeys, least: int = 2, folders: Folders | None = None) -> tuple[list[Pair], int]:
    """Images and masks by name, and how many files were left out as they have no partner.

    Args:
        folders: in place of those of the keys.

    Raises:
        DataError: a part is missing, or there are fewer than ``least``.
    """
    folders = folders or keys.folders
    _require_folder(folder, "a folder with images/ and masks/")
    if folders is None and (samples := sample_folders(folder)):
        pairs, left_out = [_sample(path) for path in samples], 0
    else:
        named = folders or Folders()
        images, masks = folder / named.images, folder / named.masks
        if folders is None:
            _require_parts(folder)
        if images.is_file() and masks.is_file():
            pairs, left_out = _pages(images, masks), 0
        else:
            files, left_out = _matched(images, masks, keys, nested=folders is not None)
            pairs = [pair for image, mask in files for pair in _pages(image, mask)]
    if len(pairs) < least:
        raise refuse(folder / (folders or Folders()).images, f"at least {least} images", len(pairs))
    return pairs, left_out


def _sample(folder: Path) -> Pair:
    images = image_files(folder / IMAGES)
    if len(images) > 1:
        raise refuse(folder / IMAGES, "one image, as this is the folder of one sample", len(images))
    _require_folder(folder / MASKS, "a folder with a mask for each object of the image beside it")
    return Pair(images[0], folder / MASKS)


def _require_parts(folder: Path) -> None:
    """Raise where images/ is missing and something else is there, which ``folders`` could name."""
    if (folder / IMAGES).exists() and (folder / MASKS).exists():
        return
    there = sorted(filter(_is_meant, folder.iterdir()))
    names = [path.name for path in there if path.is_dir() or path.suffix.lower() in (".tif", ".tiff")]
    if len(names) < 2:
        return  # what is missing is said when it is listed
    shown = listed(names)
    raise refuse(
        folder,
        "images and masks in folders of these names",
        f"{shown}; name two in dataset.folders: {_proposal(names)}",
    )


def _proposal(names: list[str]) -> str:
    """``{images: imgs, masks: labels}``, by the names."""
    words = ("mask", "label", "annot", "segm", "truth", "gt")
    masks = next((name for name in names if any(word in name.lower() for word in words)), names[-1])
    images = next(name for name in names if name != masks)
    return f"{{images: {images}, masks: {masks}}}"


def _matched(images: Path, masks: Path, keys: MaskKeys, *, nested: bool) -> tuple[list[tuple[Path, Path]], int]:
    ours = _by_name(images, image_files(images, nested=nested, suffix=keys.image_suffix), keys.image_suffix)
    theirs = _by_name(masks, image_files(masks, nested=nested, suffix=keys.mask_suffix), keys.mask_suffix)
    both = [name for name in ours if name in theirs]
    left_out = len(ours) + len(theirs) - 2 * len(both)
    if left_out and (keys.unpaired == "error" or not both):
        raise _unpaired(images, masks, ours, theirs)
    return [(ours[name], theirs[name]) for name in both], left_out


def _by_name(folder: Path, files: Iterable[Path], suffix: str) -> dict[str, Path]:
    """By what image and mask share: the path inside the folder, without suffix and ending."""
    return {str(path.relative_to(folder).with_suffix("")).removesuffix(suffix): path for path in files}


def _unpaired(images: Path, masks: Path, ours: dict[str, Path], theirs: dict[str, Path]) -> DataError:
    for files, others, folder, what in ((ours, theirs, masks, "a mask"), (theirs, ours, images, "an image")):
        for name, path in files.items():
            if name not in others:
                return refuse(path, f"{what} of this name in {place(folder)}", f"none{_remedy(ours, theirs)}")
    raise AssertionError("all are paired")


def _remedy(ours: dict[str, Path], theirs: dict[str, Path]) -> str:
    """The suffix that pairs all images, where there is one; else how many pairs there are without the others."""
    first = next(iter(ours))
    for key, short, long in (("mask_suffix", ours, theirs), ("image_suffix", theirs, ours)):
        first = next(iter(short))
        suffixes = [name.removeprefix(first) for name in long if name.startswith(first) and name != first]
        for suffix in suffixes:
            if all(name + suffix in long for name in short):
                return f"; there is {long[first + suffix].name} (dataset.{key}: {suffix} pairs all {len(short)})"
    both = len(ours.keys() & theirs.keys())
    if both < 2:
        return ""
    return f"; dataset.unpaired: leave_out takes the {counted(both, 'pair')} that there are"


def _pages(image: Path, mask: Path) -> list[Pair]:
    """A pair for each page of two files."""
    pages, others = page_count(image), page_count(mask)
    if pages != others:
        wanted = f"{counted(pages, 'page')} as its image {image.name} has"
        raise refuse(mask, wanted if pages > 1 else f"one page as its image {image.name} has", others)
    return [Pair(image, mask, page) for page in range(pages)]
