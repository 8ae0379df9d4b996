"""Whatever is wrong with a file of inputs or samples: one line, exit code 4, and no output."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path

import pytest

from nnintro.predict import inputs
from tests.cli.bad_tables import EVALUATE, PREDICT
from tests.support import PATIENCE


def parameters(table):
    return pytest.mark.parametrize(
        ("run", "name", "content", "message"), [row[1:] for row in table], ids=[row[0] for row in table]
    )


def test_the_tables_are_as_long_as_they_should_be():
    assert len(PREDICT) + len(EVALUATE) > 80
    assert len({(row[0], row[2]) for row in PREDICT}) == len(PREDICT)


@parameters(PREDICT)
def test_predict(command, runs, tmp_path, run, name, content, message):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "out.csv").write_text("before")
    done = command("predict", runs[run], name, "--output", "out.csv")
    assert (done.code, done.out, done.err) == (4, "", f"{message}\n")
    assert (tmp_path / "out.csv").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "out.csv"])


@parameters(EVALUATE)
def test_evaluate(command, runs, tmp_path, run, name, content, message):
    (tmp_path / name).write_bytes(content)
    done = command("evaluate", runs[run], "--dataset", name, "--json")
    assert (done.code, done.out, done.err) == (4, "", f"{message}\n")


def test_stdin_has_lines_too(command, runs, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x\n1\nn/a\n")))
    done = command("predict", runs["curve"], "-", "--format", "jsonl")
    assert done.code == 4
    assert done.err == "<stdin>:3: column 'x': expected a number, got 'n/a'\n"
    # It is in the same block as what came before it, and a block is answered as a whole.
    assert done.out == ""


@pytest.mark.parametrize("words", [("predict",), ("evaluate", "--dataset")])
class TestFiles:
    def test_missing(self, command, runs, words):
        done = command(words[0], runs["curve"], *words[1:], "nowhere.csv")
        assert (done.code, done.out) == (4, "")
        assert (
            done.err == f"nowhere.csv: cannot be read: No such file or directory; the current folder is {Path.cwd()}\n"
        )

    def test_a_folder(self, command, runs, tmp_path, words):
        (tmp_path / "folder").mkdir()
        done = command(words[0], runs["curve"], *words[1:], "folder")
        assert (done.code, done.out) == (4, "")
        assert done.err == "folder: cannot be read: Is a directory\n"

    def test_a_pipe_is_not_waited_for(self, process, runs, tmp_path, words):
        os.mkfifo(tmp_path / "a.csv")
        with process(words[0], runs["curve"], *words[1:], "a.csv") as running:
            out, err = running.communicate(timeout=PATIENCE)
        told = "a.csv: cannot be read: it is not a regular file\n"
        assert (running.returncode, out, err) == (4, "", told)

    def test_no_permission(self, command, runs, tmp_path, monkeypatch, words):
        # Root may read any file.
        (tmp_path / "a.csv").write_text("x,y\n1,2\n")
        plain = os.open

        def refusing(path, *arguments, **options):
            if path == "a.csv":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return plain(path, *arguments, **options)

        monkeypatch.setattr(os, "open", refusing)
        done = command(words[0], runs["curve"], *words[1:], "a.csv")
        assert (done.code, done.out) == (4, "")
        assert done.err == "a.csv: cannot be read: Permission denied\n"

    def test_a_disk_that_fails(self, command, runs, tmp_path, monkeypatch, words):
        (tmp_path / "a.csv").write_text("x,y\n1,2\n")
        monkeypatch.setattr(inputs, "CHUNK", Failing())
        done = command(words[0], runs["curve"], *words[1:], "a.csv")
        assert (done.code, done.out) == (4, "")
        assert done.err == "a.csv: cannot be read: Input/output error\n"


class Failing:
    """A number of bytes that no disk delivers."""

    def __index__(self):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
