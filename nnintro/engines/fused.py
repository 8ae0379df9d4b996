"""The fused engine: many updates of an MLP in one compiled call, on the module's own storage.

The mathematics is that of ``autograd``; what is gone is the overhead of a call per operation.  See
``backpropagation`` for the derivation.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nnintro.datasets import Data
from nnintro.descent.optimizers import kind_of
from nnintro.descent.streams import Orders
from nnintro.engines.backpropagation import codes
from nnintro.engines.call import Call, Pace
from nnintro.engines.compiled import load_kernel, processor
from nnintro.engines.engine import Advance, Interrupted, Say, Work
from nnintro.engines.flat import OptimizerMemory, flatten
from nnintro.engines.machine import find_blas, flushed
from nnintro.models import Mlp
from nnintro.objectives import losses
from nnintro.objectives.losses import AgainstOneHot, BinaryCrossEntropy, CrossEntropy, Loss

Array = npt.NDArray[Any]
PRECISIONS = ("float32", "float64")
LOSSES: dict[Loss, tuple[str, bool]] = {
    losses.mse: ("mse", False),
    losses.mae: ("mae", False),
    losses.huber: ("huber", False),
    AgainstOneHot(losses.mse): ("mse", True),
    AgainstOneHot(losses.mae): ("mae", True),
    AgainstOneHot(losses.huber): ("huber", True),
    BinaryCrossEntropy(): ("binary", False),
    CrossEntropy(): ("multiclass", False),
    losses.perceptron: ("perceptron", False),
}
"""Those that the kernel has: (its name in ``codes``, whether targets are class numbers that it is
to compare with one by one).  By the loss itself and not by the config's name for it: whatever is
not this very function is refused, and never trained as another."""

SLICE = 1 << 16
"""Parameters that are looked at at a time."""
TILE = 256
"""Rows a thread takes through the network at a time: speed hardly depends on it, memory does."""
PART_NANOSECONDS = 8000
"""Work of an update that a thread of its own is worth: meeting takes a fraction of it."""


def why_not(work: Work, device: torch.device) -> Iterator[str]:
    """Whatever keeps the kernel from serving, each in a few words."""
    network, loss, optimizer = work.network, work.loss, kind_of(work.optimizer)
    # A class derived from it may compute something else: the kernel knows this one.
    if type(network) is not Mlp:
        yield f"model kind {work.setup.model.kind}"
    if device.type != "cpu":
        yield f"the device {device}"
    if work.setup.precision not in PRECISIONS:
        yield f"precision {work.setup.precision}"
    if optimizer not in codes.OPTIMIZERS:
        yield f"the optimizer {optimizer}"
    if loss not in LOSSES:
        is_weighted = isinstance(loss, BinaryCrossEntropy | CrossEntropy)
        yield "class weights" if is_weighted else f"the loss {work.setup.loss_name}"
    if work.dropout:
        yield "dropout"
    for name in work.activations:
        if name not in codes.ACTIVATIONS:
            yield f"the activation {name}"


def parts_that_pay(widths: list[int], samples: int, rows: int, threads: int) -> int:
    """The number of threads worth their cost in an update over ``samples``, in blocks of ``rows``.

    By an estimate of its time on one thread, so that a config has its bits wherever there are as many threads.

    Args:
        widths: inputs, hidden widths, outputs.
    """
    weights = sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    nanoseconds = samples * (0.2 * weights + 0.8 * sum(widths[1:])) + 0.5 * weights
    return max(1, min(threads, rows, int(nanoseconds / PART_NANOSECONDS)))


class Fused:
    """Carries out updates on a flat copy-free view of an MLP's parameters.

    Args:
        work: its network's ``parameters()`` are W, b of each layer in order; they become views of
            one array.
        say: called once if the kernel is being compiled.
        interrupted: asked whether to give up waiting for that.

    Raises:
        KeyboardInterrupt: ``interrupted`` said so.
        NnintroError: the kernel could not be compiled.
    """

    name = "fused"

    def __init__(self, work: Work, say: Say, interrupted: Interrupted) -> None:
        network, train, plan = work.network, work.train, work.plan
        assert isinstance(network, Mlp)
        assert isinstance(train, Data)
        parameters, widths = list(network.parameters()), network.widths
        self.plan, self.rates = plan, work.learning_rate
        self.clip = work.setup.descent.clip_norm or 0.0
        self.flat = flatten(parameters)
        self.parameters: Array = self.flat.numpy()
        self.memory = OptimizerMemory(work.optimizer, parameters, self.flat)
        self.orders = Orders(work.order, plan.samples, plan.updates_per_epoch)
        rows = min(plan.batch_size, plan.samples)
        parts = parts_that_pay(widths, plan.samples_per_update, rows, torch.get_num_threads())
        self.blas = find_blas(self.parameters.dtype, processor())
        kernel = load_kernel(self.parameters.dtype, say, interrupted)
        self.call = Call(kernel, self.blas, parts)
        self.report = np.zeros(2)
        self._tile = min(-(-rows // parts), TILE)
        self._set_data(train, rows)
        self._set_network(work, widths)
        self._set_memory(widths)
        self._pace = Pace(parts)
        self._good: list[Array] = []

    def _set_data(self, train: Data, rows: int) -> None:
        """The samples and the plan, and memory for the targets of a tile of rows."""
        plan = self.plan
        numbers = plan.updates_per_epoch, plan.samples, rows, plan.blocks_per_update, self._tile
        targets = train.targets.reshape(len(train), -1).to(self.flat.dtype).contiguous()
        self.call.set_arrays(x=train.inputs.contiguous().numpy(), t=targets.numpy(), plan=np.array(numbers))
        self.call.set_arrays(targets=self._zeros(targets.shape[1]))

    def _set_network(self, work: Work, widths: list[int]) -> None:
        """The network, the loss and the optimizer in the kernel's codes."""
        activations = [codes.ACTIVATIONS.index(name) for name in work.activations]
        sizes = [parameter.numel() for parameter in work.network.parameters()]
        offsets = np.cumsum([0, *sizes[:-1]]).reshape(-1, 2)
        loss, one_hot = LOSSES[work.loss]
        one, two = self.memory.arrays
        self.call.set_arrays(parameters=self.parameters, widths=np.array(widths), codes=np.array(activations))
        self.call.set_arrays(offsets=offsets, one=one, two=two, settings=self.memory.settings)
        self.call.set_numbers(loss=codes.LOSSES.index(loss), one_hot=one_hot, optimizer=self.memory.code)

    def _set_memory(self, widths: list[int]) -> None:
        """Working memory: a gradient of every part; outputs and slopes of its tile of rows."""
        self._gradients: Array = torch.zeros((self.call.parts, len(self.flat)), dtype=self.flat.dtype).numpy()
        self.call.set_arrays(gradient=self._gradients.reshape(-1), report=self.report)
        u, delta, scratch = map(self._zeros, (sum(widths), sum(widths), max(widths)))
        self.call.set_arrays(u=u, delta=delta, scratch=scratch)

    def _zeros(self, columns: int) -> Array:
        # From torch, for the sake of its alignment: MKL's bits depend on where a matrix begins.
        memory: Array = torch.zeros(self.call.parts * self._tile * columns, dtype=self.flat.dtype).numpy()
        return memory

    def advance(self, start: int, stop: int, interrupted: Interrupted, *, measured: bool = True) -> Advance:
        """Make the updates from ``start`` up to ``stop``."""
        self.memory.adopt()
        step = start
        before: Array | None = None
        with self.blas.alone(), flushed():
            while step < stop and not interrupted():
                good = self._kept()
                before = good[0] if measured and step == stop - 1 else None
                # The last update goes alone where its change of the parameters is measured.
                end = min(max(stop - measured, step + 1), self.orders.end_of_chunk(step))
                ended, step = self._stretch(step, end, good)
                if ended != codes.DONE:
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
        """One call, up to ``stop`` at most; parameters that are not finite are taken back.

        Args:
            good: the parameters and the optimizer's memory, before.
        """
        together, updates = self._pace.next()
        begun = time.perf_counter()
        ended, step = self._descend(start, min(start + updates, stop), together=together)
        self._pace.note(step - start, time.perf_counter() - begun, together=together)
        if ended == codes.PARAMETERS_ARE_NOT_FINITE:
            for array, saved in zip((self.parameters, *self.memory.arrays), good, strict=True):
                array[...] = saved
            self._descend(start, step, together=together)
        return ended, step

    def _descend(self, start: int, stop: int, *, together: bool) -> tuple[int, int]:
        self.call.set_arrays(orders=self.orders.between(start, stop), rates=self.rates.between(start, stop))
        self.call.set_numbers(start=start, stop=stop)
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
