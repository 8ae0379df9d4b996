"""Where the machine has not the memory: one line that says what for, and a run that goes on later."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import nnintro
from nnintro.engines.autograd import Autograd
from nnintro.errors import OutOfMemoryError, memory_for
from nnintro.runs.folder import explained
from tests.comparing import assert_same_run, train
from tests.support import config

VALUES = config(
    training={"epochs": 3, "engine": "autograd", "checkpoint": {"every": "4 steps"}},
    descent={"optimizer": "adam"},
    name="run",
)


def allocate_too_much():
    torch.empty(1 << 55)


def overflow_the_size():
    torch.empty(1 << 31, 1 << 31)


@pytest.mark.parametrize("fail", [allocate_too_much, overflow_the_size, lambda: bytearray(1 << 60)])
def test_what_allocators_say_is_one_error(fail):
    with pytest.raises(OutOfMemoryError, match="not enough memory for a test") as caught, memory_for("a test"):
        fail()
    assert caught.value.exit_code == 8


def test_what_was_said_first_stays():
    with pytest.raises(OutOfMemoryError, match="for the inner"), memory_for("the outer"), memory_for("the inner"):
        raise MemoryError


@pytest.mark.parametrize("error", [RuntimeError("shapes do not fit"), OSError(2, "No such file"), ImportError("x")])
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error)), memory_for("a test"):
        raise error


def test_a_disk_that_fails_is_no_shortage(tmp_path):
    with pytest.raises(nnintro.CheckpointError), memory_for("a test"), explained("cannot write"):
        raise OSError(28, "No space left on device")


def test_a_run_without_memory_has_failed_and_goes_on(tmp_path, monkeypatch, capsys):
    whole = train(VALUES, tmp_path / "whole").directory
    update = Autograd._update

    def short(self, step, *, measure):
        if step == 10:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")
        return update(self, step, measure=measure)

    with monkeypatch.context() as patched:
        patched.setattr(Autograd, "_update", short)
        with pytest.raises(OutOfMemoryError, match=r"updates over 4 samples at a time; a smaller descent\.batch_size"):
            nnintro.train(VALUES, runs_dir=tmp_path)
    run = nnintro.load(tmp_path / "run")
    assert run.summary["status"] == "failed"
    assert "not enough memory" in run.summary["reason"]
    assert run.summary["steps"] == 8
    nnintro.train(resume=tmp_path / "run")
    assert_same_run(tmp_path / "run", whole)


def test_fit_without_memory(monkeypatch):
    def short(self, step, *, measure):
        raise MemoryError

    monkeypatch.setattr(Autograd, "_update", short)
    with pytest.raises(OutOfMemoryError, match="updates over 4 samples"):
        nnintro.fit(VALUES)


def test_a_network_beyond_all_memory():
    values = config(model={"hidden": [1_000_000, 1_000_000]})
    with pytest.raises(OutOfMemoryError, match="the network that the config describes"):
        nnintro.fit(values)


WIDE = """
import resource, torch
from nnintro.models.forward import outputs_of
from nnintro.models.mlp import Mlp
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
network = Mlp([1, 1_000_000, 1], ["tanh", "identity"])
outputs_of(network, torch.ones(2, 1))
before = peak()
outputs = outputs_of(network, torch.linspace(-1, 1, 200)[:, None])
assert outputs.shape == (200, 1)
print(peak() - before)
"""


def test_a_wide_network_is_evaluated_in_little_memory():
    """Rows one by one: what each leaves must not lie in the way of the next one's layer of 4 MB."""
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", WIDE], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 100
