"""``nnintro export``, from the words typed to the file and the exit code."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

import nnintro
from nnintro.exports import FORMATS, onnx
from tests.exports.conftest import PROGRAMS
from tests.support import config

every_format = pytest.mark.parametrize("format", FORMATS)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return nnintro.train(config(name="small"), runs_dir=tmp_path_factory.mktemp("runs")).directory


@pytest.fixture
def run(command, trained, tmp_path):
    """``runs/small`` below the current folder."""
    shutil.copytree(trained, tmp_path / "runs/small")
    return "runs/small"


@pytest.fixture
def files(tmp_path):
    """All files below the current folder, with their bytes."""

    def look():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    return look


@every_format
def test_the_path_to_stdout_and_the_check_to_stderr(command, run, tmp_path, format):
    done = command("export", run, "--format", format)
    suffix = FORMATS[format].suffix
    assert (done.code, done.out) == (0, f"runs/small/small{suffix}\n")
    (line,) = done.err.splitlines()
    assert line.startswith(f"runs/small/small{suffix}: takes float64; read back and run on 84 ")
    assert "1, 2, 17 and 64 at a time: largest difference " in line
    x = np.linspace(-1, 1, 5)[:, None]
    found = PROGRAMS[format](tmp_path / done.out.strip(), x)
    assert np.abs(found - nnintro.load(run).predict(x).numpy()).max() < 1e-12


def test_the_suffix_is_format_enough_and_replaces_what_was_there(command, run, tmp_path):
    (tmp_path / "net.onnx").write_text("before")
    done = command("export", run, "--output", "net.onnx")
    assert (done.code, done.out) == (0, "net.onnx\n")
    assert PROGRAMS["onnx"](tmp_path / "net.onnx", np.zeros((1, 1))).shape == (1, 1)


def test_a_run_is_known_by_its_folder_wherever_one_stands(command, run, monkeypatch):
    monkeypatch.chdir(run)
    assert command("export", ".", "--format", "onnx").out == "small.onnx\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say which --format: onnx, torch or safetensors, or let --output end in .onnx, "
             ".pt2 or .safetensors"),
        (["--format", "onxx"], "--format: expected onnx, torch or safetensors, got 'onxx'; did you "
             "mean 'onnx'?"),
        (["--output", "net.bin"], "net.bin: the suffix names no format: onnx, torch or "
             "safetensors, or let --output end in .onnx, .pt2 or .safetensors"),
        (["--format", "onnx", "--output", "net.pt2"],
             "net.pt2: a file of --format onnx does not end in .pt2"),
    ],
)  # fmt: skip
def test_wrong_words(command, run, files, words, message):
    before = files()
    done = command("export", run, *words)
    assert (done.code, done.out, done.err) == (2, "", message + "\n")
    assert files() == before


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("nowhere/net.onnx", "No such file or directory"),
        ("folder.onnx", "Is a directory"),
        ("runs/small/config.yaml/net.onnx", "Not a directory"),
    ],
)
def test_places_where_no_file_can_be(command, run, files, tmp_path, output, cause):
    (tmp_path / "folder.onnx").mkdir()
    before = files()
    done = command("export", run, "--output", output)
    assert (done.code, done.out, done.err) == (2, "", f"cannot write {output}: {cause}\n")
    assert files() == before


def test_a_pipe_is_not_replaced_and_a_link_stays_one(command, run, tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    done = command("export", run, "--output", "pipe.onnx")
    assert (done.code, done.err) == (2, "cannot write pipe.onnx: it is not a regular file\n")
    assert (tmp_path / "pipe.onnx").is_fifo()
    (tmp_path / "link.onnx").symlink_to("real.onnx")
    assert command("export", run, "--output", "link.onnx").out == "link.onnx\n"
    assert (tmp_path / "link.onnx").is_symlink()
    assert (tmp_path / "real.onnx").is_file()


def test_the_default_place_may_be_a_folder_too(command, run, tmp_path):
    (tmp_path / run / "small.onnx").mkdir()
    done = command("export", run, "--format", "onnx")
    assert (done.code, done.err) == (2, "cannot write runs/small/small.onnx: Is a directory\n")


def test_a_folder_that_may_not_be_written(command, run, tmp_path, monkeypatch):
    """Refused by hand: root, who runs these tests in many a container, may write anywhere."""
    open_ = Path.open

    def refuse(path, mode="r", *rest, **more):
        if path.parent.name == "locked" and "w" in mode:
            raise PermissionError(13, "Permission denied", str(path))
        return open_(path, mode, *rest, **more)

    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(Path, "open", refuse)
    done = command("export", run, "--output", "locked/net.onnx")
    assert (done.code, done.err) == (6, "cannot write locked/net.onnx: Permission denied\n")
    assert list((tmp_path / "locked").iterdir()) == []


class TestNoRun:
    def test_nothing_there(self, command):
        done = command("export", "runs/none", "--format", "onnx")
        assert (done.code, done.out, done.err) == (
            6,
            "",
            f"runs/none: no such run; the current folder is {Path.cwd()}\n",
        )

    def test_a_damaged_checkpoint(self, command, run, tmp_path):
        (checkpoint,) = (tmp_path / run / "checkpoints").glob("*.pt")
        checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
        done = command("export", run, "--format", "onnx")
        assert (done.code, done.out) == (6, "")
        assert "is damaged" in done.err
        assert len(done.err.splitlines()) == 1
        assert not (tmp_path / run / "small.onnx").exists()


@pytest.mark.parametrize("package", ["onnx", "safetensors"])
def test_a_missing_package(command, run, files, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    before = files()
    done = command("export", run, "--format", package)
    assert (done.code, done.out) == (2, "")
    message = f"nnintro export --format {package} needs {package}: pip install 'nnintro[export]'"
    assert done.err == message + "\n"
    assert files() == before


def test_a_file_that_computes_something_else(command, run, files, monkeypatch):
    load = onnx.load
    monkeypatch.setattr(onnx, "load", lambda path: lambda x: load(path)(x) + 1e-3)
    before = files()
    done = command("export", run, "--format", "onnx")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "the file does not compute what the network computes: on 84 inputs the largest difference "
        "is 1.0e-03, and rounding explains 1.0e-12\n"
    )
    assert files() == before


def test_ctrl_c_leaves_nothing(command, run, files, monkeypatch):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(onnx, "load", interrupted)
    before = files()
    done = command("export", run, "--format", "onnx")
    assert (done.code, done.out, done.err) == (130, "", "")
    assert files() == before


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_other_signals_leave_nothing_either(command, run, files, monkeypatch, name, code):
    def terminated(path):
        os.kill(os.getpid(), getattr(signal, name))
        raise AssertionError("nobody listened")

    monkeypatch.setattr(onnx, "load", terminated)
    handler, before = signal.getsignal(getattr(signal, name)), files()
    done = command("export", run, "--format", "onnx")
    assert (done.code, done.out, done.err) == (code, "", "")
    assert files() == before
    assert signal.getsignal(getattr(signal, name)) == handler


@every_format
def test_a_process_says_no_more_than_that(process, run, format):
    """No warning and no progress of a library, whatever filters are set."""
    env = {**os.environ, "PYTHONWARNINGS": "always"}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    with process("export", run, "--format", format, env=env) as running:
        out, err = running.communicate(timeout=120)
    assert (running.returncode, out) == (0, f"runs/small/small{FORMATS[format].suffix}\n")
    assert len(err.splitlines()) == 1, err


def test_a_full_disk(process, run, files):
    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    before = files()
    with process("export", run, "--format", "onnx", preexec_fn=small_disk) as running:
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (6, "")
    assert err == "cannot write runs/small/small.onnx: File too large\n"
    assert files() == before


def test_wrong_words_need_no_torch(process, tmp_path):
    script = "raise ImportError('torch was asked for')"
    (tmp_path / "torch.py").write_text(script)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    (tmp_path / "runs/small/checkpoints").mkdir(parents=True)
    (tmp_path / "runs/small/config.yaml").touch()
    with process("export", "runs/small", "--format", "onxx", env=env) as running:
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (2, "")
    expected = "expected onnx, torch or safetensors, got 'onxx'; did you mean 'onnx'?"
    assert err == f"--format: {expected}\n"
