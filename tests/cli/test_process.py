"""The command as a process: signals, pipes, full disks and closed terminals."""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nnintro
from tests.cli.conftest import environment
from tests.support import PATIENCE

LONG = {"training": {"epochs": 1_000_000}, "logging": {"scalars": "every 100000 steps"}}


def wait_for(condition):
    """Until ``condition()`` holds; its value."""
    deadline = time.monotonic() + PATIENCE  # a first run compiles the fused engine
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


def training(directory):
    """Whether a run's first row is on its way: the loop has begun."""
    return any(directory.glob("events.out.tfevents.*"))


def assert_readable(directory, status):
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["status"] == status
    run = nnintro.load(directory)
    assert run.history["step"][-1] == summary["steps"]
    assert run.predict([0.25]).shape == (1, 1)
    assert not list(directory.rglob("*.tmp"))
    return summary


@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2)])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("train", "small.yaml", "--json"), 0),
        (("validate", "small.yaml"), 0),
        (("validate", "nowhere.yaml"), 3),
        (("runs",), 0),
        (("--version",), 0),
        (("--help",), 0),
        (("predict", "runs/none", "a.csv"), 6),
        (("evaluate", "runs/earlier"), 0),
        (("export", "runs/earlier", "--format", "safetensors"), 0),
    ],
)
def test_closed_streams(process, written, runs, tmp_path, words, code, closed):
    """As `>&-` and `2>&-` leave them: what there was to say is not said elsewhere."""
    written("small.yaml", training={"epochs": 1})
    (tmp_path / "runs").mkdir()
    shutil.copytree(runs["curve"], tmp_path / "runs/earlier")

    def close():
        for descriptor in closed:
            os.close(descriptor)

    with process(*words, preexec_fn=close) as running:
        out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == code
    assert "Traceback" not in err
    assert "Error" not in out + err
    if code and closed == (2,):
        assert (out, err) == ("", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_training_after_saving(process, written, tmp_path, number, code):
    with process("train", written(**LONG), "--json") as running:
        wait_for(lambda: training(tmp_path / "runs/small"))
        time.sleep(0.3)
        running.send_signal(number)
        out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == code
    assert "Traceback" not in err
    assert "interrupted" in err.splitlines()
    assert json.loads(out) == assert_readable(tmp_path / "runs/small", "interrupted")


def test_the_same_signal_twice_at_once_is_one_signal(process, written, tmp_path):
    """As when a terminal closes (kernel and shell both tell), or a wrapper passes Ctrl-C on."""
    with process("train", written(**LONG), "-q") as running:
        wait_for(lambda: training(tmp_path / "runs/small"))
        time.sleep(0.3)
        running.send_signal(signal.SIGHUP)
        time.sleep(0.01)
        running.send_signal(signal.SIGHUP)
        _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err) == (129, "")
    assert_readable(tmp_path / "runs/small", "interrupted")


@pytest.mark.parametrize(("library", "seconds"), [("_pydantic_core", 0.0), ("libtorch_cpu", 0.1), ("_umath", 0.6)])
def test_ctrl_c_while_starting_leaves_no_trace(process, written, tmp_path, library, seconds):
    """At what it has loaded one sees how far it is, which seconds alone tell on no busy machine."""
    path = written(**{**LONG, "logging": {"figures": "auto"}})
    with process("train", path) as running:
        wait_for(lambda: library in Path(f"/proc/{running.pid}/maps").read_text())
        time.sleep(seconds)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "Traceback" not in err
    if (tmp_path / "runs/small").exists():  # a fast machine
        assert_readable(tmp_path / "runs/small", "interrupted")


