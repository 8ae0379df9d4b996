"""Checkpoints: whole or not at all, and believed only as far as their SHA-256 goes."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import random
import zipfile
from pathlib import Path

import pytest
import torch

from nnintro.errors import CheckpointError
from nnintro.files import write_whole
from nnintro.runs import checkpoint
from nnintro.runs.checkpoint import has_checkpoint, load_checkpoint, save_checkpoint

"""No process has this number: Linux counts to 4,194,304."""
STATE = {"model": {"weight": torch.arange(6.0).reshape(2, 3)}, "epoch": 1.5}


@pytest.fixture
def run(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    save_checkpoint(tmp_path, 40, STATE)
    return tmp_path


def point_to(run, data, name="step-40.pt"):
    """Put ``data`` in the checkpoint's place, with a manifest that vouches for it."""
    (run / "checkpoints" / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    manifest = {"file": name, "step": 40, "sha256": digest}
    (run / "checkpoints/latest.json").write_text(json.dumps(manifest))


def test_what_is_saved_comes_back(run):
    state = load_checkpoint(run).state
    assert torch.equal(state["model"]["weight"], STATE["model"]["weight"])
    assert (state["epoch"], state["step"]) == (1.5, 40)


def test_the_manifest_names_the_file_and_its_digest(run):
    latest = json.loads((run / "checkpoints/latest.json").read_text())
    data = (run / "checkpoints/step-40.pt").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert latest == {"file": "step-40.pt", "step": 40, "sha256": digest, "bytes": len(data), "previous": []}
    names = {path.name for path in (run / "checkpoints").iterdir()}
    assert names == {"latest.json", "step-40.pt"}


def test_the_same_state_is_the_same_bytes_wherever_it_is_saved(run, tmp_path_factory):
    other = tmp_path_factory.mktemp("another-name")
    (other / "checkpoints").mkdir()
    save_checkpoint(other, 40, STATE)
    first, second = (folder / "checkpoints/step-40.pt" for folder in (run, other))
    assert first.read_bytes() == second.read_bytes()


def test_latest_names_the_newest(run):
    save_checkpoint(run, 80, {**STATE, "epoch": 3.0})
    assert load_checkpoint(run).state["step"] == 80
    assert (run / "checkpoints/step-40.pt").exists()


def test_every_flipped_bit_is_noticed(run):
    path = run / "checkpoints/step-40.pt"
    whole, source = path.read_bytes(), random.Random(0)
    for _ in range(1000):
        data, place = bytearray(whole), source.randrange(len(whole))
        data[place] ^= 1 << source.randrange(8)
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match=r"step-40\.pt is damaged: its SHA-256"):
            load_checkpoint(run)
    path.write_bytes(whole)
    assert load_checkpoint(run).state["step"] == 40


def test_every_truncation_is_noticed(run):
    """Each length in the archive's first and last kilobyte, and some of those between."""
    path = run / "checkpoints/step-40.pt"
    whole = path.read_bytes()
    lengths = {*range(1000), *range(1000, len(whole), 97), *range(len(whole) - 1000, len(whole))}
    for length in lengths:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="is damaged"):
            load_checkpoint(run)
    assert len(lengths) > 1500


def test_the_one_before_is_used_and_the_damage_told(run):
    save_checkpoint(run, 80, STATE)
    path = run / "checkpoints/step-80.pt"
    for damage in (path.read_bytes()[:-1], b"", None):
        path.unlink() if damage is None else path.write_bytes(damage)
        loaded = load_checkpoint(run)
        assert loaded.state["step"] == 40
        assert loaded.path.name == "step-40.pt"
        (told,) = loaded.damaged
        assert "step-80.pt" in told


def test_only_so_many_are_kept(run):
    (run / "checkpoints/.step-60.pt.1.tmp").write_bytes(b"half written")
    (run / "checkpoints/step-50.pt").write_bytes(b"never named")
    for step in (80, 120, 160):
        save_checkpoint(run, step, STATE, keep=3)
    names = {path.name for path in (run / "checkpoints").iterdir()}
    assert names == {"latest.json", "step-80.pt", "step-120.pt", "step-160.pt"}
    latest = json.loads((run / "checkpoints/latest.json").read_text())
    assert [entry["step"] for entry in latest["previous"]] == [120, 80]


def test_the_same_update_twice_never_overwrites_what_counts(run, monkeypatch):
    """Until the manifest is renewed, the earlier one counts; then it is replaced, not kept."""
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_json", lambda *_: (_ for _ in ()).throw(CheckpointError))
        with pytest.raises(CheckpointError):
            save_checkpoint(run, 40, {**STATE, "epoch": 2.0})
    assert load_checkpoint(run).state["epoch"] == 1.5
    assert save_checkpoint(run, 40, {**STATE, "epoch": 2.0}).name == "step-40-2.pt"
    assert load_checkpoint(run).state["epoch"] == 2.0
    names = {path.name for path in (run / "checkpoints").iterdir()}
    assert names == {"latest.json", "step-40-2.pt"}


def test_before(run):
    save_checkpoint(run, 80, STATE)
    assert load_checkpoint(run, before=80).state["step"] == 40
    with pytest.raises(CheckpointError, match="no checkpoint of fewer than 40 updates is kept"):
        load_checkpoint(run, before=40)


