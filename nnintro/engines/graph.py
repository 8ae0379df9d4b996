"""The graph engine: on CUDA, many updates of any network of fixed shapes in one launch.

A small network's update is some dozens of kernels of a few microseconds each, and starting them one
by one from Python takes longer than their work.  A CUDA graph starts them all together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from nnintro.descent.variants import Order, Plan
from nnintro.engines.captured.launch import (
    LENGTHS,
    Captured,
    CaptureError,
    Eager,
    Launcher,
    Launching,
)
from nnintro.engines.captured.memory import Memory
from nnintro.engines.captured.step import Autocast, Loss, Step
from nnintro.engines.captured.tape import Tape
from nnintro.engines.captured.updates import factors
from nnintro.engines.engine import Advance, Interrupted

MOST_BLOCKS = 64
"""Blocks that a launch holds at most: every one is captured, as a few dozen kernels."""


class Graph:
    """Carries out updates by replaying them.

    As with ``Autograd`` nothing waits for the result of an update within a stretch: whether all of
    them stayed finite is asked once, at its end, and only if not is it walked again, one update
    at a time, to end on the last good parameters.

    Args:
        network: on its device; its parameters become views of one tensor.
        inputs: (samples, features); targets: (samples, ...), on that device too.
        rates: (start, stop) -> the learning rates of those updates.
        before_update: called with an update's number before it is launched, and then each is
            launched by itself; sets dropout's random stream to it.
        generators: what the network draws from.
        launching: how the step is run; ``Eager`` for the plain twin.

    Raises:
        CaptureError: the update cannot be captured, or a replay is not that update; the network is
            as it was.
    """

    name = "graph"

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        plan: Plan,
        inputs: Tensor,
        targets: Tensor,
        order: Order,
        optimizer: torch.optim.Optimizer,
        rates: Callable[[int, int], npt.NDArray[np.float64]],
        clip_norm: float | None = None,
        autocast: Autocast = contextlib.nullcontext,
        before_update: Callable[[int], None] | None = None,
        generators: tuple[torch.Generator, ...] = (),
        launching: Launching = Captured,
    ) -> None:
        self.network, self.before_update = network, before_update
        self.memory = memory = Memory(network, optimizer)

        def factors_of(start: int, stop: int) -> npt.NDArray[np.float64]:
            return factors(memory.settings, rates(start, stop), start)

        self.tape = Tape(plan, order, factors_of, memory.weights)
        self.step = Step(
            network, loss, plan, inputs, targets, self.tape, memory, clip_norm, autocast
        )
        room = min(self.tape.capacity, MOST_BLOCKS // len(plan.blocks(0)))
        longest = 1 if before_update is not None else max(room, 1)
        self.lengths = tuple(count for count in LENGTHS if count <= longest)
        network.train()
        good = memory.copies()
        try:
            self.launcher = launching(self.step, self.lengths, generators)
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

    def _outcome(
        self, good: list[Tensor], launcher: Launcher, start: int, count: int, *, short: bool
    ) -> Tensor:
        """The weights after a launch."""
        self.memory.restore(good)
        self.tape.seek(start)
        if self.before_update is not None:
            self.before_update(start)
        launcher.launch(count, short=short)
        return self.memory.weights.clone()

    def advance(self, start: int, stop: int, interrupted: Interrupted) -> Advance:
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
            if step == stop - 1:
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
        if self.before_update is not None:
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
    kept, found, start = (weights[finite].double() for weights in (one, other, before))
    allowed = 0.01 * norm(kept - start) + 64 * eps * norm(start)
    return bool(norm(kept - found) <= allowed)
