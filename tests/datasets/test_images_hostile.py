"""Images that ask for hours or gigabytes are refused at once; what libtiff complains of is in the one line."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import time
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from nnintro.datasets.images import complaints
from nnintro.datasets.images.files import read_header, read_pixels
from nnintro.errors import DataError
from tests.datasets.bad_images import good_folder

SLOWEST = 5.0
"""Seconds; the bound that is promised is about 2 on a machine that does nothing else."""
PIXELS = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)


def saved(kind, **options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, **options)
    return file.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(chunks):
    """Behind the header."""
    data = saved("PNG")
    return data[:33] + chunks + data[33:]


def jpeg_with(segments):
    data = saved("JPEG")
    return data[:2] + segments + data[2:]


def tags_of(*entries, following=0):
    """A directory of tags: (number, type, count, value)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)


GRAY = (
    (256, 3, 1, 64),
    (257, 3, 1, 64),
    (258, 3, 1, 8),
    (259, 3, 1, 1),
    (262, 3, 1, 1),
    (273, 4, 1, 8),
    (279, 4, 1, 4096),
)


def tiff_of(*entries, size=0):
    return b"II*\0" + struct.pack("<I", 8) + tags_of(*entries) + bytes(size)


def retagged(data, number, value):
    """A TIFF with another value of one tag."""
    data = bytearray(data)
    (place,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, place)
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] == number:
            struct.pack_into("<I", data, entry + 8, value)
            return bytes(data)
    raise AssertionError(number)


def many_images():
    size = len(tags_of(*GRAY))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(tags_of(*GRAY, following=8 + k * size) for k in range(1, 20_000))


def many_scans():
    file = io.BytesIO()
    Image.fromarray(np.zeros((4096, 4096), np.uint8)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 2000 + data[-2:]


EXIF = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8)
OVERLAPPING = [(40_000 + k, 7, 50_000, 8) for k in range(5000)]
"""Each tag holds the same bytes."""
BOMBS = {
    "chunks.png": (png_with(chunk(b"tEXt", b"x\0y") * 1_000_000), "more than 100,000 chunks"),
    "empty.png": (png_with(chunk(b"IDAT", b"") * 1_000_000), "more than 100,000 chunks"),
    "text.png": (png_with(chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1 << 28)))), "too large"),
    "profile.png": (png_with(chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1 << 28)))), "too large"),
    "exif.png": (png_with(chunk(b"eXIf", EXIF[6:] + tags_of(*OVERLAPPING) + bytes(50_000))), "its tags hold"),
    "exif.jpg": (jpeg_with(b"\xff\xe1\xff\xff" + (EXIF + tags_of(*OVERLAPPING)).ljust(65_533, b"\0")), "its tags hold"),
    "header.jpg": (jpeg_with((b"\xff\xe1\xff\xff" + b"Exif\0\0II*\0".ljust(65_533, b"\0")) * 400), "before its pixels"),
    "scans.jpg": (many_scans(), "scans of 16,777,216 pixels"),
    "images.tif": (many_images(), "more than 1,000 images"),
    "strips.tif": (tiff_of(*GRAY[:5], (273, 4, 5_000_000, 200), (279, 4, 1, 9), size=20_000_000), "numbers or more"),
    "tags.tif": (
        tiff_of(*GRAY, *[(40_000 + k, 7, 9_000_000, 200) for k in range(1000)], size=9_100_000),
        "its tags hold",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("read", [read_header, read_pixels])
def test_bombs_are_refused_at_once(name, read, tmp_path):
    data, why = BOMBS[name]
    path = tmp_path / name
    path.write_bytes(data)
    started = time.process_time()
    with pytest.raises(DataError) as caught:
        read(path)
    assert time.process_time() - started < SLOWEST
    assert str(caught.value).startswith(f"{path}: the image cannot be read: ")
    assert why in str(caught.value)


LZW, DEFLATE = saved("TIFF", compression="tiff_lzw"), saved("TIFF", compression="tiff_adobe_deflate")
DAMAGED = {
    "short strip": (retagged(LZW, 279, 5), "not terminated with EOI code"),
    "strip behind the end": (retagged(LZW, 273, 1 << 31), "Read error on strip 0"),
    "fewer rows in a strip": (retagged(LZW, 278, 1), "Invalid strip byte count 0"),
    "another compression": (retagged(LZW, 259, 8), "Decoding error at scanline 0"),
    "compressed by JPEG": (retagged(LZW, 259, 7), "Not a JPEG file"),
    "higher": (retagged(LZW, 257, 4000), "Invalid strip byte count 0"),
    "bad compression": (DEFLATE[:8] + b"\xff" * 300 + DEFLATE[308:], "incorrect header check"),
    "compressed by LZMA": (retagged(LZW, 259, 34925), "file format not recognized (and 1 more)"),
}

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="libtiff is looked for on Linux")


@needs_linux
@pytest.mark.parametrize("name", DAMAGED)
def test_what_libtiff_says_is_in_the_message(name, tmp_path, capfd):
    data, complaint = DAMAGED[name]
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_pixels(path)
    assert str(caught.value).startswith(f"{path}: the image cannot be read: ")
    assert complaint in str(caught.value)
    assert capfd.readouterr().err == ""


def faulty_fax(path):
    """Readable, with a line that is wrong."""
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert("1").save(file, "TIFF", compression="group4")
    data = bytearray(file.getvalue())
    for place in range(40, min(len(data) - 300, 2000), 7):
        data[place] ^= 0x5A
    path.write_bytes(data)


@needs_linux
def test_a_complaint_of_a_readable_image_is_a_warning_once(tmp_path, capfd):
    complaints.warn_once.cache_clear()
    faulty_fax(tmp_path / "a.tif")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(3):
            assert read_pixels(tmp_path / "a.tif").shape == (1, 64, 64)
    (warning,) = warned
    assert "a.tif: Bad code word" in str(warning.message)
    assert capfd.readouterr().err == ""


def test_what_pillow_warns_of_names_the_file(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_of(*GRAY, (40_000, 7, 1 << 30, 200), size=5000))
    with pytest.warns(UserWarning, match=r"a\.tif: Tag data larger than file"):
        read_header(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_pixels(path).shape == (1, 64, 64)


CUT = saved("PNG")
OF_COMMANDS = {
    "a short strip": ("a.tif", DAMAGED["short strip"][0]),
    "a cut TIFF": ("a.tif", LZW[: len(LZW) // 2]),
    "a bad CRC": ("a.png", CUT[:60] + bytes([CUT[60] ^ 1]) + CUT[61:]),
    "a bad profile": ("a.png", png_with(struct.pack(">I", 3) + b"iCCPx\0\0" + b"\0\0\0\5")),
}


@needs_linux
@pytest.mark.parametrize("name", OF_COMMANDS)
def test_a_command_says_one_line(name, tmp_path):
    folder = good_folder(tmp_path / "cells")
    file, data = OF_COMMANDS[name]
    (folder / "images" / f"0{file}").write_bytes(data)
    Image.fromarray((PIXELS > 99).astype(np.uint8)).save(folder / "masks" / "0a.png")
    (tmp_path / "a.yaml").write_text("dataset: {kind: images, path: cells, size: [12, 10]}\nmodel: {kind: unet}\n")
    done = subprocess.run(
        [sys.executable, "-m", "nnintro", "train", "a.yaml", "--smoke"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert f"0{file}: " in done.stderr


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_only_regular_files_are_opened(kind, tmp_path):
    path = tmp_path / "a.png"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    for read in (read_header, read_pixels):
        with pytest.raises(DataError, match="it is not a regular file"):
            read(path)
