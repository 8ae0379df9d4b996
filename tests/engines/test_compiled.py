"""The kernel's cache: shared by processes, bound to its source, and never in the way."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nnintro.engines import compiled
from nnintro.errors import NnintroError
from tests.cli.conftest import ROOT
from tests.support import config

TRAINING = """
import sys, hashlib, nnintro, warnings
warnings.simplefilter("error")
from tests.support import config
values = config(precision="float32", training={"engine": "fused"}, name="run")
run = nnintro.train(values, runs_dir=sys.argv[1], quiet=False)
assert not {"numba", "scipy"} & set(sys.modules)
print(hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in run.model.parameters()))
      .hexdigest())
"""


def start(folder, cache):
    environment = {**os.environ, "NNINTRO_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(folder)],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_start_at_once_on_an_empty_cache(tmp_path):
    several = [start(tmp_path / f"{i}", tmp_path / "cache") for i in range(2)]
    found = [process.communicate(timeout=300) for process in several]
    assert [process.returncode for process in several] == [0, 0], found
    # At least the first to look; the other may have been slower to start than that to compile.
    assert any("compiling the fused engine for float32, once: about" in e for _, e in found)
    later = start(tmp_path / "later", tmp_path / "cache")
    out, err = later.communicate(timeout=300)
    assert "compiling" not in err
    assert len(out.strip()) == 64
    assert {out for out, _ in found} == {out}
    (folder,) = (tmp_path / "cache").glob("kernel-*")
    assert [path.name for path in folder.iterdir()] == ["float32.o"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_for_the_compiler(number, tmp_path):
    """At once, with the exit code of the signal, and with nothing left behind."""
    (tmp_path / "a.yaml").write_text(json.dumps(config(training={"engine": "fused"})))
    process = subprocess.Popen(
        [sys.executable, "-m", "nnintro", "train", "a.yaml"],
        env={**os.environ, "NNINTRO_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with process:
        lines = iter(process.stderr.readline, "")
        assert any("compiling the fused engine" in line for line in lines)
        time.sleep(1.0)  # the compiler's process is running now
        process.send_signal(number)
        begun = time.monotonic()
        _, err = process.communicate(timeout=60)
    assert time.monotonic() - begun < 4  # it takes longer than that to compile
    assert process.returncode in (-number, 128 + number)
    assert "Traceback" not in err
    (folder,) = (tmp_path / "cache").glob("kernel-*")
    assert not any(path.is_file() for path in folder.rglob("*"))
    assert not list(tmp_path.glob("runs/*/config.yaml"))


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A cache of its own, and a compiler that says when it is called and takes no time."""
    compiled.cache_folder.cache_clear()
    monkeypatch.setenv("NNINTRO_CACHE_DIR", str(tmp_path / "cache"))
    calls = []

    def compiler(dtype, path, interrupted):
        calls.append(dtype.name)
        path.write_bytes(b"code")

    monkeypatch.setattr(compiled, "_compile", compiler)
    monkeypatch.setattr(compiled, "_function", lambda code: code)
    yield calls
    compiled.cache_folder.cache_clear()


def load(said):
    return compiled.load_kernel(np.dtype("float32"), said.append, lambda: False)


def test_compiled_once_and_announced_once(fresh):
    said = []
    assert [load(said), load(said)] == [b"code", b"code"]
    assert fresh == ["float32"]
    assert said == ["compiling the fused engine for float32, once: about fifteen seconds"]


@pytest.mark.parametrize("damage", [b"", b"x", "cut", "flipped"])
def test_a_damaged_file_is_compiled_anew(fresh, damage):
    load([])
    path = compiled.cache_folder() / "float32.o"
    whole = path.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    path.write_bytes({"cut": whole[:-1], "flipped": flipped}.get(damage, damage))
    assert load([]) == b"code"
    assert len(fresh) == 2
    assert path.read_bytes() == whole


def test_a_folder_that_cannot_be_written(fresh, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNINTRO_CACHE_DIR", str(tmp_path / "file"))
    said = []
    assert load(said) == load(said) == b"code"
    assert len(fresh) == 2
    assert all("each time, for no folder can be written to keep it in" in line for line in said)


def test_a_compiled_kernel_in_a_folder_that_may_only_be_read(fresh, monkeypatch):
    """One that an administrator shares with a course, say."""
    load([])
    monkeypatch.setattr(compiled, "_writable", lambda _: None)
    said = []
    assert load(said) == b"code"
    assert said == []
    assert len(fresh) == 1


def test_a_compiler_that_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled, "SOURCES", tmp_path / "a" / "b" / "c")
    monkeypatch.setattr(compiled, "__package__", "nowhere")
    with pytest.raises(NnintroError) as error:
        compiled._compile(np.dtype("float32"), tmp_path / "kernel.o", lambda: False)
    assert "cannot be compiled on this machine: " in str(error.value)
    assert "No module named 'nowhere'" in str(error.value)
    assert "--set training.engine=autograd" in str(error.value)


