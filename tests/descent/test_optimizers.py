"""Every optimizer, against torch.optim driven by hand."""

from __future__ import annotations

import copy

import pytest
import torch

import nnintro
from nnintro.config.descent import Descent
from nnintro.config.load import load_config
from nnintro.descent.optimizers import OPTIMIZERS, build_optimizer
from nnintro.descent.streams import stream
from tests.support import assembled, config

CASES = {
    "sgd": ({}, lambda p: torch.optim.SGD(p, lr=0.02)),
    "momentum": ({"kind": "sgd", "momentum": 0.9}, lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9)),
    "nesterov": (
        {"kind": "sgd", "momentum": 0.8, "nesterov": True},
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8, nesterov=True),
    ),
    "adagrad": ({}, lambda p: torch.optim.Adagrad(p, lr=0.02, eps=1e-10)),
    "rmsprop": (
        {"kind": "rmsprop", "smoothing": 0.9, "momentum": 0.5},
        lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9, momentum=0.5),
    ),
    "adam": (
        {"kind": "adam", "betas": [0.8, 0.99], "epsilon": 1e-7},
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.99), eps=1e-7),
    ),
    "adamw": ({}, lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.0)),
}


def by_hand(values, make, *, decay=0.0, clip=None):
    """The config's own start and data, and a plain torch loop over them."""
    parts = assembled(load_config(values))
    network, data = parts.network, parts.train
    optimizer = make(list(network.parameters()))
    for group in optimizer.param_groups:
        group["weight_decay"] = decay
    for epoch in range(3):
        rows = torch.randperm(len(data), generator=stream(0, "order", epoch))
        for block in rows.split(4):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(data.inputs[block]), data.targets[block]).backward()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
    return list(network.parameters())


def assert_close(run, expected):
    for found, wanted in zip(run.model.parameters(), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("decay", [0.0, 0.03])
def test_as_torch_does(tmp_path, name, decay):
    settings, make = CASES[name]
    values = config(descent={"learning_rate": 0.02, "optimizer": settings or name, "weight_decay": decay})
    assert_close(nnintro.train(values, runs_dir=tmp_path), by_hand(values, make, decay=decay))


def test_clipping(tmp_path):
    values = config(descent={"learning_rate": 0.02, "clip_norm": 0.1})
    expected = by_hand(values, CASES["sgd"][1], clip=0.1)
    assert_close(nnintro.train(values, runs_dir=tmp_path), expected)


def test_lbfgs(tmp_path):
    values = config(
        descent={
            "variant": "batch",
            "batch_size": 7,
            "learning_rate": 0.5,
            "optimizer": {"kind": "lbfgs", "history": 5, "iterations": 4},
        }
    )
    parts = assembled(load_config(values))
    network, data = parts.network, parts.train
    optimizer = torch.optim.LBFGS(
        network.parameters(), lr=0.5, history_size=5, max_iter=4, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(network(data.inputs), data.targets)
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    run = nnintro.train(values, runs_dir=tmp_path)
    for found, wanted in zip(run.model.parameters(), network.parameters(), strict=True):
        # Sums over blocks round otherwise, and a line search carries that on.
        torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-10)


def test_every_optimizer_of_the_table_is_compared():
    compared = {settings.get("kind", name) for name, (settings, _) in CASES.items()} | {"lbfgs"}
    assert compared == set(OPTIMIZERS)
    assert len(OPTIMIZERS) == 6


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_survives_saving(name):
    """state_dict and load_state_dict, taken from under torch's wrappers, still work."""
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    descent = Descent.model_validate({"optimizer": name, "learning_rate": 0.1})
    one = build_optimizer(descent, [parameter])

    def step(optimizer, p):
        def closure():
            p.grad = 2 * p.detach()
            return (p.detach() ** 2).sum()

        closure()
        optimizer.step(closure) if name == "lbfgs" else optimizer.step()

    step(one, parameter)
    twin = torch.nn.Parameter(parameter.detach().clone())
    other = build_optimizer(descent, [twin])
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    step(one, parameter)
    step(other, twin)
    assert torch.equal(parameter, twin)
