"""The works that everybody is timed at, from the smallest network to one that is all arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LEARNING_RATES = {"sgd": 0.02, "adam": 0.001}
"""Optimizer -> learning rate, the same for everybody; momentum and weight decay are zero."""
SEED = 0
SPARE = 0.2
"""Share of the generated samples that nnintro keeps for validation; it is trained on by nobody."""


@dataclass(frozen=True)
class Work:
    """Sigmoid hidden layers, a linear readout; mse on one output, cross entropy on ten."""

    name: str
    layers: tuple[int, ...]
    """Inputs, hidden widths, outputs."""
    batch: int
    """Samples in an update; all of them: batch gradient descent, which needs no order."""
    samples: int
    checked_epochs: int
    """Epochs after which everybody's loss is compared, before any timing."""

    @property
    def is_classification(self) -> bool:
        return self.layers[-1] > 1

    @property
    def whole_data(self) -> bool:
        return self.batch >= self.samples

    @property
    def updates_per_epoch(self) -> int:
        return -(-self.samples // self.batch)

    @property
    def title(self) -> str:
        """`1-64-1, batch 32 of 1,000`."""
        widths = "-".join(map(str, self.layers))
        batch = "all" if self.whole_data else f"batch {self.batch:,}"
        return f"{widths}, {batch} of {self.samples:,}"


WORKS = {
    work.name: work
    for work in (
        Work("one-sample", (1, 64, 1), 1, 1000, checked_epochs=1),
        Work("mini-batch", (1, 64, 1), 32, 1000, checked_epochs=7),
        Work("whole-data", (1, 64, 1), 1000, 1000, checked_epochs=200),
        Work("deep", (2, 128, 128, 128, 1), 256, 8192, checked_epochs=6),
        Work("classes", (64, 256, 256, 10), 128, 8192, checked_epochs=3),
        Work("wide", (784, 1024, 1024, 10), 512, 8192, checked_epochs=1),
    )
}


def config(work: Work, optimizer: str, learning_rate: float) -> dict[str, Any]:
    """The work as nnintro's YAML says it; everybody's data, start and order follow from it."""
    descent: dict[str, Any] = {"variant": "mini-batch", "batch_size": work.batch}
    if work.whole_data:
        descent = {"variant": "batch"}
    return {
        "name": work.name,
        "seed": SEED,
        "device": "cpu",
        "dataset": _classes(work) if work.is_classification else _function(work),
        "model": {"kind": "mlp", "hidden": list(work.layers[1:-1]), "activation": "sigmoid"},
        "descent": {**descent, "optimizer": optimizer, "learning_rate": learning_rate},
    }


def _function(work: Work) -> dict[str, Any]:
    if work.layers[0] == 1:
        return {"kind": "function", "formula": "lecture", "samples": work.samples}
    return {
        "kind": "function",
        "formula": " + ".join(f"sin(3*x{index + 1})" for index in range(work.layers[0])),
        "domain": [[-1.0, 1.0]] * work.layers[0],
        "samples": work.samples,
        "sampling": "uniform",
    }


def _classes(work: Work) -> dict[str, Any]:
    return {
        "kind": "classification",
        "generator": "hypercube",
        "features": work.layers[0],
        "classes": work.layers[-1],
        "samples": round(work.samples / (1 - SPARE)),
        "validation": SPARE,
        "standardize": "inputs",
    }
