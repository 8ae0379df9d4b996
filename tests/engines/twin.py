"""Engines side by side: graph without a GPU is its eager twin, the same step on the CPU."""

from __future__ import annotations

from nnintro.config.load import load_config
from nnintro.engines import choose as engines
from nnintro.engines.captured.launch import Eager
from tests.support import assembled


def parts_with(values, engine, launching=Eager):
    """What is assembled for a config on the CPU, the graph engine included."""
    if engine != "graph":
        parts = assembled(load_config(values, [f"training.engine={engine}"]))
    else:
        parts = with_graph(values, launching)
    assert parts.engine.name == engine
    return parts


def with_graph(values, launching):
    loaded = load_config(values, ["training.engine=autograd"])
    parts = assembled(loaded)
    parts.engine = engines.build_graph(
        loaded.setup(),
        parts.network,
        parts.train,
        parts.plan,
        parts.optimizer,
        parts.loss,
        launching,
    )
    return parts
