"""One image file -> its pixels, or one error that names the file.

Read are PNG, JPEG and TIFF with one image each: gray of 1 to 8 or of 16 bits, red-green-blue of 8
bits, palettes.  An alpha channel is dropped where all is opaque, and refused otherwise.  The
rotation that a camera notes (EXIF) is done.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnintro.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

FORMATS = ("PNG", "JPEG", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
MOST_PIXELS = 8192 * 8192
"""In one file; a file that says it has more is not decoded."""
ORIENTATION = 0x0112
"""EXIF's tag; from 5 on height and width change places."""
KINDS = {"1": 1, "L": 1, "P": 3, "RGB": 3, "RGBA": 3, "LA": 1, "PA": 3}
"""Pillow's modes of 8 bits that are read -> channels."""

Pixels = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Header:
    """What a file says of itself before its pixels are read."""

    size: tuple[int, int]
    """Height and width, as it is to be seen."""
    turned: bool
    """Whether EXIF makes rows columns."""
    channels: int
    bits: int


def place(path: Path) -> str:
    """A path as a message has it: in one line."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def refuse(path: Path, wanted: str, got: object) -> DataError:
    return DataError(f"{place(path)}: expected {wanted}, got {got}")


def header_of(path: Path) -> Header:
    """Size and kind of an image or a mask.

    Raises:
        DataError: the file is not an image of a kind that is read, or too large.
    """
    # Pillow only warns of sizes that are a trap; what else it warns of, the pixels will tell.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _opened(path) as image:
            return _header(path, image)


def read_pixels(path: Path) -> Pixels:
    """(channels, height, width) of an image, uint8 or uint16; channels are 1 or 3.

    Raises:
        DataError: the file cannot be read, or has pixels of another kind.
    """
    with _opened(path) as image:
        _header(path, image)
        upright = _opaque(path, _upright(image))
        if upright.mode.startswith("I"):
            return np.asarray(upright).astype(np.uint16)[None]
        if KINDS[upright.mode] == 1:
            return np.asarray(upright.convert("L"))[None]
        return np.ascontiguousarray(np.asarray(upright.convert("RGB")).transpose(2, 0, 1))


def read_values(path: Path) -> NDArray[np.int64]:
    """(height, width) of a mask: gray as it is (one bit: 0 and 255), a palette's index.

    A mask of colours is taken where all of them are grays.

    Raises:
        DataError: the file cannot be read, or a pixel has no single value.
    """
    with _opened(path) as image:
        _header(path, image)
        upright = _upright(image)
        if upright.mode == "P":
            return np.asarray(upright).astype(np.int64)
        upright = _opaque(path, upright)
        if upright.mode == "1":
            upright = upright.convert("L")
        values = np.asarray(upright).astype(np.int64)
    if values.ndim == 2:
        return values
    if not (values == values[:, :, :1]).all():
        wanted = "one value per pixel (gray, or a palette)"
        raise refuse(path, wanted, "colours; save the mask as gray or with a palette")
    return values[:, :, 0]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[ImageFile]:
    """The file, open; whatever goes wrong in reading it is one error that names it."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise DataError(
            f"{place(path)}: reading images needs pillow; pip install pillow"
        ) from error
    try:
        with Image.open(path, formats=FORMATS) as image:
            yield image
    except DataError:
        raise
    except UnidentifiedImageError as error:
        what = "an empty file" if path.stat().st_size == 0 else "something else"
        raise refuse(path, "a PNG, JPEG or TIFF image", what) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise refuse(path, f"at most {MOST_PIXELS:,} pixels", "far more") from error
    except MemoryError:
        raise
    except Exception as error:  # a decoder on foreign bytes raises anything: struct, zlib, ...
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.replace(f": {str(path)!r}", "")
        raise DataError(f"{place(path)}: the image cannot be read: {reason}") from error


def _header(path: Path, image: ImageFile) -> Header:
    width, height = image.size
    if height * width > MOST_PIXELS:
        raise refuse(path, f"at most {MOST_PIXELS:,} pixels", f"{height} x {width}")
    frames = getattr(image, "n_frames", 1)
    if frames != 1:
        raise refuse(path, "one image in a file", f"{frames}")
    raw = _raw_mode(image)
    if image.mode in KINDS and ";16" not in raw:
        channels, bits = KINDS[image.mode], 8
    elif image.mode.startswith("I") and ";16" in raw and ";16S" not in raw:
        channels, bits = 1, 16
    else:
        wanted = "gray of 8 or 16 bits, RGB of 8 bits, or a palette"
        raise refuse(path, wanted, _named(image.mode, raw))
    turned = _orientation(image) in range(5, 9)
    return Header((width, height) if turned else (height, width), turned, channels, bits)


def _orientation(image: ImageFile) -> int:
    # Asked for what is not at its beginning, a PNG is decoded to the end: twice the work.
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1
    return int(image.getexif().get(ORIENTATION, 1))


def _raw_mode(image: ImageFile) -> str:
    """How pixels lie in the file: Pillow's mode is narrower, colours of 16 bits become 8."""
    arguments = image.tile[0][3] if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _named(mode: str, raw: str) -> str:
    if ";16" in raw:
        return f"{raw.partition(';')[0]} of 16 bits{', signed' if ';16S' in raw else ''}"
    names = {"F": "floating point numbers", "I": "gray of 32 bits"}
    return names.get(mode, mode)


def _upright(image: Image) -> Image:
    """With all its pixels, as it is to be seen."""
    from PIL import ImageOps

    image.load()
    return ImageOps.exif_transpose(image)


def _opaque(path: Path, image: Image) -> Image:
    """Without its alpha, which says nothing.

    Raises:
        DataError: it does say something.
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
        wanted = "opaque pixels"
        raise refuse(path, wanted, "transparent ones; put the image on a background first")
    return opaque
