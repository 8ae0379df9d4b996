"""What only a GPU can show: that the step is captured, and that a replay is the step."""

from __future__ import annotations

import pytest
import torch

from nnintro.config.load import load_config
from nnintro.engines.captured.launch import Captured, Eager
from nnintro.engines.graph import Graph
from nnintro.errors import ConfigError
from nnintro.training import setup as assembling
from tests.comparing import assert_same_run, train
from tests.engines.test_fused import OPTIMIZERS, generated
from tests.engines.twin import built, distance, never, parameters
from tests.support import assembled, config

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

DROPOUT = {"hidden": [20, 10], "dropout": 0.4}


def on_cuda(values, engine="graph", launching=None):
    """The parts of a config on the GPU; ``launching``: another way to run the graph engine."""
    overrides = [f"training.engine={engine}", "device=cuda"]
    loaded = load_config(values, overrides)
    if launching is not None:
        return built(loaded, lambda work: Graph(work, launching))
    parts = assembled(loaded)
    assert parts.engine.name == engine
    return parts


def trained(values, engine="graph", steps=100, launching=None):
    parts = on_cuda(values, engine, launching)
    advance = parts.engine.advance(0, steps, never)
    assert advance.step == steps
    return parameters(parts), advance


def test_auto_is_autograd():
    parts = assembled(load_config(config(), ["device=cuda"]))
    assert parts.engine.name == "autograd"
    assert isinstance(on_cuda(config()).engine.launcher, Captured)


@pytest.mark.parametrize("number", range(60))
def test_a_replay_is_the_step(number):
    """Against the same kernels, started one by one."""
    values = generated(number)
    eager, expected = trained(values, launching=Eager)
    graph, found = trained(values)
    assert distance(eager, graph) < 1e-12
    assert found.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-9)
    assert found.update_ratio == pytest.approx(expected.update_ratio, rel=1e-9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("batch_size", [4, 23])
def test_equal_to_autograd(optimizer, batch_size):
    descent = {
        "optimizer": optimizer, "learning_rate": 0.01, "schedule": "cosine",
        "batch_size": batch_size, "clip_norm": 0.5,
    }  # fmt: skip
    values = config(descent=descent, training={"epochs": None, "steps": 100})
    assert distance(trained(values, "autograd")[0], trained(values)[0]) < 1e-10
    single = {**values, "precision": "float32"}
    assert distance(trained(single, "autograd")[0], trained(single)[0]) < 1e-4


def test_bfloat16():
    values = config(precision="bfloat16", training={"epochs": 20})
    assert distance(trained(values, "autograd")[0], trained(values)[0]) < 1e-3


def test_dropouts_masks_are_those_of_autograd():
    values = config(model=DROPOUT, training={"epochs": 20})
    assert distance(trained(values, "autograd")[0], trained(values)[0]) < 1e-10


@pytest.mark.parametrize("sections", [{}, {"model": DROPOUT}, {"descent": {"batch_size": 23}}])
def test_the_same_bits_every_time_and_in_any_stretches(sections):
    values = config(**sections, training={"epochs": None, "steps": 100})
    whole, _ = trained(values)
    assert torch.equal(whole, trained(values)[0])
    pieces = on_cuda(values)
    for start, stop in [(0, 1), (1, 40), (40, 41), (41, 100)]:
        pieces.engine.advance(start, stop, never)
    assert torch.equal(whole, parameters(pieces))


def test_the_capture_leaves_the_network_and_the_global_stream_as_they_were():
    values = config(model=DROPOUT)
    torch.cuda.manual_seed(5)
    expected = torch.rand(3, device="cuda")
    torch.cuda.manual_seed(5)
    parts = on_cuda(values)
    assert torch.equal(parameters(parts), parameters(on_cuda(values, "autograd")))
    assert torch.equal(torch.rand(3, device="cuda"), expected)


def test_diverging_ends_on_the_last_finite_parameters():
    values = config(
        dataset={"kind": "regression", "samples": 50, "validation": 0.2},
        model={"hidden": []},
        descent={"learning_rate": 1e5, "batch_size": 10},
        training={"epochs": 1000},
        precision="float32",
    )
    parts = on_cuda(values)
    advance = parts.engine.advance(0, 4000, never)
    assert advance.diverged
    assert bool(parameters(parts).isfinite().all())
    again = on_cuda(values)
    for step in range(advance.step):
        assert not again.engine.advance(step, step + 1, never).diverged
    assert torch.equal(parameters(parts), parameters(again))
    assert again.engine.advance(advance.step, advance.step + 1, never).diverged


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_autograd_goes_on_with_its_state_and_it_with_autograds(optimizer):
    values = config(descent={"optimizer": optimizer, "learning_rate": 0.01})
    whole, _ = trained(values, "autograd", 18)
    for first, second in (("autograd", "graph"), ("graph", "autograd")):
        one, two = on_cuda(values, first), on_cuda(values, second)
        one.engine.advance(0, 7, never)
        two.network.load_state_dict(one.network.state_dict())
        two.optimizer.load_state_dict(one.optimizer.state_dict())
        two.engine.advance(7, 18, never)
        assert distance(whole, parameters(two)) < 1e-12


@pytest.mark.parametrize("optimizer", ["adam", {"kind": "sgd", "momentum": 0.9}])
def test_a_longer_run_is_a_shorter_one_gone_on_with(optimizer, tmp_path):
    values = config(
        device="cuda",
        model={"dropout": 0.2},
        descent={"optimizer": optimizer, "learning_rate": 0.02},
        training={"epochs": None, "steps": 60, "engine": "graph"},
        logging={"scalars": "every 6 steps"},
        name="run",
    )
    whole = train(values, tmp_path / "whole")
    assert whole.summary["engine"] == "graph"
    half = {**values, "training": {**values["training"], "steps": 24}}
    begun = train(half, tmp_path / "cut").directory
    resumed = train(None, tmp_path, resume=begun, overrides=["training.steps=60"])
    assert_same_run(resumed.directory, whole.directory)


def test_what_cannot_be_captured_is_refused(monkeypatch):
    loss_for = assembling.loss_for

    def reading(*names):
        loss = loss_for(*names)

        def read(outputs, targets):
            found = loss(outputs, targets)
            return found * float(found.detach() >= 0)  # the host waits for a value

        return read

    monkeypatch.setattr(assembling, "loss_for", reading)
    with pytest.raises(ConfigError, match="graph does not serve this config on cuda"):
        on_cuda(config())
