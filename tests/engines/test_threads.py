"""The fused engine's threads: a share of the rows each, and the same network in the end."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nnintro.config.load import load_config
from nnintro.engines import fused
from nnintro.engines.call import Call, Pace
from nnintro.engines.machine import find_blas, flushed
from tests.engines.test_fused import OPTIMIZERS, RATES, generated
from tests.engines.twin import distance, never, parameters
from tests.support import assembled, config


@pytest.fixture(autouse=True)
def everything_pays(monkeypatch):
    """So that small networks too are shared."""
    monkeypatch.setattr(fused, "PART_NANOSECONDS", 1e-3)


def trained(values, threads, steps):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        parts = assembled(load_config(values, ["training.engine=fused"]))
    finally:
        torch.set_num_threads(before)
    advance = parts.engine.advance(0, steps, never)
    return parameters(parts), advance, parts.engine.call.parts


def uneven(optimizer, size, **descent):
    """40 samples for training: blocks of 13 leave one of 1, which two threads have nothing of."""
    return config(
        dataset={"kind": "function", "formula": "sin(3*x)", "samples": 40},
        model={"hidden": [7, 30], "activation": ["tanh", "sigmoid"]},
        descent={"optimizer": optimizer, "batch_size": size, **descent,
                 "learning_rate": RATES[optimizer["kind"]]},
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 13, 39, 40])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_any_number_of_threads_trains_the_same(optimizer, size):
    values = uneven(optimizer, size, clip_norm=0.3)
    alone, measured, _ = trained(values, 1, 60)
    for threads in (2, 3, 5):
        several, also, parts = trained(values, threads, 60)
        assert parts == min(threads, size)
        assert distance(alone, several) < 1e-13
        assert also.gradient_norm == pytest.approx(measured.gradient_norm, rel=1e-9)
        assert also.update_ratio == pytest.approx(measured.update_ratio, rel=1e-9)


@pytest.mark.parametrize("size", [13, 7, 40])
def test_threads_in_batch_gradient_descent(size):
    """Several blocks make one update: a thread may be ahead of another by a block."""
    values = uneven({"kind": "sgd"}, size, variant="batch")
    alone, *_ = trained(values, 1, 300)
    for _ in range(5):
        assert distance(alone, trained(values, 3, 300)[0]) < 1e-13


@pytest.mark.parametrize("number", range(0, 320, 16))
def test_the_same_bits_every_time(number):
    values = {**generated(number), "precision": "float32"}
    first, *_ = trained(values, 3, 100)
    for _ in range(3):
        assert torch.equal(first, trained(values, 3, 100)[0])


@pytest.mark.parametrize("hidden", [[7, 30], [150, 150], [301]], ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_sharing_the_parts_changes_no_bit(optimizer, hidden, monkeypatch):
    """Who does which part is decided by the clock: by all threads, or by one that has them all."""
    found = []
    values = {**uneven(optimizer, 13), "precision": "float32"}
    values["model"] = {"kind": "mlp", "hidden": hidden}
    for choices in ([True], [False], [True, False], [False, True]):
        turns = itertools.cycle(choices)
        monkeypatch.setattr(Pace, "next", lambda _, turns=turns: (next(turns), 3))
        found.append(trained(values, 3, 60)[0])
    assert all(torch.equal(found[0], other) for other in found[1:])


@pytest.mark.parametrize("rate", [100.0, 1e5])
def test_threads_diverge_together(rate):
    values = config(
        dataset={"kind": "regression", "samples": 50, "validation": 0.2},
        model={"hidden": []},
        descent={"variant": "batch", "batch_size": 40, "learning_rate": rate},
    )
    ends = [trained(values, threads, 5000) for threads in (1, 2)]
    assert all(advance.diverged for _, advance, _ in ends)
    assert ends[0][1].step == ends[1][1].step
    assert np.isfinite(ends[1][0].numpy()).all()
    assert distance(ends[0][0], ends[1][0]) < 1e-10


def test_small_updates_keep_to_one_thread(monkeypatch):
    monkeypatch.undo()
    small, large = [1, 64, 1], [64, 256, 256, 10]
    assert fused.parts_that_pay(small, 1, 1, 8) == fused.parts_that_pay(small, 32, 32, 8) == 1
    assert fused.parts_that_pay(small, 1000, 1000, 2) == 2
    assert fused.parts_that_pay(large, 128, 128, 8) == 8
    assert fused.parts_that_pay(large, 2, 2, 8) == 2


def is_flushed():
    return bool(np.float32(1e-40) * np.float32(0.5) == 0)


def test_numbers_too_small_to_be_normal_are_0_in_every_thread_meanwhile():
    """Arithmetic with them crawls, and the slopes of steep sigmoids are full of them."""
    parts = assembled(load_config(config(), ["training.engine=fused"]))
    seen = []
    descend = parts.engine.call.descend
    parts.engine.call.descend = lambda *call: (seen.append(is_flushed()), descend(*call))[1]
    parts.engine.advance(0, 10, never)
    assert seen
    assert all(seen)
    assert not is_flushed()
    pool = Call(descend, find_blas(np.dtype("float32"), "any"), 3)._others
    assert all(future.result() for future in [pool.submit(is_flushed) for _ in range(4)])


def test_who_flushed_before_does_so_after():
    torch.set_flush_denormal(True)
    try:
        with flushed():
            assert is_flushed()
        assert is_flushed()
    finally:
        torch.set_flush_denormal(False)
