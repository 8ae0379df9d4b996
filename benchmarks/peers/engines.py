"""nnintro's two engines on the CPU: what ``nnintro train`` runs, without what it writes down."""

from __future__ import annotations

from typing import Any

from benchmarks.assignment import Assignment, Layer
from benchmarks.peers.torch_parts import layers_of
from benchmarks.works import config
from nnintro.config.load import load_config
from nnintro.models.forward import threads, threads_for
from nnintro.training.setup import assemble, build_data

PLENTY = 10_000_000_000
"""Updates; the learning rate is constant, so that nothing depends on their number."""


def _never() -> bool:
    return False


class _Engine:
    engine: str

    def __init__(self, assignment: Assignment) -> None:
        self.work = assignment.work
        sections: dict[str, Any] = config(assignment.work, assignment.optimizer, assignment.learning_rate)
        sections["training"] = {"steps": PLENTY, "engine": self.engine}
        loaded = load_config(sections)
        splits = build_data(loaded.experiment)
        self.parts = assemble(loaded.setup(splits.found), splits)
        self.threads = threads_for(self.parts.network, self.parts.plan.batch_size)
        self.step = 0

    def train(self, epochs: int) -> None:
        stop = self.step + epochs * self.work.updates_per_epoch
        with threads(self.threads):  # as the command does
            advance = self.parts.engine.advance(self.step, stop, _never)
        assert advance.step == stop
        assert not advance.diverged
        self.step = stop

    def parameters(self) -> list[Layer]:
        return layers_of(self.parts.network)


class Autograd(_Engine):
    """training.engine: autograd."""

    engine = "autograd"


class Fused(_Engine):
    """training.engine: fused."""

    engine = "fused"
