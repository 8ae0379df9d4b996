"""Files that are read: regular ones, and not more of them than was asked for."""

from __future__ import annotations

import os
import socket

import pytest

from nnintro.files import open_regular, read_bytes


def pipe(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def folder(path):
    path.mkdir()


def listener(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize("make", [pipe, device, folder, listener])
def test_only_regular_files_are_opened(make, tmp_path):
    make(tmp_path / "x")
    with pytest.raises(OSError, match=r"regular file|directory"):
        open_regular(tmp_path / "x")


def test_no_more_is_read_than_was_asked_for(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_bytes(path, 4)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="Linux has it")  # noqa: PTH110
def test_a_file_that_says_nothing_of_its_size(tmp_path):
    (tmp_path / "x").symlink_to("/proc/self/status")
    assert b"Name:" in read_bytes(tmp_path / "x", 1 << 20)
    with pytest.raises(OSError, match="more than 100 bytes"):
        read_bytes(tmp_path / "x", 100)
