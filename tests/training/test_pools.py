"""Called from threads, from pools of processes and from an event loop: the same bits, and nothing is changed there."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import torch

import nnintro
from tests.support import PATIENCE, config
from tests.training.test_callers import state

JOBS = {
    "autograd": config(training={"engine": "autograd"}, precision="float32"),
    "fused": config(training={"engine": "fused"}, precision="float32"),
    "figures": config(logging={"figures": "auto", "histograms": "auto"}),
    "images": config(
        dataset={"kind": "images", "generator": "cells", "samples": 6, "size": [32, 32]},
        model={"kind": "unet", "channels": [2, 4]},
        descent={"batch_size": 2},
        precision="float32",
    ),
}


def everything():
    """What a caller could notice, in this process and in this thread."""
    umask = os.umask(0)
    os.umask(umask)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    streams = (sys.stdin, sys.stdout, sys.stderr, sys.excepthook, threading.excepthook)
    return {**state(), "umask": umask, "handlers": handlers, "streams": streams, "folder": os.getcwd()}  # noqa: PTH109


def bits(job, folder):
    """SHA-256 of what ``train`` and ``fit`` make of a config; both must be the same."""
    nnintro.fit(JOBS[job])  # what libraries say of their own warnings when they are loaded, stays
    before = everything()
    run = nnintro.train(JOBS[job], runs_dir=folder)
    fitted = nnintro.fit(JOBS[job])
    after = everything()
    assert {key for key in before if before[key] != after[key]} == set()
    assert run.history["train/loss"] == fitted.history["train/loss"]
    digests = {
        hashlib.sha256(b"".join(t.numpy().tobytes() for t in model.state_dict().values())).hexdigest()
        for model in (run.model, fitted.model)
    }
    (digest,) = digests
    return digest


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return {job: bits(job, tmp_path_factory.mktemp("plain")) for job in JOBS}


@pytest.mark.parametrize("job", JOBS)
def test_threads(job, expected, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: bits(job, tmp_path), range(3), timeout=PATIENCE))
    assert done == [expected[job]] * 3
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes(method, expected, tmp_path):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    torch.ones(1000, 1000) @ torch.ones(1000, 1000)  # whoever forks has often used torch's threads before
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        found = dict(zip(JOBS, pool.map(bits, JOBS, [tmp_path] * len(JOBS), timeout=PATIENCE), strict=True))
    assert found == expected


def test_an_event_loop(expected, tmp_path):
    async def main():
        here = bits("autograd", tmp_path)  # as in a notebook, whose loop is running
        return [here, *await asyncio.gather(*(asyncio.to_thread(bits, job, tmp_path) for job in JOBS))]

    found = asyncio.run(main())
    assert found == [expected["autograd"], *expected.values()]
