"""Who takes part.  A contestant's file is imported when it runs; a table says what it needs."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from benchmarks.assignment import Assignment, Layer


class Contestant(Protocol):
    """Somebody at work; building it is preparation and not timed as updates."""

    def train(self, epochs: int) -> float:
        """Make the updates of so many epochs; the seconds they took, done when this returns.

        Whether they go on from those before or begin anew is the contestant's own affair.
        """
        ...

    def parameters(self) -> list[Layer]:
        """The parameters reached, in torch's layout."""
        ...


C = TypeVar("C")


def timed(train: Callable[[C, int], None]) -> Callable[[C, int], float]:
    """``Contestant.train`` from a method that does nothing but updates: the time of all of it."""

    @functools.wraps(train)
    def seconds_of(contestant: C, epochs: int) -> float:
        begun = time.perf_counter()
        train(contestant, epochs)
        return time.perf_counter() - begun

    return seconds_of


@dataclass(frozen=True)
class Peer:
    """A row of the table of contestants."""

    label: str
    builder: str
    """module:class below benchmarks.peers."""
    needs: tuple[str, ...]
    """Modules that must be installed."""
    ours: bool = False

    @property
    def missing(self) -> list[str]:
        return [name for name in self.needs if importlib.util.find_spec(name) is None]

    def build(self, assignment: Assignment) -> Contestant:
        module, name = self.builder.split(":")
        contestant: Contestant = getattr(self._module(module), name)(assignment)
        return contestant

    def load(self) -> None:
        """Import the libraries: no part of what is timed."""
        self._module(self.builder.split(":")[0])

    @staticmethod
    def _module(name: str) -> object:
        return importlib.import_module(f"benchmarks.peers.{name}")


PEERS = {
    "fused": Peer("nnintro, fused", "engines:Fused", ("torch", "numba"), ours=True),
    "autograd": Peer("nnintro, autograd", "engines:Autograd", ("torch",), ours=True),
    "jax": Peer("JAX, lax.scan", "jax_scan:Scan", ("jax", "optax")),
    "sliced": Peer("torch, sliced tensors", "plain_torch:Sliced", ("torch",)),
    "dataloader": Peer("torch, DataLoader", "plain_torch:Loader", ("torch",)),
    "sklearn": Peer("scikit-learn", "scikit:Fit", ("sklearn",)),
    "keras": Peer("Keras", "keras_fit:Fit", ("keras",)),
    "lightning": Peer("Lightning", "lightning_fit:Fit", ("lightning",)),
    "skorch": Peer("skorch", "skorch_fit:Fit", ("skorch",)),
}
SLICED = "sliced"
"""The loop that most people write: ratios are to it, and to the fastest peer."""
