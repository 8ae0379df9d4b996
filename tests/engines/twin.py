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


def trained(values, engine, steps, launching=Eager, nudge=0.0):
    """All parameters after some updates, and what was measured of the last one.

    ``nudge``: the relative change of the initial parameters, for a look at how much becomes of it.
    """
    parts = parts_with(values, engine, launching)
    with torch.no_grad():
        for parameter in parts.network.parameters():
            parameter.mul_(1 + nudge)
    advance = parts.engine.advance(0, steps, never)
    assert advance.step == steps
    return parameters(parts), advance


def compared(values, engine, steps, tolerance, rounding):
    """What was measured of the last update, by autograd and by the engine; None where a training
    blows roundings up (a kink, a step, a gradient of almost nothing under adam): it may differ by
    as much as it does from itself after a nudge."""
    plain, expected = trained(values, "autograd", steps)
    other, found = trained(values, engine, steps)
    difference = distance(plain, other)
    if difference < tolerance:
        return expected, found
    nudges = [trained(values, "autograd", steps, nudge=n)[0] for n in (rounding, -rounding)]
    assert difference < 100 * max(distance(plain, nudged) for nudged in nudges), values
    return None
