"""Samples drawn independently of each other, against draws and updates made one by one."""

from __future__ import annotations

import math

import pytest
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.descent.streams import stream
from nnintro.engines.choose import build_engine
from nnintro.engines.engine import Work
from nnintro.engines.world import ALONE
from nnintro.errors import ConfigError
from tests.comparing import assert_same_run, cut_before, parameters, train
from tests.support import assembled, config

ENGINES = ["autograd", "fused"]
EPOCHS = 3
RATE = 0.05


def experiment(engine="autograd", variant="stochastic", **training):
    size = 1 if variant == "stochastic" else 4
    return config(
        descent={"variant": variant, "batch_size": size, "replacement": True},
        training={"engine": engine, **training},
        name="run",
    )


def drawn_one_by_one(samples, epoch):
    """The rows of an epoch: one uniform draw after the other from the stream (seed, 'order', epoch)."""
    generator = stream(0, "order", epoch)
    return [int(torch.randint(samples, (), generator=generator)) for _ in range(samples)]


@pytest.mark.parametrize("variant", ["stochastic", "mini-batch"])
def test_the_bits_are_those_of_an_update_written_out(variant):
    """Index by index: draw a row, take it, forward, backward, step."""
    values = experiment(variant=variant)
    parts = assembled(load_config(values))
    network, size = parts.network, 1 if variant == "stochastic" else 4
    for epoch in range(EPOCHS):
        rows = drawn_one_by_one(len(parts.train), epoch)
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            inputs = torch.stack([parts.train.inputs[row] for row in block])
            targets = torch.stack([parts.train.targets[row] for row in block])
            network.zero_grad()
            ((network(inputs) - targets) ** 2).mean().backward()
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.add_(parameter.grad, alpha=-RATE)
    fitted = nnintro.fit(values).model
    for (name, expected), found in zip(network.named_parameters(), fitted.parameters(), strict=True):
        assert torch.equal(found, expected), name


@pytest.mark.parametrize("variant", ["stochastic", "mini-batch"])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_bits_are_those_of_rows_walked_in_order(engine, variant):
    """Each engine, on the same data laid out in the order of the draws."""
    fitted = nnintro.fit(experiment(engine, variant))
    samples = len(fitted.training)
    for epoch in range(EPOCHS):
        assert fitted.order(epoch).tolist() == drawn_one_by_one(samples, epoch)
    original = experiment(engine, variant)
    laid_out = nnintro.fit(original, ["training.epochs=0"]).model
    for epoch in range(EPOCHS):
        values = {**original, "training": {"epochs": 1, "engine": engine}}
        values["descent"] = {**original["descent"], "replacement": False, "shuffle": False}
        parts = assembled(load_config(values))
        rows = torch.tensor(drawn_one_by_one(samples, epoch))
        parts = rebuilt(parts, laid_out, rows)
        parts.engine.advance(0, parts.plan.updates_per_epoch, lambda: False)
        laid_out = parts.network
    for found, expected in zip(fitted.model.parameters(), laid_out.parameters(), strict=True):
        assert torch.equal(found.detach(), expected.detach().cpu())


def rebuilt(parts, network, rows):
    """An engine on the rows in this order, from the parameters of ``network``."""

    parts.network.load_state_dict(network.state_dict())
    work = Work(parts.setup, parts.network, parts.train.take(rows), parts.plan, parts.optimizer, parts.loss, ALONE)
    parts.engine = build_engine(work, lambda _: None, lambda: False)
    return parts


@pytest.mark.parametrize("engine", ENGINES)
def test_resumed_at_every_update(engine, tmp_path, monkeypatch):
    values = experiment(engine, "mini-batch", checkpoint={"every": "1 steps"})
    whole = train(values, tmp_path / "whole").directory
    last = nnintro.load(whole).summary["steps"]
    assert last == 6 * EPOCHS
    for step in range(last):
        folder = tmp_path / f"cut-{step}"
        with cut_before(monkeypatch, step):
            train(values, folder)
        resumed = train(None, resume=folder / "run", folder=folder).directory
        assert parameters(resumed) == parameters(whole)
        if step % 5 == 3:
            assert_same_run(resumed, whole)


def test_the_share_of_samples_left_out_is_one_over_e():
    """Of n samples and n draws each is missed with (1 - 1/n)^n; over 40 epochs within 5 deviations."""
    samples, epochs = 2000, 40
    values = config(
        dataset={"samples": samples}, descent={"replacement": True, "batch_size": 500}, training={"epochs": 0}
    )
    fitted = nnintro.fit(values)
    missed = [samples - len(fitted.order(epoch).unique()) for epoch in range(epochs)]
    share = sum(missed) / (samples * epochs)
    deviation = math.sqrt(samples * (math.exp(-1) - 2 * math.exp(-2))) / samples / math.sqrt(epochs)
    assert abs(share - (1 - 1 / samples) ** samples) < 5 * deviation
    assert abs(share - math.exp(-1)) < 0.005
    assert len(set(missed)) > 10  # another draw every epoch


def test_without_it_every_sample_is_met_once():
    fitted = nnintro.fit(config(training={"epochs": 0}))
    assert sorted(fitted.order(1).tolist()) == list(range(len(fitted.training)))


@pytest.mark.parametrize(
    ("descent", "message"),
    [
        ({"variant": "batch", "batch_size": 23}, "batch takes every sample once; expected false"),
        ({"shuffle": False}, "samples drawn at random have no order to keep; expected shuffle: true"),
    ],
)
def test_what_it_contradicts(descent, message):
    with pytest.raises(ConfigError, match=r"descent\.replacement: " + message):
        load_config(config(descent={"replacement": True, **descent}))
