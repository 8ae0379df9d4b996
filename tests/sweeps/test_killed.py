"""A sweep that is killed goes on where it was; Ctrl-C ends it soon, with everything saved."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time

import pytest
import yaml

import nnintro
from nnintro.errors import CheckpointError, UsageError
from tests.support import PATIENCE, config
from tests.sweeps.kill_sweeps import OVER, left_over, without_seconds

SLOW = config(name="s", training={"epochs": 200, "engine": "autograd"}, sweep={"over": OVER, "trials": 500, "keep": 0})
PYTHON = [sys.executable, "-m", "nnintro", "sweep"]


def in_a_process(code):
    """Kill the forks of a process that has no threads: not those of pytest."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_killed_sweeps_have_every_trial_once(tmp_path):
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
    code = (
        "import random; from pathlib import Path; from tests.sweeps.kill_sweeps import kill_until_done\n"
        f"kill_until_done(Path({str(tmp_path / 'undisturbed')!r}), random.Random(0), 0)\n"
        f"print(kill_until_done(Path({str(tmp_path / 'killed')!r}), random.Random(0), 4))\n"
    )
    done = in_a_process(code)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1
    assert without_seconds(tmp_path / "killed") == without_seconds(tmp_path / "undisturbed")
    assert left_over(tmp_path / "killed") == []


def started(tmp_path, *options):
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(SLOW, sort_keys=False))
    process = subprocess.Popen(
        [*PYTHON, "c.yaml", *options], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    trials, deadline = tmp_path / "runs" / "s" / "trials.csv", time.monotonic() + PATIENCE
    while not trials.exists() or trials.read_text().count("\n") < 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process, trials


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_everything_saved(number, code, tmp_path):
    process, trials = started(tmp_path, "--json")
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    summary = json.loads(out)
    assert summary == {key: v for key, v in json.loads((trials.parent / "summary.json").read_text()).items()
                       if key != "config_sha256"}  # fmt: skip
    with trials.open(newline="") as file:
        numbers = [int(row["number"]) for row in csv.DictReader(file)]
    assert numbers == sorted(set(numbers))
    assert (summary["status"], summary["trials"]) == ("interrupted", len(numbers))
    assert "to go on: nnintro sweep --resume runs/s" in err
    assert (trials.parent / "best.yaml").exists()
    assert "Traceback" not in err


def test_one_process_at_a_time(tmp_path):
    process, _ = started(tmp_path)
    try:
        with pytest.raises(CheckpointError, match=r"another process .*is training in it"):
            nnintro.sweep(resume=tmp_path / "runs" / "s")
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def swept(tmp_path):
    values = config(name="s", sweep={"over": OVER, "trials": 3, "keep": 0})
    return values, nnintro.sweep(values, runs_dir=tmp_path)


def test_what_is_over_stays_as_it_is(swept, tmp_path):
    values, first = swept
    before = (first.directory / "trials.csv").read_bytes()
    again = nnintro.sweep(values, resume="s", runs_dir=tmp_path)
    assert (first.directory / "trials.csv").read_bytes() == before
    assert again.summary["trials"] == 3
    assert nnintro.sweep(values, runs_dir=tmp_path).directory.name == "s-2"


def test_changes_are_refused(swept, tmp_path):
    values, first = swept
    changed = {**values, "training": {"epochs": 4}}
    with pytest.raises(UsageError, match=r"goes on with the config that it began with; training\.epochs would"):
        nnintro.sweep(changed, resume="s", runs_dir=tmp_path)
    with pytest.raises(UsageError, match="--trials would change it"):
        nnintro.sweep(resume="s", runs_dir=tmp_path, trials=4)
    with pytest.raises(UsageError, match="keeps its name"):
        nnintro.sweep(resume="s", name="t", runs_dir=tmp_path)
    path = first.directory / "sweep.yaml"
    path.write_text(path.read_text().replace("epochs: 3", "epochs: 5"))
    with pytest.raises(CheckpointError, match=r"sweep\.yaml was changed since the sweep began"):
        nnintro.sweep(resume="s", runs_dir=tmp_path)
    with pytest.raises(CheckpointError, match=r"ss: no such sweep; did you mean 's'\?"):
        nnintro.sweep(resume="ss", runs_dir=tmp_path)


def test_trials_of_another_sweep_are_refused(swept, tmp_path):
    _, first = swept
    path = first.directory / "trials.csv"
    header, row, *rest = path.read_text().splitlines()
    cells = row.split(",")
    path.write_text("\n".join([header, ",".join([cells[0], "0.125", *cells[2:]]), *rest, ""]))
    with pytest.raises(CheckpointError, match="trial 0 is not of this sweep"):
        nnintro.sweep(resume="s", runs_dir=tmp_path)
