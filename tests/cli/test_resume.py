"""``train --resume`` from the command line."""

from __future__ import annotations

import json
import signal
import time

import pytest

import nnintro
from tests.cli.test_process import assert_readable, training, wait_for
from tests.comparing import assert_same_run
from tests.support import PATIENCE


def test_a_finished_run_says_so_and_is_printed(command, written):
    first = command("train", written(), "--json", "--quiet")
    again = command("train", "--resume", "runs/small", "--json")
    assert (again.code, again.out) == (0, first.out)
    assert again.err.splitlines() == [
        "runs/small is finished: completed after 18 updates",
        "to train on: --resume runs/small --set training.epochs=6",
    ]


def test_by_name_and_longer(command, written):
    command("train", written(), "--quiet")
    done = command("train", "--resume", "small", "--set", "training.epochs=5", "--json")
    assert done.code == 0
    assert json.loads(done.out)["steps"] == 30
    assert "the run goes on from update 18 of 30" in done.err
    assert "training.epochs: 3 -> 5" in done.err


def test_interrupted_terminated_and_gone_on_with(process, command, written, tmp_path):
    """Two signals, each after saving; in the end the bits of a run that was left in peace."""
    long = {
        "training": {"steps": 12_000, "epochs": None, "engine": "autograd"},
        "logging": {"scalars": "every 500 steps", "figures": "off", "histograms": "off"},
    }
    path = written(**long)
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        where = ["--resume", "runs/small"] if code == 130 else []
        with process("train", path, *where, "--json") as running:
            seen = len(list((tmp_path / "runs/small").glob("events*")))
            wait_for(lambda seen=seen: (
                len(list((tmp_path / "runs/small").glob("events*"))) > seen
            ))  # fmt: skip
            time.sleep(0.3)
            running.send_signal(number)
            begun = time.monotonic()
            out, err = running.communicate(timeout=PATIENCE)
        assert running.returncode == code, err
        assert time.monotonic() - begun < 30
        summary = assert_readable(tmp_path / "runs/small", "interrupted")
        assert 0 < summary["steps"] < 12_000
        assert json.loads(out) == summary
    assert training(tmp_path / "runs/small")
    done = command("train", path, "--resume", "runs/small", "--quiet", "--json")
    assert done.code == 0
    assert len(json.loads(done.out)["resumed"]) == 2
    whole = command("train", path, "--runs-dir", "whole", "--quiet")
    assert whole.code == 0
    assert_same_run(tmp_path / "runs/small", tmp_path / "whole/small")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--resume", "nowhere"], 6, "nowhere: no such run"),
        ([], 2, "expected a config to train, or a run to resume"),
        (["--resume", "small", "--name", "x"], 2, "a run that is resumed keeps its name"),
        (["--resume", "small", "--set", "training.epochs=1"], 3, "--set:1: training.epochs: the"),
        (["--resume", "small", "--set", "trainin.epochs=1"], 3, "--set:1: trainin: unknown key"),
        (["other.yaml", "--resume", "small"], 3, "other.yaml:8:3: model.hidden: the run has [5]"),
        (["--resume", "config.yaml"], 6, "config.yaml: no such run"),
    ],
)
def test_what_is_refused(arguments, code, message, command, written):
    command("train", written(), "--quiet")
    written("other.yaml", model={"hidden": [6]})
    done = command("train", *arguments)
    assert (done.code, done.out) == (code, "")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith(message)


def test_a_run_in_use_is_refused(process, command, written, tmp_path):
    from tests.cli.test_process import LONG

    with process("train", written(**LONG), "--quiet") as running:
        wait_for(lambda: training(tmp_path / "runs/small"))
        done = command("train", "--resume", "runs/small")
        assert done.code == 6
        assert done.err == (f"runs/small: another process (pid {running.pid}) is training in it\n")
        running.kill()
        running.communicate()
    # The lock has ended with its owner; there may be no checkpoint yet, and the run begins anew.
    done = command("train", "--resume", "runs/small", "--set", "training.steps=10", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert nnintro.load("runs/small").summary["steps"] == 10


def test_a_malicious_checkpoint_has_no_effect(command, written, tmp_path):
    import hashlib
    import pickle
    from pathlib import Path

    class Malicious:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    command("train", written(), "--quiet")
    folder = tmp_path / "runs/small/checkpoints"
    manifest = json.loads((folder / "latest.json").read_text())
    data = pickle.dumps({"format": 2, "step": 18, "model": Malicious()})
    (folder / manifest["file"]).write_bytes(data)
    manifest["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "latest.json").write_text(json.dumps(manifest))
    for words in (
        ["train", "--resume", "small", "--set", "training.epochs=5"],
        ["evaluate", "runs/small"],
        ["export", "runs/small", "--format", "safetensors"],
    ):
        done = command(*words)
        assert (done.code, done.out) == (6, "")
        assert len(done.err.splitlines()) == 1
        assert "step-18.pt is not a checkpoint" in done.err
    assert not (tmp_path / "executed").exists()
