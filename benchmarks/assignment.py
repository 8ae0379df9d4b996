"""What every contestant is given: the same data, the same start, the same order of the samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.works import LEARNING_RATES, SEED, Work, config

Array = npt.NDArray[Any]
Layer = tuple[Array, Array]
"""W (outputs, inputs) and b (outputs,)."""


@dataclass(frozen=True)
class Assignment:
    """A work with its data; everything in float32."""

    work: Work
    optimizer: str
    learning_rate: float
    inputs: Array
    """(samples, inputs)"""
    targets: Array
    """(samples, 1), or class numbers (samples,) int64."""
    layers: list[Layer]
    """The parameters to begin with."""
    order: Callable[[int], Array]
    """Epoch -> the order of its samples, (samples,) int64; drawing it is part of the work."""


def draw(work: Work, optimizer: str) -> Assignment:
    """Data, initial parameters and orders as nnintro draws them for this work."""
    import nnintro

    rate = LEARNING_RATES[optimizer]
    untrained = {"training": {"epochs": 0, "engine": "autograd"}}
    fitted = nnintro.fit({**config(work, optimizer, rate), **untrained}, snapshots=[0])
    inputs, targets = fitted.training.inputs.numpy(), fitted.training.targets.numpy()
    assert len(inputs) == work.samples
    tensors = [value.numpy() for value in fitted.snapshots[0].values()]
    layers = list(zip(tensors[::2], tensors[1::2], strict=True))

    def order(epoch: int) -> Array:
        return fitted.order(epoch).numpy()

    return Assignment(work, optimizer, rate, inputs, targets, layers, order)


def save(assignment: Assignment, path: Path) -> None:
    """Keep data and start for a process that is to load neither torch nor nnintro."""
    arrays = {"inputs": assignment.inputs, "targets": assignment.targets}
    for index, (W, b) in enumerate(assignment.layers):
        arrays |= {f"W{index}": W, f"b{index}": b}
    np.savez(path, allow_pickle=False, **arrays)


def load(work: Work, optimizer: str, path: Path) -> Assignment:
    """What ``save`` kept; the orders are numpy's."""
    with np.load(path) as kept:
        count = len(work.layers) - 1
        layers = [(kept[f"W{index}"], kept[f"b{index}"]) for index in range(count)]
        inputs, targets = kept["inputs"], kept["targets"]

    def order(epoch: int) -> Array:
        return np.random.default_rng((SEED, epoch)).permutation(work.samples)

    return Assignment(work, optimizer, LEARNING_RATES[optimizer], inputs, targets, layers, order)


def loss(assignment: Assignment, layers: list[Layer]) -> float:
    """The mean loss over all samples, in float64, by one formula for everybody's parameters."""
    outputs = assignment.inputs.astype(np.float64)
    for W, b in layers[:-1]:
        outputs = 1 / (1 + np.exp(-(outputs @ W.T.astype(np.float64) + b)))
    W, b = layers[-1]
    outputs = outputs @ W.T.astype(np.float64) + b  # (samples, outputs)
    if not assignment.work.is_classification:
        return float(np.mean((outputs - assignment.targets) ** 2))
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(shifted)), assignment.targets]
    return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - chosen))
