"""The fused engine: many updates of an MLP in one compiled call, on the module's own storage.

The mathematics is that of ``autograd``; what is gone is the overhead of a call per operation.  See
``backpropagation`` for the derivation.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from nnintro.descent.variants import Order, Plan
from nnintro.engines.backpropagation.codes import (
    ACTIVATIONS,
    DONE,
    LOSSES,
    PARAMETERS_ARE_NOT_FINITE,
)
from nnintro.engines.call import Call
from nnintro.engines.compiled import load_kernel, processor
from nnintro.engines.engine import Advance, Interrupted
from nnintro.engines.flat import OptimizerMemory, flatten
from nnintro.engines.machine import find_blas, flushed
from nnintro.engines.orders import Orders
from nnintro.engines.pace import Pace

Array = npt.NDArray[Any]

SLICE = 1 << 16
"""Parameters that are looked at at a time."""

TILE = 256
"""Rows a thread takes through the network at a time: speed hardly depends on it, memory does."""


class Fused:
    """Carries out updates on a flat copy-free view of an MLP's parameters.

    Args:
        network: its ``parameters()`` are W, b of each layer in order; they become views of one
            array.
        inputs: (samples, features); targets: (samples, outputs), or (samples,) class numbers.
        rates: (start, stop) -> the learning rates of those updates.
        threads: cores that may be used.
        say: told once that the kernel is being compiled, if it is.
        interrupted: asked whether to give up waiting for that.

    Raises:
        KeyboardInterrupt: ``interrupted`` said so.
        NnintroError: the kernel could not be compiled.
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
        threads: int = 1,
        say: Callable[[str], None] = lambda _: None,
        interrupted: Interrupted = lambda: False,
    ) -> None:
        self.plan, self.rates, self.clip = plan, rates, clip_norm or 0.0
        self.flat = flatten(list(network.parameters()))
        self.parameters: Array = self.flat.numpy()
        self.memory = OptimizerMemory(optimizer, list(network.parameters()), self.flat)
        self.orders = Orders(order, plan)
        rows = min(plan.batch_size, plan.samples)
        samples = plan.samples if plan.variant == "batch" else rows
        parts = problem.parts(samples, rows, threads)
        self.blas = find_blas(self.parameters.dtype, processor())
        kernel = load_kernel(self.parameters.dtype, say, interrupted)
        self.call = Call(kernel, self.blas, parts)
        self.report = np.zeros(2)
        self._tell_data(inputs, targets, rows)
        self._tell_network(problem)
        self._tell_memory(problem)
        self._pace = Pace(parts)
        self._good: list[Array] = []

    def _tell_data(self, inputs: Tensor, targets: Tensor, rows: int) -> None:
        blocks = len(self.plan.blocks(0)) if self.plan.variant == "batch" else 1
        self._tile = min(-(-rows // self.call.parts), TILE)
        plan = (self.plan.updates_per_epoch, self.plan.samples, rows, blocks, self._tile)
        t = targets.reshape(len(targets), -1).to(self.flat.dtype)
        self._targets = t.shape[1]
        self.call.tell("x", inputs.contiguous().numpy())
        self.call.tell("t", t.contiguous().numpy())
        self.call.tell("plan", np.array(plan))

    def _tell_network(self, problem: Problem) -> None:
        """The network, the loss and the optimizer in the kernel's codes."""
        tell, number = self.call.tell, self.call.set
        pairs = list(zip(problem.widths[:-1], problem.widths[1:], strict=True))
        sizes = [size for inputs, outputs in pairs for size in (inputs * outputs, outputs)]
        tell("parameters", self.parameters)
        tell("widths", np.array(problem.widths))
        tell("codes", np.array([ACTIVATIONS.index(name) for name in problem.activations]))
        tell("offsets", np.cumsum([0, *sizes[:-1]]).reshape(-1, 2))
        tell("one", self.memory.arrays[0])
        tell("two", self.memory.arrays[1])
        tell("settings", self.memory.settings)
        number("loss", LOSSES.index(problem.loss))
        number("one_hot", problem.one_hot)
        number("optimizer", self.memory.code)

    def _tell_memory(self, problem: Problem) -> None:
        """Working memory: a gradient of every part; outputs and slopes of its tile of rows."""
        widths, parts = problem.widths, self.call.parts
        places = parts * self._tile
        # From torch, for the sake of its alignment: MKL's bits depend on where a matrix begins.
        dtype = self.flat.dtype
        self._gradients: Array = torch.zeros((parts, len(self.flat)), dtype=dtype).numpy()
        self.call.tell("gradient", self._gradients.reshape(-1))
        for name, columns in (("u", sum(widths)), ("delta", sum(widths)),
                              ("scratch", max(widths)), ("targets", self._targets)):  # fmt: skip
            self.call.tell(name, torch.zeros(places * columns, dtype=dtype).numpy())
        self.call.tell("report", self.report)

    @property
    def gradient(self) -> Array:
        """(parameters,) of the last update."""
        gradient: Array = self._gradients[0]
        return gradient

    def advance(self, start: int, stop: int, interrupted: Interrupted) -> Advance:
        """Make the updates from ``start`` up to ``stop``."""
        self.memory.adopt()
        step = start
        before: Array | None = None
        with self.blas.alone(), flushed():
            while step < stop and not interrupted():
                good = self._kept()
                before = good[0] if step == stop - 1 else None
                end = min(max(stop - 1, step + 1), self.orders.last_of_chunk(step))
                ended, step = self._stretch(step, end, good)
                if ended != DONE:
                    self.memory.count(step)
                    return Advance(step, diverged=True)
        self.memory.count(step)
        return Advance(step) if before is None else Advance(step, *self._measured(before))

    def _kept(self) -> list[Array]:
        """The parameters and the optimizer's memory as they are; in the same arrays every time."""
        arrays = (self.parameters, *self.memory.arrays)
        if not self._good:
            self._good = [np.zeros_like(array) for array in arrays]
        begun = time.perf_counter()
        for saved, array in zip(self._good, arrays, strict=True):
            saved[...] = array
        self._pace.between(time.perf_counter() - begun)
        return self._good

    def _stretch(self, start: int, stop: int, good: list[Array]) -> tuple[int, int]:
        """One call, up to ``stop`` at most; parameters that are spoiled are taken back.

        Args:
            good: the parameters and the optimizer's memory, before.
        """
        together, updates = self._pace.next()
        begun = time.perf_counter()
        ended, step = self._descend(start, min(start + updates, stop), together=together)
        self._pace.note(step - start, time.perf_counter() - begun, together=together)
        if ended == PARAMETERS_ARE_NOT_FINITE:
            for array, saved in zip((self.parameters, *self.memory.arrays), good, strict=True):
                array[...] = saved
            self._descend(start, step, together=together)
        return ended, step

    def _descend(self, start: int, stop: int, *, together: bool) -> tuple[int, int]:
        self.call.tell("orders", self.orders.of(start, stop))
        self.call.tell("rates", self.rates(start, stop))
        self.call.set("start", start)
        self.call.set("stop", stop)
        return self.call(self.clip, together=together)

    def _measured(self, before: Array) -> tuple[float, float]:
        """Gradient norm and update ratio of the last update."""
        nothing = np.broadcast_to(np.zeros(1, before.dtype), before.shape)
        change, size = _distance(self.parameters, before), _distance(before, nothing)
        return float(self.report[0]), change / size if size > 0 else float("nan")


def _distance(one: Array, other: Array) -> float:
    """The Euclidean distance, added up in float64, without a copy of that size."""
    squares = 0.0
    with np.errstate(over="ignore"):  # beyond all numbers it is an infinity
        for at in range(0, len(one), SLICE):
            part = slice(at, at + SLICE)
            difference = one[part].astype(np.float64) - other[part]
            squares += float(difference @ difference)
    return math.sqrt(squares)


PART_NANOSECONDS = 8000
"""Work of an update that a thread of its own is worth: meeting takes a fraction of it."""


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

    def parts(self, samples: int, rows: int, threads: int) -> int:
        """Threads that pay for an update over so many samples, in blocks of so many rows.

        By an estimate of its nanoseconds on one, so that a config has its bits wherever there are
        as many ``threads``.
        """
        weights = sum(a * b for a, b in zip(self.widths[:-1], self.widths[1:], strict=True))
        work = samples * (0.2 * weights + 0.8 * sum(self.widths[1:])) + 0.5 * weights
        return max(1, min(threads, rows, int(work / PART_NANOSECONDS)))
