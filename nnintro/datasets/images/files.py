"""Image files: list a folder, match masks to images, and read pixels.

Read are PNG, JPEG and TIFF with one image each: gray of 1 to 8 or of 16 bits, red-green-blue of 8
bits, palettes.  An alpha channel is dropped where all is opaque, and refused otherwise.  The
rotation that a camera notes (EXIF) is done.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnintro.datasets.images.complaints import collected, in_one_line, warn_once
from nnintro.datasets.images.survey import look_over, look_over_tags
from nnintro.errors import DataError, NnintroError, memory_for
from nnintro.files import open_regular
from nnintro.wording import cause, listing

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

FORMATS = ("PNG", "JPEG", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
SYSTEM_FILES = ("thumbs.db", "desktop.ini")
"""What Windows leaves in folders; files that begin with a dot are left out too."""
MOST_PIXELS = 8192 * 8192
"""In one file; a file that says it has more is not decoded."""
ORIENTATION = 0x0112
"""EXIF's tag; from 5 on height and width are swapped."""
KINDS = {"1": 1, "L": 1, "P": 3, "RGB": 3, "RGBA": 3, "LA": 1, "PA": 3}
"""Pillow's modes of 8 bits that are read -> channels."""
PILLOW_WARNS = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
"""The filter of warnings that Pillow's are not shown by: they do not say of which file."""
Pixels = NDArray[np.unsignedinteger[Any]]


