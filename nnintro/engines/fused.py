"""The fused engine: many updates of an MLP in one compiled call, on the module's own storage.

The mathematics is that of ``autograd``; what is gone is the overhead of a call per operation.  See
``backpropagation`` for the derivation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from nnintro.descent.variants import Order, Plan
from nnintro.engines.compiled import load_kernel
from nnintro.engines.engine import Advance, Interrupted
from nnintro.engines.flat import OptimizerMemory, flatten

Array = npt.NDArray[Any]
CALL_SECONDS = 0.02
"""How long one compiled call lasts, about: between two of them a signal is noticed."""
ORDER_ENTRIES = 1 << 17
"""Row numbers that the orders of several short epochs are collected to."""


@dataclass(frozen=True)
class Problem:
    """What is minimised, in the kernel's codes."""

    widths: list[int]
    """Inputs, hidden widths, outputs."""
    activations: list[str]
    """One per layer, the output's last."""
    loss: str
    """mse, mae, huber, binary or multiclass (cross entropy of logits)."""
    one_hot: bool
    """Whether targets are class numbers that an element-wise loss is to compare with."""


class Fused:
    """Carries out updates on a flat copy-free view of an MLP's parameters.

    Args:
        network: its ``parameters()`` are W, b of each layer in order; they become views of one
            array.
        inputs: (samples, features); targets: (samples, outputs), or (samples,) class numbers.
        rates: (start, stop) -> the learning rates of those updates.
        say: told once that the kernel is being compiled, if it is.
    """

    name = "fused"

    def __init__(
        self,
        network: nn.Module,
        problem: Problem,
        plan: Plan,
        inputs: Tensor,
        targets: Tensor,
        order: Order,
        optimizer: torch.optim.Optimizer,
        rates: Callable[[int, int], npt.NDArray[np.float64]],
        clip_norm: float | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.plan, self.rates, self.clip = plan, rates, clip_norm or 0.0
        self.flat = flatten(list(network.parameters()))
        self.parameters: Array = self.flat.numpy()
        self.memory = OptimizerMemory(optimizer, list(network.parameters()), self.flat)
        dtype = self.parameters.dtype
        self.gradient = np.zeros_like(self.parameters)
        self.report = np.zeros(2)
        self.x: Array = inputs.contiguous().numpy()
        self.t: Array = targets.reshape(len(targets), -1).to(self.flat.dtype).contiguous().numpy()
        self.orders = _Orders(order, plan)
        self.kernel = load_kernel(dtype, say)
        self._architecture = self.kernel.architecture(
            problem.widths, problem.activations, problem.loss, one_hot=problem.one_hot
        )
        rows = min(plan.batch_size, plan.samples)
        blocks = len(plan.blocks(0)) if plan.variant == "batch" else 1
        self._plan = np.array([plan.updates_per_epoch, plan.samples, rows, blocks])
        self._work = self.kernel.working_memory(problem.widths, rows, self.t.shape[1], blocks)
        self._updates_per_call = 64.0
        self._call(0, 0)  # compiled or loaded now: that is no part of training
        self.kernel.is_ready()

    def advance(self, start: int, stop: int, interrupted: Interrupted) -> Advance:
        """Make the updates from ``start`` up to ``stop``."""
        self.memory.adopt()
        step = start
        before: Array | None = None
        while step < stop and not interrupted():
            if step == stop - 1:
                before = self.parameters.copy()
            end = min(step + int(self._updates_per_call), max(stop - 1, step + 1))
            ended, step = self._stretch(step, min(end, self.orders.last_of_chunk(step)))
            if ended != self.kernel.DONE:
                self.memory.count(step)
                return Advance(step, diverged=True)
        self.memory.count(step)
        return Advance(step) if before is None else Advance(step, *self._measured(before))

    def _stretch(self, start: int, stop: int) -> tuple[int, int]:
        """One call, timed to fit the next one; parameters that are spoiled are taken back."""
        good = [array.copy() for array in (self.parameters, *self.memory.arrays)]
        begun = time.perf_counter()
        ended, step = self._call(start, stop)
        seconds = max(time.perf_counter() - begun, 1e-6)
        factor = CALL_SECONDS * (step - start) / (self._updates_per_call * seconds)
        self._updates_per_call = max(self._updates_per_call * min(max(factor, 0.25), 4.0), 1.0)
        if ended == self.kernel.PARAMETERS_ARE_NOT_FINITE:
            for array, saved in zip((self.parameters, *self.memory.arrays), good, strict=True):
                array[...] = saved
            self._call(start, step)
        return ended, step

    def _call(self, start: int, stop: int) -> tuple[int, int]:
        ended, step = self.kernel.descend(
            self.parameters, self.gradient, *self.memory.arrays, *self._architecture, self.x,
            self.t, self.orders.of(start, stop), self._plan, self.rates(start, stop),
            self.memory.code, self.memory.settings, self.clip, start, stop, *self._work,
            self.report,
        )  # fmt: skip
        return int(ended), int(step)

    def _measured(self, before: Array) -> tuple[float, float]:
        """Gradient norm and update ratio of the last update."""
        with np.errstate(over="ignore"):  # a norm beyond all numbers is an infinity
            change = np.linalg.norm((self.parameters - before).astype(np.float64))
            size = np.linalg.norm(before.astype(np.float64))
        return float(self.report[0]), float(change / size) if size > 0 else float("nan")


class _Orders:
    """The orders of consecutive epochs, drawn when they are needed and kept while they are."""

    def __init__(self, order: Order, plan: Plan) -> None:
        self.order, self.plan = order, plan
        self.in_place = order(0) is None
        self.capacity = max(1, ORDER_ENTRIES // plan.samples)
        self.first = self.count = 0
        rows = (0, 0) if self.in_place else (self.capacity, plan.samples)
        self.rows = np.empty(rows, np.int64)

    def last_of_chunk(self, step: int) -> int:
        """The update up to which the orders fit, counted from that of ``step``."""
        epoch = step // self.plan.updates_per_epoch
        if self.in_place:
            return step + ORDER_ENTRIES
        first = self.first if self.first <= epoch < self.first + self.capacity else epoch
        return (first + self.capacity) * self.plan.updates_per_epoch

    def of(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """(epochs, samples) from the epoch of ``start`` on; (epochs, 0): in the data's order."""
        per_epoch = self.plan.updates_per_epoch
        first, last = start // per_epoch, max(stop - 1, start) // per_epoch
        if self.in_place:
            return np.empty((last - first + 1, 0), np.int64)
        if not self.first <= first < self.first + self.capacity:
            self.first, self.count = first, 0
        for epoch in range(self.first + self.count, last + 1):
            order = self.order(epoch)
            assert order is not None
            self.rows[epoch - self.first] = order.numpy()
            self.count += 1
        return self.rows[first - self.first : last + 1 - self.first]
