"""CUDA's capture, enacted on the CPU: operations are noted down once and carried out again.

What a captured graph does is to repeat kernels on the addresses they had.  So does this: every
operation that torch dispatches is kept with the tensors it had, and a replay writes its results
to where they were.  A number that Python took into an operation stays what it was, and whatever
would ask the device for a value, or bring it one, is refused, as CUDA refuses it.
"""

from __future__ import annotations

import contextlib

import torch
from torch.utils._python_dispatch import TorchDispatchMode

REFUSED = {
    "aten._local_scalar_dense",  # .item(), float(...), if tensor: the host waits for a value
    "aten.nonzero",  # so does a shape that depends on values
    "aten.equal",
    "aten.lift_fresh",  # torch.tensor(...): a value is brought from the host
}


class Graph:
    """In place of torch.cuda.CUDAGraph."""

    def __init__(self):
        self.operations, self.generators, self.replays = [], [], 0

    def register_generator_state(self, generator):
        self.generators.append(generator)

    def replay(self):
        self.replays += 1
        with torch.no_grad():
            for operation, args, kwargs, results in self.operations:
                again = operation(*args, **kwargs)
                for old, new in zip(_tensors(results), _tensors(again), strict=True):
                    if old.data_ptr() != new.data_ptr():
                        old.copy_(new)


class capture(TorchDispatchMode):  # noqa: N801
    """In place of torch.cuda.graph; what is captured is carried out too, unlike there."""

    def __init__(self, graph, stream):
        super().__init__()
        assert isinstance(stream, Stream)
        self.graph = graph

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = str(operation).rsplit(".", 1)[0]
        if name in REFUSED:
            raise RuntimeError(f"{name}: operation not permitted when stream is capturing")
        generator = (kwargs or {}).get("generator")
        seeds = {known.initial_seed() for known in self.graph.generators}
        if generator is not None and generator.initial_seed() not in seeds:
            raise RuntimeError(f"{name}: a generator that is not registered")
        results = operation(*args, **(kwargs or {}))
        self.graph.operations.append((operation, args, kwargs or {}, results))
        return results


class Stream:
    def __init__(self, device=None): ...

    def wait_stream(self, other): ...


class Event:
    waited = 0

    def record(self): ...

    def synchronize(self):
        Event.waited += 1


def enact(monkeypatch):
    """Let whatever is captured be recorded."""
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", capture)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", contextlib.nullcontext)
    monkeypatch.setattr(torch.cuda, "device", contextlib.nullcontext)


def _tensors(values):
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, (list, tuple)):
        return [tensor for value in values for tensor in _tensors(value)]
    return []