@pytest.mark.parametrize("seconds", [0.0, 0.7])
@pytest.mark.parametrize(
    "words",
    [
        ("construct", "small.yaml", "--error", "1e-5"),
        ("construct", "small.yaml", "--compare", "--error", "0.01"),
        ("certify", "runs/earlier", "--tolerance", "1e-9"),
        ("export", "runs/earlier", "--format", "torch"),
    ],
)
def test_ctrl_c_ends_what_takes_long(process, written, runs, tmp_path, words, seconds):
    """At once, and without a trace: no temporary file, no hidden folder."""
    written("small.yaml")
    shutil.copytree(runs["curve"], tmp_path / "runs/earlier")
    with process(*words) as running:
        wait_for(lambda: running.poll() is not None or "libtorch_cpu" in Path(f"/proc/{running.pid}/maps").read_text())
        time.sleep(seconds)
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE)
    assert time.monotonic() - begun < PATIENCE / 10
    assert running.returncode in (130, 0)  # 0 on a fast machine
    assert "Traceback" not in err
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_a_closed_terminal_leaves_a_readable_run(process, written, tmp_path):
    ours, theirs = os.openpty()
    with process(
        "train", written(**LONG), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as running:
        os.close(theirs)
        wait_for(lambda: training(tmp_path / "runs/small"))
        wait_for(lambda: select.select([ours], [], [], 0)[0])
        time.sleep(0.3)
        os.close(ours)  # what it writes from now on fails with EIO
        time.sleep(0.3)
        running.send_signal(signal.SIGHUP)
        assert running.wait(PATIENCE) == 129
    assert_readable(tmp_path / "runs/small", "interrupted")


class TestPipes:
    def first_line(self, tmp_path, words):
        """Of ``nnintro WORDS | head -1``, with the exit codes of both and what stderr got."""
        line = f"{sys.executable} -m nnintro {words}; echo ${{PIPESTATUS[*]}} >&2"
        line = line.replace(";", " | head -1;", 1)
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        *err, codes = done.stderr.splitlines()
        return done.stdout, "\n".join(err), codes

    @pytest.mark.parametrize(("words", "first"), [("schema", "{\n"), ("runs --json", "[\n")])
    def test_head_of_data(self, tmp_path, words, first):
        for number in range(300):
            directory = tmp_path / f"runs/{number}"
            directory.mkdir(parents=True)
            (directory / "config.yaml").write_text("")
            (directory / "summary.json").write_text('{"status": "completed", "steps": 1}')
        assert self.first_line(tmp_path, words) == (first, "", "0 0")

    def test_head_of_a_summary(self, tmp_path, written):
        written()
        out, err, codes = self.first_line(tmp_path, "train small.yaml --json --quiet")
        assert (out, err, codes) == ("{\n", "", "0 0")

    def test_a_reader_of_the_progress_that_leaves_does_not_end_the_training(self, tmp_path, written):
        written(training={"epochs": 300})
        out, err, codes = self.first_line(tmp_path, "train small.yaml 2>&1")
        assert (out, err, codes) == ("small\n", "", "0 0")
        assert_readable(tmp_path / "runs/small", "completed")


def test_a_full_disk_is_told_with_path_and_cause(process, written, tmp_path):
    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    path = written(model={"hidden": [200, 200]})
    with process("train", path, "-q", preexec_fn=small_disk) as running:
        out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out) == (6, "")
    assert err == "cannot write runs/small/checkpoints/step-18.pt: File too large\n"
    # Nothing that looks like a checkpoint is left.
    assert list((tmp_path / "runs/small/checkpoints").iterdir()) == []


ON_STDOUT = ["--help", "train --help", "--version", "schema", "validate c.yaml", "runs", "train c.yaml --json --quiet"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [*ON_STDOUT, "evaluate c", "evaluate c --json", "explain c.yaml"])
def test_stdout_on_a_full_disk(arguments, tmp_path):
    (tmp_path / "c.yaml").write_text(
        "dataset: {kind: function, formula: x, samples: 9}\nmodel: {kind: mlp, hidden: [2]}\ntraining: {epochs: 1}\n"
    )
    nnintro.train(tmp_path / "c.yaml", runs_dir=tmp_path / "runs")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nnintro", *arguments.split()], stdout=full, stderr=subprocess.PIPE, text=True,
            cwd=tmp_path, env=environment(), timeout=PATIENCE, check=False,
        )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1] == "cannot write to stdout: No space left on device"
    assert "Traceback" not in done.stderr
