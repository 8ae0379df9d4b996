"""Engines side by side: graph without a GPU is its eager twin, the same step on the CPU."""

from __future__ import annotations

from unittest import mock

import torch

from nnintro.config.load import load_config
from nnintro.engines.captured.launch import Eager
from nnintro.engines.graph import Graph
from nnintro.training import setup
from tests.support import assembled


def parts_with(values, engine, launching=Eager):
    """What is assembled for a config on the CPU, the graph engine included."""
    if engine == "graph":
        parts = built(load_config(values), lambda work: Graph(work, launching))
    else:
        parts = assembled(load_config(values, [f"training.engine={engine}"]))
    assert parts.engine.name == engine
    return parts


def built(loaded, build):
    """The parts of a config with an engine of one's own."""
    with mock.patch.object(setup, "build_engine", lambda work, *_: build(work)):
        return assembled(loaded)


def work_of(loaded):
    """What the engine of a config would be given."""
    return built(loaded, lambda work: work).engine


def parameters(parts):
    """All of them, flat, in float64."""
    return torch.cat([p.detach().reshape(-1) for p in parts.network.parameters()]).double().cpu()


def distance(one, other):
    return float((one - other).norm() / one.norm())


def never():
    return False