def place(path: Path) -> str:
    """A path as a message has it: in one line."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def refuse(path: Path, wanted: str, got: object) -> DataError:
    return DataError(f"{place(path)}: expected {wanted}, got {got}")


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
        paths = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise DataError(f"{place(folder)}: cannot be read: {cause(error)}") from error
    files: dict[str, Path] = {}  # by stem
    for path in paths:
        if path.name.startswith(".") or path.name.lower() in SYSTEM_FILES:
            continue
        if path.is_dir():
            raise refuse(path, "image files alone", "a folder")
        if path.suffix.lower() not in SUFFIXES:
            raise refuse(path, f"a {listing(SUFFIXES)} file", repr(path.suffix or path.name))
        if path.stem in files:
            raise refuse(path, "one file of this name", f"{files[path.stem].name!r} too")
        files[path.stem] = path
    if not files:
        raise refuse(folder, f"{listing(SUFFIXES)} files", "none")
    return list(files.values())


def _require_folder(folder: Path, wanted: str) -> None:
    try:
        if folder.is_dir():
            return
        got = "a file" if folder.exists() else "nothing"
    except OSError as error:  # a name longer than a file system takes
        raise DataError(f"{place(folder)}: cannot be read: {cause(error)}") from error
    raise refuse(folder, wanted, got)


def pairs_of(folder: Path, least: int = 2) -> list[Pair]:
    """Images and masks of one stem each, by name.

    Raises:
        DataError: a part is missing, or there are fewer than ``least``.
    """
    _require_folder(folder, "a folder with images/ and masks/")
    images, masks = ({path.stem: path for path in image_files(folder / part)} for part in ("images", "masks"))
    for files, others, part, what in ((images, masks, "masks", "a mask"), (masks, images, "images", "an image")):
        for stem, path in files.items():
            if stem not in others:
                raise refuse(path, f"{what} of this name in {place(folder / part)}", "none")
    if len(images) < least:
        raise refuse(folder / "images", f"at least {least} images", len(images))
    return [Pair(path, masks[stem]) for stem, path in images.items()]


@dataclass(frozen=True)
class Header:
    """What a file declares before its pixels are decoded."""

    size: tuple[int, int]
    """Height and width, after the rotation that EXIF asks for."""
    turned: bool
    """Whether EXIF makes rows columns."""
    channels: int
    bits: int


def read_header(path: Path) -> Header:
    """Size and kind of an image or a mask.

    Raises:
        DataError: the file is not an image of a kind that is read, or too large.
    """
    # Not for threads, which share the filters of warnings.
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            with _opened(path, warned) as image:
                header = _checked_header(path, image)
        finally:
            said = _said(warned)
    if said:
        warn_once(f"{place(path)}: {in_one_line(said)}")
    return header


def _said(warned: list[warnings.WarningMessage]) -> list[str]:
    """What Pillow warned of, each once; of a decompression bomb it only warns, and that is refused here."""
    from PIL import Image

    others = (w for w in warned if not issubclass(w.category, Image.DecompressionBombWarning))
    return list(dict.fromkeys(str(w.message) for w in others))


def read_pixels(path: Path) -> Pixels:
    """(channels, height, width) of an image, uint8 or uint16; channels are 1 or 3.

    Raises:
        DataError: the file cannot be read, or has pixels of another kind.
    """
    with _opened(path) as image:
        decoded = _opaque(path, _decoded(path, image))
        if decoded.mode.startswith("I"):
            return np.asarray(decoded).astype(np.uint16)[None]
        if KINDS[decoded.mode] == 1:
            return np.asarray(decoded.convert("L"))[None]
        return np.ascontiguousarray(np.asarray(decoded.convert("RGB")).transpose(2, 0, 1))


def read_values(path: Path) -> NDArray[np.int64]:
    """(height, width) of a mask: gray as it is (one bit: 0 and 255), a palette's index.

    A mask of colours is taken where all of them are grays.

    Raises:
        DataError: the file cannot be read, or a pixel has no single value.
    """
    with _opened(path) as image:
        decoded = _decoded(path, image)
        if decoded.mode != "P":
            decoded = _opaque(path, decoded)
        if decoded.mode == "1":
            decoded = decoded.convert("L")
        values = np.asarray(decoded).astype(np.int64)
    if values.ndim == 2:
        return values
    if not (values == values[:, :, :1]).all():
        got = "colours; save the mask as gray or with a palette"
        raise refuse(path, "one value per pixel (gray, or a palette)", got)
    return values[:, :, 0]


@contextlib.contextmanager
def _opened(path: Path, warned: list[warnings.WarningMessage] | None = None) -> Iterator[ImageFile]:
    """The file, open; whatever goes wrong in reading it is one error that names it.

    Args:
        warned: where Pillow's warnings are recorded; else they are not shown, for reading the header has said them.
    """
    from PIL import Image, UnidentifiedImageError

    complaints: list[str] = []
    if warned is None and PILLOW_WARNS not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        with memory_for(f"the image {place(path)}"), collected() as complaints, open_regular(path) as file:
            look_over(file)
            with Image.open(file, formats=FORMATS) as image:
                yield image
    except NnintroError:
        raise
    except UnidentifiedImageError as error:
        what = "an empty file" if path.stat().st_size == 0 else "something else"
        why = [*_said(warned or []), *complaints]
        raise refuse(path, "a PNG, JPEG or TIFF image", f"{what}: {in_one_line(why)}" if why else what) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise refuse(path, f"at most {MOST_PIXELS:,} pixels", "far more") from error
    except Exception as error:  # a decoder on foreign bytes raises anything: struct, zlib, ...
        reason = " ".join(cause(error).split())
        why = [*complaints, *_said(warned or [])]
        reason = f"{reason}: {in_one_line(why)}" if why else reason
        raise DataError(f"{place(path)}: the image cannot be read: {reason}") from error
    if complaints:
        warn_once(f"{place(path)}: {in_one_line(complaints)}")


def _checked_header(path: Path, image: ImageFile) -> Header:
    width, height = image.size
    if height * width > MOST_PIXELS:
        raise refuse(path, f"at most {MOST_PIXELS:,} pixels", f"{height} x {width}")
    frames = getattr(image, "n_frames", 1)
    if frames != 1:
        raise refuse(path, "one image in a file", f"{frames}")
    # Pillow's mode is narrower than the file: it makes colours of 16 bits 8.  The decoder's raw
    # mode says how pixels lie in the file.
    arguments = image.tile[0][3] if image.tile else ""
    raw = str(arguments[0] if isinstance(arguments, tuple) else arguments)
    if image.mode in KINDS and ";16" not in raw:
        channels, bits = KINDS[image.mode], 8
    elif image.mode.startswith("I") and ";16" in raw and ";16S" not in raw:
        channels, bits = 1, 16
    else:
        raise refuse(path, "gray of 8 or 16 bits, RGB of 8 bits, or a palette", _named(image.mode, raw))
    turned = _orientation(image) in range(5, 9)
    return Header((width, height) if turned else (height, width), turned, channels, bits)


def _named(mode: str, raw: str) -> str:
    if ";16" in raw:
        return f"{raw.partition(';')[0]} of 16 bits{', signed' if ';16S' in raw else ''}"
    names = {"F": "floating point numbers", "I": "gray of 32 bits"}
    return names.get(mode, mode)


def _orientation(image: ImageFile) -> int:
    _look_over_exif(image)
    # A PNG may hold EXIF behind its pixels: getexif decodes all of it to see, twice the work.
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1
    return int(image.getexif().get(ORIENTATION, 1))


def _look_over_exif(image: ImageFile) -> None:
    """ValueError where the tags of a PNG's EXIF hold too much; those of a JPEG were looked at before."""
    if image.format == "PNG":
        raw = str(image.info.get("Raw profile type exif", "")).split("\n")[3:]
        for exif in (image.info.get("exif", b""), bytes.fromhex("".join(raw))):
            look_over_tags(io.BytesIO(exif.removeprefix(b"Exif\0\0")))


def _decoded(path: Path, image: ImageFile) -> Image:
    """All pixels of a file of a kind that is read, rotated as EXIF asks."""
    from PIL import ImageOps

    _checked_header(path, image)
    image.load()
    _look_over_exif(image)  # a PNG may have it behind its pixels
    return ImageOps.exif_transpose(image)


def _opaque(path: Path, image: Image) -> Image:
    """The image without an alpha channel that hides nothing.

    Raises:
        DataError: a pixel is transparent.
    """
    key = image.info.get("transparency")
    if image.mode.startswith("I"):
        seen = key is None or not bool((np.asarray(image) == key).any())
        opaque = image
    elif image.mode in ("RGBA", "LA", "PA") or key is not None:
        with_alpha = image.convert("RGBA")
        seen = with_alpha.getchannel("A").getextrema() == (255, 255)
        opaque = with_alpha.convert("L" if KINDS[image.mode] == 1 else "RGB")
    else:
        return image
    if not seen:
        raise refuse(path, "opaque pixels", "transparent ones; put the image on a background first")
    return opaque