def test_a_changed_source_is_another_folder(fresh, tmp_path, monkeypatch):
    before = compiled.cache_folder()
    copied = tmp_path / "sources"
    copied.mkdir()
    for path in compiled.SOURCES.glob("*.py"):
        (copied / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(compiled, "SOURCES", copied)
    compiled.cache_folder.cache_clear()
    assert compiled.cache_folder() == before
    (copied / "layers.py").write_text("# changed")
    compiled.cache_folder.cache_clear()
    assert compiled.cache_folder() != before


def test_the_homes_cache_by_default(fresh, monkeypatch, tmp_path):
    monkeypatch.delenv("NNINTRO_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compiled.cache_folder().parent == Path(tmp_path) / "nnintro"


@pytest.mark.parametrize("where", ["file", "folder", "above"])
def test_what_others_may_write_is_not_loaded(where, fresh):
    load([])
    path = compiled.cache_folder() / "float32.o"
    place = {"file": path, "folder": path.parent, "above": path.parent.parent}[where]
    place.chmod(0o666 if where == "file" else 0o777)
    said = []
    assert load(said) == b"code"
    assert len(fresh) == 2
    (line,) = said
    if where != "file":  # which is made anew, for this user alone
        assert f"each time, for others may write to {place}" in line
    else:
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("where", ["file", "folder", "above"])
def test_what_somebody_else_owns_is_not_loaded(where, fresh, monkeypatch):
    """Only root can give files away, so the answer of stat is changed."""
    load([])
    path = compiled.cache_folder() / "float32.o"
    place = {"file": path, "folder": path.parent, "above": path.parent.parent}[where]
    held, is_open = place.stat(), compiled._is_open

    def given_away(status):
        theirs = os.stat_result((*status[:4], 12345, *status[5:]))
        return is_open(theirs if os.path.samestat(status, held) else status)

    monkeypatch.setattr(compiled, "_is_open", given_away)
    assert load([]) == b"code"
    assert len(fresh) == 2


@pytest.mark.parametrize("kind", ["fifo", "folder", "link"])
def test_something_else_in_the_place_of_the_object_file(kind, fresh, tmp_path):
    load([])
    path = compiled.cache_folder() / "float32.o"
    kept = path.read_bytes()
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        (tmp_path / "elsewhere").write_bytes(kept)
        path.symlink_to(tmp_path / "elsewhere")
    assert load([]) == b"code"
    assert len(fresh) == 2


@pytest.mark.parametrize("kind", ["fifo", "short", "missing", "another"])
def test_something_else_in_the_place_of_the_key(kind, fresh):
    load([])
    path = compiled.cache_folder().parent / "key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind != "missing":
        path.write_bytes(b"x" * (5 if kind == "short" else 32))
        path.chmod(0o600)
    assert [load([]), load([])] == [b"code", b"code"]
    assert len(fresh) == 2


def test_an_object_file_with_a_digest_of_its_own_is_not_linked(fresh):
    """The linker ends the process over what is no object file."""
    load([])
    path = compiled.cache_folder() / "float32.o"
    path.write_bytes(hashlib.sha256(b"garbage").digest() + b"garbage")
    assert load([]) == b"code"
    assert len(fresh) == 2


def test_without_a_home_there_is_no_cache_beside_the_data(fresh, monkeypatch, tmp_path):
    """An object file that lies in the folder ``~`` of a stranger's project must not run."""
    monkeypatch.delenv("NNINTRO_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # no HOME and no entry in passwd
    monkeypatch.chdir(tmp_path)
    compiled.cache_folder.cache_clear()
    assert not compiled.cache_folder().is_absolute()
    said = []
    assert load(said) == load(said) == b"code"
    assert len(fresh) == 2
    assert not (tmp_path / "~").exists()
    assert all("each time, for no folder can be written to keep it in" in line for line in said)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_folders_are_made_for_this_user_alone(umask, fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("NNINTRO_CACHE_DIR", str(tmp_path / "a/b/c"))
    compiled.cache_folder.cache_clear()
    before = os.umask(umask)
    try:
        load([])
    finally:
        os.umask(before)
    folder = compiled.cache_folder()
    for place in (folder, *list(folder.parents)[:3]):
        assert place.stat().st_mode & 0o777 == 0o700, place
