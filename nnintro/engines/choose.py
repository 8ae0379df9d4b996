"""The table of engines, and the choice of one for a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from nnintro.engines import fused, graph
from nnintro.engines.autograd import build_autograd
from nnintro.engines.captured.launch import CaptureError
from nnintro.engines.engine import Engine, Interrupted, Say, Work
from nnintro.errors import ConfigError

AUTOGRAD_UPDATE_SECONDS = 2.5e-4
"""What autograd spends on calls for each block, about, whatever is in it."""
FUSED_UPDATE_SECONDS = 5e-6
"""The same of the compiled kernel."""
AUTOGRAD_FLOPS = 2e10
WORTH_SECONDS = 1.0
"""Autograd is done within this time, or it is worth loading (and once compiling) the kernel."""


@dataclass(frozen=True)
class Row:
    """An engine."""

    why_not: Callable[[Work, torch.device], Iterator[str]]
    """Whatever keeps it from serving a work on a device, each in a few words."""
    build: Callable[[Work, Say, Interrupted], Engine]
    """``say`` shows the user what there is to wait for, ``interrupted`` gives up waiting."""
    shares_updates: bool = False
    """Whether it divides an update among several processes."""


ENGINES: dict[str, Row] = {
    "autograd": Row(lambda *_: iter(()), lambda work, *_: build_autograd(work), shares_updates=True),
    "fused": Row(fused.why_not, fused.Fused),
    "graph": Row(graph.why_not, lambda work, *_: graph.Graph(work)),
}


def choose_engine(work: Work, device: torch.device) -> str:
    """The engine of ``training.engine``.

    For auto that is fused where it serves and autograd would take its time, else autograd.  It is
    never graph, which was not tried on a GPU yet.

    Raises:
        ConfigError: an engine is asked for that does not serve this config.
    """
    wanted = work.setup.training.engine
    if wanted == "auto":
        serves = not any(_why_not("fused", work, device))
        return "fused" if serves and autograd_seconds(work) > WORTH_SECONDS else "autograd"
    for reason in _why_not(wanted, work, device):
        raise not_served(wanted, reason)
    return wanted


def _why_not(engine: str, work: Work, device: torch.device) -> Iterator[str]:
    """Whatever keeps an engine from serving a work on a device in its processes."""
    if work.world.size > 1 and not ENGINES[engine].shares_updates:
        yield "a training in several processes"
    yield from ENGINES[engine].why_not(work, device)


def not_served(engine: str, reason: str) -> ConfigError:
    return ConfigError.at("training.engine", f"{engine} does not serve {reason}; expected auto or autograd")


def autograd_seconds(work: Work) -> float:
    """About how long autograd would take: calls for every block, and products of every sample."""
    layers = [layer for layer in work.network.modules() if isinstance(layer, nn.Linear)]
    weights = sum(layer.weight.numel() for layer in layers)
    return _seconds(work, weights, AUTOGRAD_UPDATE_SECONDS)


def estimated_seconds(work: Work, engine: str) -> float:
    """About how long a training takes, by its sizes alone: the same on every machine."""
    call = FUSED_UPDATE_SECONDS if engine == "fused" else AUTOGRAD_UPDATE_SECONDS
    pixels = math.prod(work.setup.task.image or (1,))
    return _seconds(work, pixels * sum(p.numel() for p in work.network.parameters()), call)


def _seconds(work: Work, weights: int, call: float) -> float:
    flops = 6 * weights * work.plan.samples_per_update
    return work.setup.total_updates * (work.plan.blocks_per_update * call + flops / AUTOGRAD_FLOPS)


def build_engine(work: Work, say: Say, interrupted: Interrupted) -> Engine:
    """The engine that is chosen, ready for the first update.

    Raises:
        ConfigError: an engine is asked for that does not serve this config, or CUDA refuses to
            capture its update.
        KeyboardInterrupt: ``interrupted`` said so.
        NnintroError: the fused engine could not be compiled.
    """
    device = work.device
    name = choose_engine(work, device)
    try:
        return ENGINES[name].build(work, say, interrupted)
    except CaptureError as error:
        raise not_served(name, f"this config on {device}: {error}") from error
