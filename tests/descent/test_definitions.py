"""batch, mini-batch and stochastic gradient descent, against numpy written from the definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nnintro
from nnintro.config.load import load_config
from nnintro.descent.streams import stream
from tests.support import NumpyMlp, assembled, config

SAMPLES, EPOCHS, RATE = 23, 3, 0.05


def initial(values):
    """Data and initial parameters of a config, as numpy arrays."""
    parts = assembled(load_config(values))
    layers = parts.network.layers
    mlp = NumpyMlp(
        [layer.weight.detach().numpy() for layer in layers], [layer.bias.detach().numpy() for layer in layers]
    )
    return parts.train.inputs.numpy(), parts.train.targets.numpy(), mlp


def trained(values, tmp_path):
    return nnintro.train(values, runs_dir=tmp_path).model.layers


def assert_same(layers, mlp):
    for layer, w, b in zip(layers, mlp.weights, mlp.biases, strict=True):
        np.testing.assert_allclose(layer.weight.detach().numpy(), w, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(layer.bias.detach().numpy(), b, rtol=1e-12, atol=1e-15)


def order(epoch):
    """The documented order: a permutation from the stream (seed, 'order', epoch)."""
    return torch.randperm(SAMPLES, generator=stream(0, "order", epoch)).numpy()


def test_the_data_are_the_definition(tmp_path):
    x, y, _ = initial(config())
    np.testing.assert_allclose(x[:, 0], np.linspace(0, 1, SAMPLES), rtol=1e-15)
    np.testing.assert_allclose(y, np.sin(3 * x), rtol=1e-15)


@pytest.mark.parametrize("hidden", [[], [5], [6, 4], [3, 3, 3]])
def test_mini_batch_with_a_short_last_block(tmp_path, hidden):
    values = config(model={"hidden": hidden})
    x, y, mlp = initial(values)
    for epoch in range(EPOCHS):
        rows = order(epoch)
        for start in range(0, SAMPLES, 4):  # 5 blocks of 4 and one of 3
            block = rows[start : start + 4]
            mlp.step(x[block], y[block], RATE)
    assert_same(trained(values, tmp_path), mlp)


def test_stochastic_is_one_sample_per_update(tmp_path):
    values = config(descent={"variant": "stochastic", "batch_size": 1})
    x, y, mlp = initial(values)
    for epoch in range(EPOCHS):
        for row in order(epoch):
            mlp.step(x[[row]], y[[row]], RATE)
    assert_same(trained(values, tmp_path), mlp)


@pytest.mark.parametrize("block", [1, 7, SAMPLES])
def test_batch_is_the_same_for_every_block_size(tmp_path, block):
    values = config(descent={"variant": "batch", "batch_size": block})
    x, y, mlp = initial(values)
    for _ in range(EPOCHS):
        mlp.step(x, y, RATE)
    assert_same(trained(values, tmp_path), mlp)


def test_shuffle_off_walks_the_data_in_its_own_order(tmp_path):
    values = config(descent={"shuffle": False})
    x, y, mlp = initial(values)
    for _ in range(EPOCHS):
        for start in range(0, SAMPLES, 4):
            mlp.step(x[start : start + 4], y[start : start + 4], RATE)
    assert_same(trained(values, tmp_path), mlp)


def test_steps_may_end_in_the_middle_of_an_epoch(tmp_path):
    values = config(training={"epochs": None, "steps": 8})
    x, y, mlp = initial(values)
    for update in range(8):
        epoch, block = divmod(update, 6)
        rows = order(epoch)[4 * block : 4 * block + 4]
        mlp.step(x[rows], y[rows], RATE)
    run = nnintro.train(values, runs_dir=tmp_path)
    assert_same(run.model.layers, mlp)
    assert run.summary["steps"] == 8
    assert run.summary["samples"] == 23 + 8


def test_a_window_smaller_than_the_data_changes_nothing(tmp_path, monkeypatch):
    """The gather of shuffled rows goes window by window; here a window holds two blocks."""
    from nnintro.descent import variants

    values = config()
    whole = trained(values, tmp_path)

    class Narrow(variants.Batches):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.window = 8

    monkeypatch.setattr("nnintro.datasets.samples.Batches", Narrow)
    narrow = trained(values, tmp_path)
    for one, other in zip(whole, narrow, strict=True):
        assert torch.equal(one.weight, other.weight)


def test_batch_size_changes_neither_data_nor_initial_weights():
    small, large = (assembled(load_config(config(descent={"batch_size": size}))) for size in (2, 9))
    assert torch.equal(small.train.inputs, large.train.inputs)
    assert torch.equal(small.train.targets, large.train.targets)
    for one, other in zip(small.network.parameters(), large.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_precision_starts_at_the_same_point():
    single, double = (assembled(load_config(config(precision=precision))) for precision in ("float32", "float64"))
    for one, other in zip(single.network.parameters(), double.network.parameters(), strict=True):
        assert torch.equal(one, other.float())
