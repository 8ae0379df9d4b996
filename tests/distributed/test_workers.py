"""Workers that are killed, signals, and environments in which no training can begin."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest
import torch

import nnintro
from nnintro.datasets.tables.columns.column import UselessColumnError
from nnintro.engines import rendezvous
from nnintro.engines.world import ALONE, World, _reported
from nnintro.errors import UsageError
from tests.distributed.kill_workers import LONG, started, workers
from tests.distributed.launching import ROOT, environment
from tests.support import PATIENCE

SET = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "29000"}


def test_without_variables_there_is_one_process():
    assert World.from_environment({}) is ALONE
    world = World.from_environment({**SET, "LOCAL_RANK": "0"})
    assert (world.rank, world.size, world.local_rank, world.is_main) == (0, 2, 0, True)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"MASTER_ADDR": ""}, "MASTER_ADDR: is not set, though RANK is; "),
        ({"RANK": "", "MASTER_ADDR": "", "MASTER_PORT": ""}, "RANK: is not set, though WORLD_SIZE is; "),
        ({"RANK": "2"}, "RANK: expected a whole number from 0 to 1, got '2'"),
        ({"RANK": "-1"}, "RANK: expected a whole number from 0 to 1, got '-1'"),
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE: expected a whole number from 1 to 100000, got 'two'"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE: expected a whole number from 1 to 100000, got '0'"),
        ({"MASTER_PORT": "70000"}, "MASTER_PORT: expected a whole number from 1 to 65535, got '70000'"),
    ],
)
def test_a_bad_environment_is_one_line_and_leaves_nothing(changed, line, tmp_path, monkeypatch):
    for name, value in {**SET, **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as caught:
        nnintro.train(LONG, runs_dir=tmp_path / "runs")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert not caught.value.reported
    assert not (tmp_path / "runs").exists()


def test_only_the_first_process_says_what_is_wrong_for_all():
    with pytest.raises(UsageError) as caught:
        World.from_environment({**SET, "RANK": "1", "MASTER_ADDR": ""})
    assert caught.value.reported


def test_an_error_with_a_constructor_of_its_own_can_be_sent():
    error = UselessColumnError("a.csv", "y", "has no value in any row")
    sent = pickle.loads(pickle.dumps(_reported(error)))
    assert str(sent) == "a.csv: column 'y' has no value in any row"
    assert (sent.exit_code, sent.reported) == (4, True)


def test_several_trainings_are_not_shared():
    for rank in (0, 1):
        with pytest.raises(UsageError, match="--seeds in 2 processes: torchrun shares one training") as caught:
            World.from_environment({**SET, "RANK": str(rank)}).require_alone("--seeds")
        assert caught.value.reported == (rank == 1)
    ALONE.require_alone("--seeds")


def command(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "nnintro", "train", *arguments],
        env=environment(**variables), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def test_a_host_that_is_not_known_is_one_line(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps(LONG))
    done = command(file, "--runs-dir", tmp_path / "runs", **{**SET, "MASTER_ADDR": "no.such.host.invalid"})
    assert done.returncode == 2
    assert done.stderr.startswith("no.such.host.invalid:29000: process 0 of 2 is not connected: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_processes_that_do_not_come_are_named(monkeypatch):
    monkeypatch.setattr(rendezvous, "SECONDS", 1.0)
    with pytest.raises(UsageError, match="processes 1, 2 of 3 did not come within 1 s"):
        rendezvous.meet(0, 3, "localhost", 0, is_held=False)


def test_a_killed_worker_is_started_again_and_the_run_goes_on_to_the_same_parameters(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps({**LONG, "name": "run"}))
    training = started(file, tmp_path / "runs")
    _wait_for_checkpoint(tmp_path / "runs" / "run")
    os.kill(workers(training.pid)[0], signal.SIGKILL)
    assert training.wait(PATIENCE) == 0
    ours = nnintro.load(tmp_path / "runs" / "run")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run"]
    assert ours.summary["status"] == "completed"
    assert len(ours.summary["resumed"]) == 1
    theirs = nnintro.fit(LONG, ["training.engine=autograd"])
    for a, b in zip(ours.model.parameters(), theirs.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_a_signal_to_one_process_ends_all_after_saving(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(
        json.dumps({**LONG, "name": "run", "training": {"epochs": 100_000, "checkpoint": {"every": "50 steps"}}})
    )
    training = started(file, tmp_path / "runs", restarts=0)
    _wait_for_checkpoint(tmp_path / "runs" / "run")
    os.kill(workers(training.pid)[1], signal.SIGTERM)
    assert training.wait(PATIENCE) == 1  # torchrun's own, whatever its workers' were
    log = (tmp_path / "runs.log").read_text()
    assert f"exitcode  : {128 + signal.SIGTERM}" in log
    assert "nnintro/training" not in log, "a traceback of ours"
    assert nnintro.load(tmp_path / "runs" / "run").summary["status"] == "interrupted"


def _wait_for_checkpoint(run):
    deadline = time.monotonic() + PATIENCE
    while not (run / "checkpoints" / "latest.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
