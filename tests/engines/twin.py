"""Engines side by side: graph without a GPU is its eager twin, the same step on the CPU."""

from __future__ import annotations

from nnintro.config.load import load_config
from nnintro.engines import choose as engines
from nnintro.engines.captured.launch import Eager
from nnintro.training import setup as assembling


def parts_with(values, engine, launching=Eager):
    """What is assembled for a config on the CPU, the graph engine included."""
    if engine != "graph":
        parts = assembling.assemble(load_config(values, [f"training.engine={engine}"]).experiment)
    else:
        parts = with_graph(values, launching)
    assert parts.engine.name == engine
    return parts


def with_graph(values, launching):
    experiment = load_config(values, ["training.engine=autograd"]).experiment
    parts = assembling.assemble(experiment)
    parts.engine = engines.build_graph(
        experiment, parts.network, parts.train, parts.plan, parts.optimizer, parts.loss, launching
    )
    return parts