def test_a_manifest_that_lies_about_the_update(run):
    manifest = json.loads((run / "checkpoints/latest.json").read_text())
    (run / "checkpoints/latest.json").write_text(json.dumps({**manifest, "step": 41}))
    with pytest.raises(CheckpointError, match=r"step-40\.pt is of update 40, and latest\.json says 4"):
        load_checkpoint(run)


def test_a_zip_whose_names_lead_elsewhere_writes_nothing(run, tmp_path_factory):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("../../escaped", "/tmp/nnintro-escaped", "../data.pkl", "data.pkl"):
            file.writestr(name, b"data")
    point_to(run, archive.getvalue())
    before = set(run.parent.rglob("*"))
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        load_checkpoint(run)
    assert set(run.parent.rglob("*")) == before
    assert not Path("/tmp/nnintro-escaped").exists()


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("dump", ["pickle", "torch"])
def test_a_foreign_pickle_is_refused_and_not_executed(run, dump):
    trap = run / "executed"
    if dump == "pickle":
        data = pickle.dumps({"format": 2, "step": 40, "model": Malicious(trap)})
    else:
        torch.save({"format": 2, "step": 40, "model": Malicious(trap)}, run / "foreign.pt")
        data = (run / "foreign.pt").read_bytes()
    point_to(run, data)
    with pytest.raises(CheckpointError, match=r"step-40\.pt is not a checkpoint"):
        load_checkpoint(run)
    assert not trap.exists()


@pytest.mark.parametrize("data", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_a_foreign_file(run, data):
    point_to(run, data)
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        load_checkpoint(run)


def test_another_format(run):
    torch.save({"format": 99}, run / "other.pt")
    point_to(run, (run / "other.pt").read_bytes())
    with pytest.raises(CheckpointError, match="is not a checkpoint of this version of nnintro"):
        load_checkpoint(run)


@pytest.mark.parametrize("name", ["../step-40.pt", "/etc/passwd", "..", ".", "a/../step-40.pt", ""])
def test_a_manifest_cannot_point_elsewhere(run, name):
    data = (run / "checkpoints/step-40.pt").read_bytes()
    (run / "step-40.pt").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    manifest = {"file": name, "step": 40, "sha256": digest}
    (run / "checkpoints/latest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="is not the name of a file beside it"):
        load_checkpoint(run)


NO_MANIFESTS = ["", "{", "[]", "{}", '{"file": "step-40.pt"}', "[" * 100_000]


@pytest.mark.parametrize("text", NO_MANIFESTS)
def test_a_manifest_that_makes_no_sense(run, text):
    """The checkpoint beside it is whole, and says its own step."""
    state = load_checkpoint(run).state
    (run / "checkpoints/latest.json").write_text(text)
    found = load_checkpoint(run)
    assert (found.path.name, found.state["step"]) == ("step-40.pt", 40)
    assert found.state.keys() == state.keys()
    (said,) = found.damaged
    assert "latest.json: no readable checkpoint here" in said
    assert has_checkpoint(run)
    assert has_checkpoint(run, before=41)
    assert not has_checkpoint(run, before=40)


@pytest.mark.parametrize("text", NO_MANIFESTS)
def test_no_manifest_and_no_whole_checkpoint(run, text):
    (run / "checkpoints/latest.json").write_text(text)
    path = run / "checkpoints/step-40.pt"
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    with pytest.raises(
        CheckpointError, match=r"latest\.json: no readable checkpoint here.*step-40\.pt is not a checkpoint"
    ):
        load_checkpoint(run)
    path.rename(path.with_name("step-39.pt")).write_bytes(whole)  # it says another step than its name
    with pytest.raises(CheckpointError, match=r"step-39\.pt is of update 40"):
        load_checkpoint(run)
    path.with_name("step-39.pt").unlink()
    with pytest.raises(CheckpointError, match=r"latest\.json: no readable checkpoint here"):
        load_checkpoint(run)


def test_without_a_manifest_the_newest_that_loads(run):
    folder = run / "checkpoints"
    save_checkpoint(run, 80, {"model": {}}, keep=3)
    save_checkpoint(run, 120, {"model": {}}, keep=3)
    (folder / "latest.json").write_text("")
    (folder / "step-120.pt").write_bytes((folder / "step-120.pt").read_bytes()[:100])
    (folder / "step-extra.pt").write_bytes(b"")
    found = load_checkpoint(run)
    assert found.path.name == "step-80.pt"
    assert len(found.damaged) == 2
    assert found.passed_over == {"step-120.pt"}


def test_the_file_is_gone(run):
    (run / "checkpoints/step-40.pt").unlink()
    with pytest.raises(CheckpointError, match=r"cannot read .*step-40\.pt: No such file"):
        load_checkpoint(run)


def test_latest_is_not_moved_before_the_file_reads_back(run, monkeypatch):
    monkeypatch.setattr(checkpoint, "write_whole", lambda path, _: path.write_bytes(b"half"))
    with pytest.raises(CheckpointError, match=r"step-80\.pt does not read back"):
        save_checkpoint(run, 80, STATE)
    assert load_checkpoint(run).state["step"] == 40


def test_an_interrupted_write_leaves_what_was_there(run):
    def half(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    path = run / "checkpoints/step-40.pt"
    before = path.read_bytes()
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, half)
    assert path.read_bytes() == before
    assert {p.name for p in path.parent.iterdir()} == {"latest.json", "step-40.pt"}
