"""Look over the parts of an image file before Pillow reads it: how many there are, and how much they hold.

Pillow bounds pixels and texts. It reads every tag, chunk, segment and scan that a file has, and a file of some
megabytes may have millions of them, or tags that all lie over the same bytes.
"""

from __future__ import annotations

import io
import os
import struct
from typing import IO

MIB = 1 << 20
MOST_PARTS = 100_000
"""Chunks of a PNG, segments of a JPEG."""
MOST_HEADER = 16 * MIB
"""Bytes of a JPEG before its first scan."""
MOST_SCANNED = 32 * 8192 * 8192
"""Pixels of a JPEG times its scans: each goes over all of them."""
MOST_NUMBERS = 1_000_000
"""In the tags of a TIFF; tiles of 16 x 16 make half of it."""
MOST_TAGS = 64 * MIB
"""Bytes in the tags of a TIFF."""
MOST_FRAMES = 1000
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
"""Bytes of each type of tag."""
_BYTES = (1, 2, 6, 7)
"""Types that are taken as they are, and not number by number."""
_ALONE = (0x01, *range(0xD0, 0xDA))
"""Markers of a JPEG without a length."""
_START_OF_SCAN = 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers that say height and width."""


def look_over(file: IO[bytes]) -> None:
    """Count the parts of a PNG, JPEG or TIFF; what is damaged is left for Pillow to say.

    Raises:
        ValueError: they are too many, or hold too much.
    """
    file.seek(0)
    start = file.read(4)
    try:
        if start == b"\x89PNG":
            _look_over_chunks(file)
        elif start.startswith(b"\xff\xd8"):
            _look_over_segments(file)
        else:
            look_over_tags(file)
    except (struct.error, OverflowError):
        pass  # cut off, or a place that no file has: Pillow says what it misses
    file.seek(0)


def _look_over_chunks(file: IO[bytes]) -> None:
    place = 8
    for _ in range(MOST_PARTS):
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"IEND":
            return
        place += 12 + length
    raise ValueError(f"it has more than {MOST_PARTS:,} chunks")


def _look_over_segments(file: IO[bytes]) -> None:
    exif, place, pixels = [], 2, 0
    for _ in range(MOST_PARTS):
        file.seek(place)
        mark, kind = struct.unpack("BB", file.read(2))
        if mark != 0xFF or place > MOST_HEADER or kind == _START_OF_SCAN:
            break
        if kind == 0xFF or kind in _ALONE:  # 0xFF: a byte that fills
            place += 1 if kind == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", file.read(2))
        segment = file.read(max(0, length - 2))
        if kind in _FRAMES:
            height, width = struct.unpack(">HH", segment[1:5])
            pixels = max(pixels, height * width)
        if segment.startswith(b"Exif\0\0"):
            exif.append(segment[6:])  # Pillow joins them
        if segment.startswith(b"MPF\0"):
            look_over_tags(io.BytesIO(segment[4:]))
        place += 2 + length
    else:
        raise ValueError(f"it has more than {MOST_PARTS:,} segments")
    if place > MOST_HEADER:
        raise ValueError(f"more than {MOST_HEADER:,} bytes stand before its pixels")
    look_over_tags(io.BytesIO(b"".join(exif)))
    scans = _count(file, place, bytes((0xFF, _START_OF_SCAN)))
    if scans * pixels > MOST_SCANNED:
        raise ValueError(f"it has {scans:,} scans of {pixels:,} pixels")


def _count(file: IO[bytes], place: int, mark: bytes) -> int:
    """How often two bytes stand in the rest of a file."""
    file.seek(place)
    count, last = 0, b""
    while piece := file.read(MIB):
        count += (last + piece).count(mark)
        last = piece[-1:]
    return count


def look_over_tags(file: IO[bytes]) -> None:
    """Count what the tags of a TIFF, or of EXIF, hold; nothing where it is neither.

    Raises:
        ValueError: they hold more than the file, or too much, or are of too many images.
    """
    file.seek(0)
    start = file.read(16)
    if start[:2] not in (b"II", b"MM") or len(start) < 8:
        return
    order, big = "<" if start[:2] == b"II" else ">", 43 in start[2:4]
    counted, entry, offset = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    (place,) = struct.unpack_from(order + offset, start, 8 if big else 4)
    length = file.seek(0, os.SEEK_END)
    seen: set[int] = set()
    held = numbers = 0
    while 0 < place < length and place not in seen:
        seen.add(place)
        file.seek(place)
        (count,) = struct.unpack(order + counted, file.read(struct.calcsize(order + counted)))
        tags = file.read(min(count * struct.calcsize(order + entry), length))
        for _, kind, many, _ in struct.iter_unpack(order + entry, tags):
            size = many * _SIZES.get(kind, 0)
            held += size if size <= length else 0  # Pillow passes over what the file cannot hold
            numbers += many if size <= length and kind not in _BYTES else 0
            _require_few(held, numbers, length)
        if len(seen) > MOST_FRAMES:
            raise ValueError(f"it has more than {MOST_FRAMES:,} images")
        (place,) = struct.unpack(order + offset, file.read(struct.calcsize(order + offset)))


def _require_few(held: int, numbers: int, length: int) -> None:
    if held > min(length, MOST_TAGS):
        raise ValueError(f"its tags hold {held:,} bytes or more, and the file has {length:,}")
    if numbers > MOST_NUMBERS:
        raise ValueError(f"its tags hold {numbers:,} numbers or more")
