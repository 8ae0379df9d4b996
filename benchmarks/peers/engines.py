"""nnintro's two engines on the CPU by ``nnintro.fit``, which measures its updates itself."""

from __future__ import annotations

import nnintro
from benchmarks.assignment import Assignment, Layer
from benchmarks.works import config


class _Engine:
    """A training of its own for each turn; ``Fitted.seconds`` leaves out all but its updates."""

    engine: str

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.train(0)  # loads the engine, and compiles it where this has not been done yet

    def train(self, epochs: int) -> float:
        work, rate = self.assignment.work, self.assignment.learning_rate
        # A point at the end and none between: the updates are made in one stretch, or in stretches
        # of half a second.
        points = max(epochs * work.updates_per_epoch, 1)
        self.fitted = nnintro.fit(
            {
                **config(work, self.assignment.optimizer, rate),
                "training": {"epochs": epochs, "engine": self.engine},
                "logging": {"scalars": f"every {points} steps"},
            }
        )
        return self.fitted.seconds

    def parameters(self) -> list[Layer]:
        arrays = [p.detach().numpy() for p in self.fitted.model.parameters()]
        return list(zip(arrays[::2], arrays[1::2], strict=True))


class Autograd(_Engine):
    """training.engine: autograd."""

    engine = "autograd"


class Fused(_Engine):
    """training.engine: fused."""

    engine = "fused"
