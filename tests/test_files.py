"""Files that are read: regular ones, and not more of them than was asked for."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys

import pytest

from nnintro.files import open_regular, read_bytes, why_unread
from nnintro.temporary import remove_leftovers


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
    with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
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


KILLED = """
import os, signal, sys
from pathlib import Path
from nnintro.files import write_whole
from nnintro.temporary import temporary_folder
place = Path(sys.argv[1])
def stop(_):
    print("here", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
if sys.argv[2] == "file":
    write_whole(place / ("x" * 200), stop)
with temporary_folder(place, "y" * 200) as folder:
    (folder / "z").write_text("z")
    stop(folder)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_leaves_is_removed_once_it_is_dead(kind, tmp_path):
    (tmp_path / ".other.123.tmp").write_text("of another program")
    (tmp_path / ".x.nnintro-99999999999.tmp").write_text("no number of a process")
    link = tmp_path / ".x.nnintro-999999999.tmp"
    link.symlink_to(tmp_path / "nowhere")
    theirs = set(tmp_path.iterdir())
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), kind], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "here\n"
        remove_leftovers(tmp_path)
        assert len(set(tmp_path.iterdir()) - theirs) == 1, "its process is alive"
        process.kill()
    remove_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == theirs


def test_what_is_held_elsewhere_stays(tmp_path):
    """A process of another machine has a number that may be nobody's here; its lock is seen."""
    path = tmp_path / ".x.nnintro-999999999.tmp"
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        remove_leftovers(tmp_path)
        assert path.exists()
    remove_leftovers(tmp_path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("pirces.csv", "; did you mean prices.csv?"),
        ("prices.cvs", "; did you mean prices.csv?"),
        ("price.csv", "; did you mean prices.csv?"),
        ("new.csv", "; the current folder is {}"),
        ("none/prices.csv", "; the current folder is {}"),
    ],
)
def test_a_file_that_is_not_there(name, ending, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.csv").write_text("x\n1\n")
    (tmp_path / "prices.yaml").write_text("name: x\n")
    with pytest.raises(FileNotFoundError) as caught:
        open_regular(name)
    assert why_unread(name, caught.value) == "No such file or directory" + ending.format(tmp_path)


def test_a_config_is_not_proposed_for_its_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prices.yaml").write_text("name: x\n")
    error = FileNotFoundError(2, "No such file or directory")
    assert why_unread("prices.csv", error) == f"No such file or directory; the current folder is {tmp_path}"


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("data\\цены.csv", "; paths are written with / here, did you mean data/цены.csv?"),
        ("data\\\\цены.csv", "; paths are written with / here, did you mean data/цены.csv?"),
        ("other\\a.csv", "; paths are written with / here, such as other/a.csv"),
        ("C:\\Users\\Anna\\a.csv", "; paths are written with / here, such as /mnt/c/Users/Anna/a.csv"),
        ("{}/C:\\Users\\a.csv", "; paths are written with / here, such as /mnt/c/Users/a.csv"),
        ("“data/цены.csv”", "; the quotes in “data/цены.csv” are typographic and a part of the name"),
        ("{}/«цены.csv»", "are typographic and a part of the name: type straight ones, ' or \""),
        ("https:/a.org/b.csv", "; nothing is downloaded: expected a file that is here"),
        ("data/l’été.csv", "; the current folder is {}"),
    ],
)
def test_a_path_of_another_system_is_explained(name, ending, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/цены.csv").touch()
    name = name.format(tmp_path)
    with pytest.raises(FileNotFoundError) as caught:
        open_regular(name)
    text = why_unread(name, caught.value)
    assert text.startswith("No such file or directory; ")
    assert ending.format(tmp_path) in text
