"""The kernel's cache: shared by processes, bound to its source, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnintro.engines import compiled
from tests.cli.conftest import ROOT

TRAINING = """
import sys, hashlib, nnintro, warnings
warnings.simplefilter("error")
from tests.support import config
values = config(precision="float32", training={"engine": "fused"}, name="run")
run = nnintro.train(values, runs_dir=sys.argv[1], quiet=False)
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
    assert list((tmp_path / "cache").glob("kernel-*/float32.compiled"))


@pytest.fixture
def fresh():
    compiled.cache_folder.cache_clear()
    yield
    compiled.cache_folder.cache_clear()


def test_a_folder_that_cannot_be_written(fresh, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NNINTRO_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(tmp_path))
    folder = compiled.cache_folder()
    assert folder.is_dir()
    assert folder.parent == tmp_path
    said = []
    monkeypatch.setattr(compiled, "_module", compiled_module)
    compiled.load_kernel(compiled.np.dtype("float32"), said.append)
    (line,) = said
    assert "each time, for no folder can be written to keep it in" in line


def compiled_module():
    from nnintro.engines.backpropagation import descend

    return descend


def test_a_changed_source_is_another_folder(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("NNINTRO_CACHE_DIR", str(tmp_path))
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
