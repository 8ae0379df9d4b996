"""``nnintro find-rate``: the table, the JSON, the picture, and one line for what cannot be used."""

from __future__ import annotations

import json
import re

import pytest


def test_the_table_ends_with_lines_to_be_pasted(command, written, tmp_path):
    path = written()
    done = command("find-rate", path)
    assert done.code == 0
    (rate,) = re.findall(r"^--set descent.learning_rate=(\S+)$", done.out, re.MULTILINE)
    assert f"\ndescent: {{learning_rate: {rate}}}" in done.out
    assert len(re.findall(r"^ .*<- suggested$", done.out, re.MULTILINE)) == 1
    assert "picture: small-rates.png" in done.err
    assert (tmp_path / "small-rates.png").read_bytes().startswith(b"\x89PNG")
    assert command("train", path, "--set", f"descent.learning_rate={rate}", "--quiet").code == 0


def test_json_is_one_object_as_the_table_says(command, written, tmp_path):
    done = command("find-rate", written(), "--json", "--quiet", "--output", "there.png")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert set(found) == {"learning_rate", "tried"}
    assert all(set(tried) >= {"learning_rate", "loss", "status"} for tried in found["tried"])
    assert found["learning_rate"] in [tried["learning_rate"] for tried in found["tried"]]
    assert {tried["status"] for tried in found["tried"]} <= {"completed", "diverged"}
    assert all(tried["loss"] is None for tried in found["tried"] if tried["status"] == "diverged")
    assert (tmp_path / "there.png").exists()
    assert not (tmp_path / "small-rates.png").exists()


@pytest.mark.parametrize(("words", "code", "said"), [
    (["--set", "training.epochs=0"], 3, "--set:1: training.epochs: a training of no updates has no learning rate"),
    (["--set", "descent={variant: batch, optimizer: lbfgs}"], 3,
     "--set:1: descent.optimizer: lbfgs with line_search: strong_wolfe finds its step lengths itself"),
    (["--set", "descent.optimiser=adam"], 3, "did you mean 'optimizer'?"),
    (["--output", "there.jpg"], 2, "there.jpg: the picture is a PNG"),
    (["--output", "nowhere/there.png"], 2, "cannot write nowhere/there.png: No such file or directory"),
])  # fmt: skip
def test_what_cannot_be_used_is_one_line(command, written, tmp_path, words, code, said):
    done = command("find-rate", written(), *words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_several_processes_are_refused(command, written, monkeypatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}.items():
        monkeypatch.setenv(name, value)
    done = command("find-rate", written())
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("find-rate in 2 processes: torchrun shares one training")
