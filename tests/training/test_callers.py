"""Whatever modes of torch a caller is in: the same bits, and the modes are left as they were."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import warnings

import numpy as np
import pytest
import torch

import nnintro
from nnintro.predict.rows import predict_file
from tests.comparing import parameters
from tests.support import config


@contextlib.contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def default_device(name):
    torch.set_default_device(name)
    try:
        yield
    finally:
        torch.set_default_device(None)


CALLERS = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float64": lambda: default_dtype(torch.float64),
    "meta": lambda: default_device("meta"),
    "device mode": lambda: torch.device("meta"),
}
DATA = {
    "function": {"precision": "float32"},
    "class table of two": {
        "dataset": {"kind": "classification", "generator": "moons", "samples": 40, "standardize": "inputs"}
    },
    "bundled": {"dataset": {"kind": "bundled", "name": "iris", "samples": 40}},
    "basis": {"dataset": {"basis": ["x**2", "sin(3*x)"]}},
    **{
        name: {
            "dataset": {"kind": "images", "generator": name, "samples": 6, "size": [32, 32]},
            "model": {"kind": "unet", "channels": [2, 4]},
            "precision": "float32",
            "descent": {"batch_size": 2},
        }
        for name in ("cells", "sky", "tumour")
    },
}


def state():
    """What a caller could notice."""
    return {
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")),
        "threads": torch.get_num_threads(),
        "torch random": torch.get_rng_state().tolist(),
        "random": random.getstate(),
        "numpy random": str(np.random.get_state()),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "environment": dict(os.environ),
        "filters": list(warnings.filters),
    }


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("data", DATA)
def test_fit_gives_the_same_bits(data, caller):
    values = config(training={"epochs": 2}, **DATA[data])
    plain = nnintro.fit(values)
    with CALLERS[caller]():
        before = state()
        found = nnintro.fit(values)
        assert state() == before
    for left, right in zip(found.model.state_dict().values(), plain.model.state_dict().values(), strict=True):
        assert left.dtype == right.dtype
        assert torch.equal(left, right)
    assert found.metrics == plain.metrics


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_a_run_and_what_is_done_with_it(engine, caller, tmp_path):
    values = config(training={"engine": engine}, precision="float32", name="run")
    plain = nnintro.train(values, runs_dir=tmp_path / "plain")
    (tmp_path / "in.csv").write_text("x\n0.1\n0.7\n", encoding="utf-8")
    predict_file(plain, tmp_path / "in.csv", tmp_path / "plain.csv")
    with CALLERS[caller]():
        before = state()
        run = nnintro.train(values, runs_dir=tmp_path)
        loaded = nnintro.load(run.directory)
        outputs = loaded.predict(np.array([[0.1], [0.7]])).tolist() if "meta" not in caller else None
        metrics = nnintro.evaluate(run).metrics
        predict_file(run, tmp_path / "in.csv", tmp_path / "out.csv")
        nnintro.export(run, format="safetensors")
        assert state() == before
    assert parameters(run.directory) == parameters(plain.directory)
    assert run.summary["metrics"] == plain.summary["metrics"]
    assert metrics == nnintro.evaluate(plain).metrics
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()
    assert outputs in (None, plain.predict(np.array([[0.1], [0.7]])).tolist())


def test_a_handler_of_the_caller_is_called_while_training(tmp_path, monkeypatch):
    from nnintro.engines.autograd import Autograd

    update, heard = Autograd._update, []

    def interrupted(self, step, *, measure):
        if step == 3:
            signal.raise_signal(signal.SIGINT)
        return update(self, step, measure=measure)

    monkeypatch.setattr(Autograd, "_update", interrupted)
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        handler = signal.getsignal(signal.SIGINT)
        run = nnintro.train(config(name="run"), runs_dir=tmp_path)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
    assert run.summary["status"] == "completed"


def test_without_one_ctrl_c_ends_training_once_it_is_saved(tmp_path, monkeypatch):
    from nnintro.engines.autograd import Autograd

    update = Autograd._update

    def interrupted(self, step, *, measure):
        if step == 3:
            signal.raise_signal(signal.SIGINT)
        return update(self, step, measure=measure)

    monkeypatch.setattr(Autograd, "_update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        nnintro.train(config(name="run"), runs_dir=tmp_path)
    assert nnintro.load(tmp_path / "run").summary["status"] == "interrupted"
