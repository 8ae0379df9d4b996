"""Two hosts, as two network namespaces of this one that a cable joins."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys

import pytest
import torch

import nnintro
from tests.distributed.kill_workers import LONG
from tests.distributed.launching import ROOT, environment
from tests.support import PATIENCE

REFUSALS = ("not permitted", "denied", "not supported", "Unknown device type")
HOSTS = [f"nnintro-{os.getpid()}-{k}" for k in (0, 1)]


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def made(*arguments):
    """As ``ip``; skips where the machine refuses this kind of thing, and nothing else."""
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0 and any(refusal in done.stderr for refusal in REFUSALS):
        pytest.skip(f"this machine makes no network namespaces: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def hosts():
    if shutil.which("ip") is None or sys.platform != "linux":
        pytest.skip("there is no `ip`, which makes network namespaces")
    cables = [f"nn{os.getpid() % 100_000}{end}" for end in "ab"]
    with contextlib.ExitStack() as undo:
        for host in HOSTS:
            made("netns", "add", host)
            undo.callback(ip, "netns", "delete", host)
        made("link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
        for number, (host, cable) in enumerate(zip(HOSTS, cables, strict=True)):
            ip("link", "set", cable, "netns", host)
            ip("-n", host, "address", "add", f"10.77.3.{number + 1}/24", "dev", cable)
            ip("-n", host, "link", "set", cable, "up")
            ip("-n", host, "link", "set", "lo", "up")
        yield HOSTS


def test_one_training_on_two_hosts(hosts, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps({**LONG, "name": "run", "training": {"epochs": 5}}))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
    at = ["--master-addr", "10.77.3.1", "--master-port", "29511"]
    started = [
        subprocess.Popen(
            ["ip", "netns", "exec", host, *torchrun, "--node-rank", str(number), *at, "-m", "nnintro", "train",
             str(file), "--runs-dir", str(tmp_path / f"runs-{number}"), "--quiet"],
            env=environment(), cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )
        for number, host in enumerate(hosts)
    ]  # fmt: skip
    for one in started:
        _, errors = one.communicate(timeout=PATIENCE)
        assert one.returncode == 0, errors
    assert not (tmp_path / "runs-1").exists(), "the first host alone records"
    ours = nnintro.load(tmp_path / "runs-0" / "run")
    theirs = nnintro.fit(LONG, ["training.epochs=5", "training.engine=autograd"])
    for a, b in zip(ours.model.parameters(), theirs.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
