"""Read the pixels of image files.

Read are PNG, JPEG, GIF, BMP and WebP with one image each, and the pages of TIFF: gray of 1 to 8 or of 12 or 16 bits
(signed too), of 32 bits (whole or floating point, as they are), red-green-blue of 8 bits, CMYK (as red-green-blue),
palettes.  An alpha channel is dropped where all is
opaque, and refused otherwise.  The rotation that a camera notes (EXIF) is done.
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
from nnintro.wording import cause

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".bmp", ".webp")
PAGED = (".tif", ".tiff")
"""Files that may hold several images."""
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
SIGNED = 1 << 15
"""Added to signed numbers of 16 bits, so that the least of them is 0."""
MOST_PIXELS = 8192 * 8192
"""In one file; a file that says it has more is not decoded."""
ORIENTATION = 0x0112
"""EXIF's tag; from 5 on height and width are swapped."""
KINDS = {"1": 1, "L": 1, "P": 3, "RGB": 3, "RGBA": 3, "LA": 1, "PA": 3, "CMYK": 3, "YCbCr": 3}
"""Pillow's modes of 8 bits that are read -> channels."""
PILLOW_WARNS = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
"""The filter of warnings that Pillow's are not shown by: they do not say of which file."""
Pixels = NDArray[Any]
"""Of images: uint8, uint16 or float32."""


def place(path: Path) -> str:
    """A path as a message has it: in one line."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def refuse(path: Path, wanted: str, got: object) -> DataError:
    return DataError(f"{place(path)}: expected {wanted}, got {got}")


@dataclass(frozen=True)
class Header:
    """What a file declares before its pixels are decoded."""

    size: tuple[int, int]
    """Height and width, after the rotation that EXIF asks for."""
    orientation: int
    """EXIF's, 1 to 8; from 5 on rows become columns."""
    channels: int
    bits: int


def page_count(path: Path) -> int:
    """The images in a file: 1, or the pages of a TIFF file.

    Raises:
        DataError: it cannot be read.
    """
    if path.suffix.lower() not in PAGED:
        return 1
    with open_image(path) as image:
        return int(getattr(image, "n_frames", 1))


def read_header(path: Path, page: int = 0) -> Header:
    """Size and kind of an image or a mask.

    Raises:
        DataError: the file is not an image of a kind that is read, or too large.
    """
    # Not for threads, which share the filters of warnings.
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            with open_image(path, page, warned) as image:
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


def read_pixels(path: Path, page: int = 0) -> Pixels:
    """(channels, height, width) of an image, uint8, uint16 or, of 32 bits, float32; channels are 1 or 3.

    Raises:
        DataError: the file cannot be read, or has pixels of another kind.
    """
    with open_image(path, page) as image:
        raw = _raw_mode(image)
        decoded = without_alpha(path, decode(path, image))
        if _has_32_bits(decoded.mode, raw):
            numbers = np.asarray(decoded).astype(np.float32)[None]
            if not np.isfinite(numbers).all():
                _, row, column = np.argwhere(~np.isfinite(numbers))[0].tolist()
                got = f"{numbers[0, row, column]} in row {row + 1}, column {column + 1}"
                raise refuse(path, "finite numbers", f"{got}; replace such pixels by a number")
            return numbers
        if decoded.mode.startswith("I"):
            values = np.asarray(decoded)
            return (values.astype(np.int32) + SIGNED if ";16S" in raw else values).astype(np.uint16)[None]
        if KINDS[decoded.mode] == 1:
            return np.asarray(decoded.convert("L"))[None]
        return np.ascontiguousarray(np.asarray(decoded.convert("RGB")).transpose(2, 0, 1))


@contextlib.contextmanager
def open_image(path: Path, page: int = 0, warned: list[warnings.WarningMessage] | None = None) -> Iterator[ImageFile]:
    """The file, open at that page; whatever goes wrong in reading it is one error that names it.

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
                if page:
                    image.seek(page)
                yield image
    except NnintroError:
        raise
    except UnidentifiedImageError as error:
        what = "an empty file" if path.stat().st_size == 0 else "something else"
        with path.open("rb") as file:
            if file.read(4) in TIFF_STARTS:
                what = "a TIFF of a kind that Pillow cannot read, such as colours in floating point or five channels"
        why = [*_said(warned or []), *complaints]
        raise refuse(
            path, "a PNG, JPEG, TIFF, GIF, BMP or WebP image", f"{what}: {in_one_line(why)}" if why else what
        ) from error
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
    frames = 1 if image.format == "TIFF" else getattr(image, "n_frames", 1)
    if frames != 1:
        raise refuse(
            path, "one image in a file, or the pages of a TIFF", f"{frames}; save the one that is meant as PNG"
        )
    raw = _raw_mode(image)
    if image.mode in KINDS and ";16" not in raw:
        channels, bits = KINDS[image.mode], 8
    elif image.mode.startswith("I") and (";16" in raw or ";12" in raw):
        channels, bits = 1, 16
    elif _has_32_bits(image.mode, raw):
        channels, bits = 1, 32
    else:
        wanted = "gray of 8, 12, 16 or 32 bits, RGB or CMYK of 8 bits, or a palette"
        raise refuse(path, wanted, f"{_named(image.mode, raw)}; {_conversion(raw)}")
    orientation = orientation_of(image)
    swapped = orientation in range(5, 9)
    return Header((width, height) if swapped else (height, width), orientation, channels, bits)


def _raw_mode(image: ImageFile) -> str:
    """How pixels lie in a file that is not decoded yet: Pillow's mode is narrower (it makes colours of 16 bits 8)."""
    arguments = image.tile[0][3] if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _has_32_bits(mode: str, raw: str) -> bool:
    """Whether its numbers are taken as they are: floating point, or whole ones of 32 bits."""
    return mode == "F" or (mode == "I" and ";16" not in raw and ";12" not in raw)


def _named(mode: str, raw: str) -> str:
    return f"{raw.partition(';')[0]} of 16 bits" if ";16" in raw else mode


def _conversion(raw: str) -> str:
    """What to do about a kind that is not read."""
    return "save it with 8 bits per channel" if ";16" in raw else "save it as RGB"


def orientation_of(image: ImageFile) -> int:
    _look_over_exif(image)
    # A PNG may hold EXIF behind its pixels: getexif decodes all of it to see, twice the work.
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1
    orientation = int(image.getexif().get(ORIENTATION, 1))
    return orientation if orientation in range(1, 9) else 1


def _look_over_exif(image: ImageFile) -> None:
    """ValueError where the tags of a PNG's EXIF hold too much; those of a JPEG were looked at before."""
    if image.format == "PNG":
        raw = str(image.info.get("Raw profile type exif", "")).split("\n")[3:]
        for exif in (image.info.get("exif", b""), bytes.fromhex("".join(raw))):
            look_over_tags(io.BytesIO(exif.removeprefix(b"Exif\0\0")))


def decode(path: Path, image: ImageFile) -> Image:
    """All pixels of a file of a kind that is read, rotated as EXIF asks."""
    from PIL import ImageOps

    _checked_header(path, image)
    image.load()
    _look_over_exif(image)  # a PNG may have it behind its pixels
    return ImageOps.exif_transpose(image)


def without_alpha(path: Path, image: Image) -> Image:
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
