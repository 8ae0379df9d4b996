"""The graph engine: on CUDA, many updates of any network of fixed shapes in one launch.

A small network's update is some dozens of kernels of a few microseconds each, and starting them one
by one from Python takes longer than their work.  A CUDA graph starts them all together.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nnintro.datasets import Data
from nnintro.descent.optimizers import kind_of
from nnintro.engines.captured.launch import LENGTHS, Captured, CaptureError, Eager, Launcher, Launching
from nnintro.engines.captured.step import Step, Tape
from nnintro.engines.captured.updates import EQUATIONS, Memory, factors
from nnintro.engines.engine import Advance, Interrupted, Work
from nnintro.models import Mlp, Steps

MODELS = (Mlp, Steps)
ACTIVATIONS = frozenset({
    "identity", "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus",
    "sine",
})  # fmt: skip
LOSSES = frozenset({"mse", "mae", "huber", "cross_entropy", "bce"})
"""What was compared with autograd (tests/engines/test_graph.py), as the ``EQUATIONS`` were: what
waits for the host cannot be captured, and of an operation only a test shows whether it does."""
MOST_BLOCKS = 64
"""Blocks that a launch holds at most: every one is captured, as a few dozen kernels."""


def why_not(work: Work, device: torch.device) -> Iterator[str]:
    """Whatever keeps the engine from serving, each in a few words."""
    optimizer, blocks = kind_of(work.optimizer), work.plan.blocks_per_update
    if device.type != "cuda":
        yield f"the device {device}"
    if not isinstance(work.train, Data):
        yield "images"
    if optimizer not in EQUATIONS:
        yield f"the optimizer {optimizer}"
    if blocks > MOST_BLOCKS:
        yield f"updates of {blocks} blocks (at most {MOST_BLOCKS})"
    if type(work.network) not in MODELS:
        yield f"model kind {work.setup.model.kind}"
    if work.setup.loss_name not in LOSSES:
        yield f"the loss {work.setup.loss_name}"
    for name in work.activations:
        if name not in ACTIVATIONS:
            yield f"the activation {name}"


class Graph:
    """Carries out updates by replaying them.

    As with ``Autograd`` nothing waits for the result of an update within a stretch: whether all of
    them stayed finite is asked once, at its end, and only if not is it walked again, one update
    at a time, to end on the last good parameters.

    Args:
        work: its network's parameters become views of one tensor.
        launching: how the step is run; ``Eager`` for the plain twin.

    Raises:
        CaptureError: the update cannot be captured, or a replay is not that update; the network is
            as it was.
    """

    name = "graph"

    def __init__(self, work: Work, launching: Launching = Captured) -> None:
        assert isinstance(work.train, Data)
        self.network, plan = work.network, work.plan
        # Dropout's stream is set to an update before its launch, so each is launched by itself.
        self.before_update = work.give_stream_to_dropout()
        self.memory = memory = Memory(work.network, work.optimizer)
        rates = work.learning_rate

        def factors_of(start: int, stop: int) -> npt.NDArray[np.float64]:
            return factors(memory.settings, rates.between(start, stop), start)

        self.tape = Tape(plan, work.order, factors_of, memory.weights)
        self.step = Step(work, work.train, self.tape, memory)
        room = min(self.tape.capacity, MOST_BLOCKS // plan.blocks_per_update)
        longest = 1 if work.dropout else max(room, 1)
        self.lengths = tuple(count for count in LENGTHS if count <= longest)
        generators = {layer.generator for layer in work.dropout if layer.generator is not None}
        self.network.train()
        good = memory.copies()
        try:
            self.launcher = launching(self.step, self.lengths, tuple(generators))
            self._rehearse(good)
        finally:
            memory.restore(good)

    def _rehearse(self, good: list[Tensor]) -> None:
        """Every launch that is ready, from the same start as the updates it stands for."""
        first_short = self._next_short(0)
        kinds = [(0, count, False) for count in self.lengths if count <= max(first_short, 1)]
        if self.step.short_rows > 0:
            kinds.append((self.step.plan.updates_per_epoch - 1, 1, True))
        for start, count, short in kinds:
            if short or not self.step.is_short(start):
                one, other = (
                    self._outcome(good, launcher, start, count, short=short)
                    for launcher in (Eager(self.step, (), ()), self.launcher)
                )
                if not _alike(one, other, good[0]):
                    raise CaptureError(f"a replay of {count} updates is not what they are")

    def _outcome(self, good: list[Tensor], launcher: Launcher, start: int, count: int, *, short: bool) -> Tensor:
        """The weights after a launch."""
        self.memory.restore(good)
        self.tape.seek(start)
        self.before_update(start)
        launcher.launch(count, short=short)
        return self.memory.weights.clone()

    def advance(self, start: int, stop: int, interrupted: Interrupted, *, measured: bool = True) -> Advance:
        """Make the updates from ``start`` up to ``stop``."""
        self.network.train()
        self.memory.adopt()
        good = self.memory.copies()
        finite = torch.ones((), dtype=torch.bool, device=self.memory.weights.device)
        before: Tensor | None = None
        self.tape.seek(start)
        seen = step = start
        while step < stop and not interrupted():
            if step == self.tape.stop:
                finite &= self.tape.finite(seen, step)
                self.tape.seek(step)
                seen = step
            if measured and step == stop - 1:
                before = self.memory.weights.clone()
            step = self._launch(step, stop)
        finite &= self.tape.finite(seen, step) & self.memory.weights.isfinite().all()
        if not bool(finite):
            self.memory.restore(good)
            return self._advance_carefully(start, step)
        self.memory.count(step)
        return Advance(step) if before is None else Advance(step, *self._measured(before))

    def _launch(self, step: int, stop: int) -> int:
        """The updates from ``step`` on that go together; returns the next one.

        The stretch's last update goes alone: its change of the weights is measured.
        """
        short = self.step.is_short(step)
        end = step + 1 if short else min(stop - 1, self.tape.stop, self._next_short(step))
        count = next((n for n in self.lengths if step + n <= end), 1)
        self.before_update(step)
        self.launcher.launch(count, short=short)
        return step + count

    def _next_short(self, step: int) -> int:
        per_epoch = self.step.plan.updates_per_epoch
        epoch_end = (step // per_epoch + 1) * per_epoch
        return epoch_end - 1 if self.step.short_rows > 0 else step + self.tape.capacity

    def _advance_carefully(self, start: int, stop: int) -> Advance:
        """The same updates once more, up to the last one that keeps everything finite."""
        for step in range(start, stop):
            good = self.memory.copies()
            self.tape.seek(step)
            self._launch(step, step + 1)
            finite = self.tape.finite(step, step + 1) & self.memory.weights.isfinite().all()
            if not bool(finite):
                self.memory.restore(good)
                self.memory.count(step)
                return Advance(step, diverged=True)
        self.memory.count(stop)
        return Advance(stop)

    def _measured(self, before: Tensor) -> tuple[float, float]:
        """Gradient norm and update ratio of the last update."""
        vectors = (self.step.gradient, self.memory.weights - before, before)
        norms = [torch.linalg.vector_norm(vector, dtype=torch.float64) for vector in vectors]
        gradient, change, size = torch.stack(norms).tolist()
        return gradient, change / size if size > 0 else float("nan")


def _alike(one: Tensor, other: Tensor, before: Tensor) -> bool:
    """Whether two updates of the weights ``before`` differ by no more than rounding could."""
    norm, eps = torch.linalg.vector_norm, torch.finfo(before.dtype).eps
    finite = one.isfinite()
    if not torch.equal(finite, other.isfinite()):
        return False
    expected, replayed, start = (weights[finite].double() for weights in (one, other, before))
    allowed = 0.01 * norm(expected - start) + 64 * eps * norm(start)
    return bool(norm(expected - replayed) <= allowed)
