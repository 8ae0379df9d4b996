"""The reference engine: plain torch, one update after another; it serves every module."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, cast

import torch
from torch import Tensor, nn

from nnintro.descent.streams import derive
from nnintro.descent.variants import Plan, Rows
from nnintro.engines.engine import Advance, Interrupted, Work
from nnintro.engines.shares import Shares
from nnintro.models.forward import Autocast
from nnintro.objectives.losses import Loss


@dataclass
class Autograd:
    """Gradients by torch.autograd, steps by torch.optim.

    Nothing here waits for the device within a stretch of updates: whether all of them stayed finite
    is asked once, at its end.  Only when they did not is the stretch walked again from its start,
    with a look at every update, to end on the last good parameters.
    """

    network: nn.Module
    loss: Loss
    plan: Plan
    batches: Rows
    optimizer: torch.optim.Optimizer
    learning_rate: Callable[[int], float]
    clip_norm: float | None = None
    autocast: Autocast = contextlib.nullcontext
    before_update: Callable[[int], None] = lambda _: None
    """Called with the update's number; sets dropout's random stream to it."""
    shares: Shares | None = None
    """What divides the updates among several processes; None in one."""
    name: str = "autograd"

    def __post_init__(self) -> None:
        self.parameters = [p for p in self.network.parameters() if p.requires_grad]
        self._is_lbfgs = isinstance(self.optimizer, torch.optim.LBFGS)
        self._gradient_norm: Tensor | None = None
        self._good = _Snapshot(self.network, self.optimizer)
        self._before: list[Tensor] = []

    def advance(self, start: int, stop: int, interrupted: Interrupted, *, measured: bool = True) -> Advance:
        """Make the updates from ``start`` up to ``stop``."""
        if self.shares is None:
            return self._advance(start, stop, interrupted, measured=measured)
        with self.shares.in_use(interrupted) as agreed:
            return self._advance(start, stop, agreed, measured=measured)

    def _advance(self, start: int, stop: int, interrupted: Interrupted, *, measured: bool) -> Advance:
        self.network.train()
        # The same memory for every stretch: taking 125 MB anew costs more than copying them.
        self._good.take()
        before: list[Tensor] = []
        step, total = start, torch.zeros((), device=self.parameters[0].device)
        while step < stop and not interrupted():
            measure = measured and step == stop - 1
            if measure:
                before = self._before = _copied(self.parameters, self._before)
            total += self._update(step, measure=measure)
            step += 1
        if not self._is_finite(total):
            self._good.restore()
            return self._advance_carefully(start, step)
        return Advance(step, *self._measured(before))

    def _advance_carefully(self, start: int, stop: int) -> Advance:
        """The same updates once more, up to the last one that keeps everything finite."""
        for step in range(start, stop):
            self._good.take()
            loss = self._update(step, measure=False)
            if not self._is_finite(loss):
                self._good.restore()
                return Advance(step, diverged=True)
        # Finite one by one: only the sum of the losses overflowed.
        return Advance(stop)

    def _is_finite(self, loss: Tensor) -> bool:
        """Whether a loss and all parameters are; in several processes: whether they are in each."""
        finite = bool(loss.isfinite()) and _all_finite(self.parameters)
        return finite if self.shares is None else self.shares.world.all(finite)

    def _update(self, step: int, *, measure: bool) -> Tensor:
        """One update; returns its loss, ()."""
        self.before_update(step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(step)
        epoch, update = divmod(step, self.plan.updates_per_epoch)
        if self._is_lbfgs:
            # It asks for the gradient several times, at points of its own choice.
            closure = cast(Callable[[], float], lambda: self._gradient(epoch, update))
            return torch.as_tensor(self.optimizer.step(closure)).detach()
        loss = self._gradient(epoch, update)
        if self.clip_norm is not None:
            self._gradient_norm = nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        elif measure:
            self._gradient_norm = self._norm_of_gradient()
        self.optimizer.step()
        return loss

    def _gradient(self, epoch: int, update: int) -> Tensor:
        """Put sum_b weight_b * grad(mean loss over block b) into ``.grad``; the loss, ()."""
        for parameter in self.parameters:
            parameter.grad = None
        total = None
        for whole in self.plan.blocks(update):
            block = whole if self.shares is None else self.shares.of(whole)
            inputs, targets = self.batches.rows(epoch, block)
            with self.autocast():
                loss = self.loss(self.network(inputs), targets)
            if block.weight != 1.0:
                loss = loss * block.weight
            loss.backward()  # type: ignore[no-untyped-call]
            total = loss.detach() if total is None else total + loss.detach()
        assert total is not None
        return total if self.shares is None else self.shares.add_up(self.parameters, total)

    def _measured(self, before: list[Tensor]) -> tuple[float, float]:
        """Gradient norm and update ratio of the last update, where it was made."""
        if not before:
            return float("nan"), float("nan")
        if self._is_lbfgs:
            self._gradient_norm = self._norm_of_gradient()
        after = [p.detach() for p in self.parameters]
        change = nn.utils.get_total_norm([a - b for a, b in zip(after, before, strict=True)])
        size = nn.utils.get_total_norm(before)
        ratio = float(change) / float(size) if float(size) > 0 else float("nan")
        assert self._gradient_norm is not None, "an update that was measured has its gradient's norm"
        return float(self._gradient_norm), ratio

    def _norm_of_gradient(self) -> Tensor:
        return nn.utils.get_total_norm([torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters])


def _all_finite(tensors: list[nn.Parameter]) -> bool:
    return bool(torch.stack([t.detach().isfinite().all() for t in tensors]).all())


class _Snapshot:
    """A network's state and its optimizer's, to go back to."""

    def __init__(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.network, self.optimizer = network, optimizer
        self.tensors: list[Tensor] = []
        self.state: dict[Any, Any] = {}

    def take(self) -> None:
        """Copy how things are now, into the memory of the snapshot before."""
        self.tensors = _copied(self._live(), self.tensors)
        self.state = _copied(self.optimizer.state, self.state)

    def _live(self) -> list[Tensor]:
        return [*self.network.parameters(), *self.network.buffers()]

    def restore(self) -> None:
        with torch.no_grad():
            for live, saved in zip(self._live(), self.tensors, strict=True):
                live.copy_(saved)
        self.optimizer.state.clear()
        self.optimizer.state.update(_copied(self.state))


def _copied(value: Any, memory: Any = None) -> Any:
    """A deep copy; of tensors in the memory of an earlier copy that has the same shape."""
    if isinstance(value, Tensor):
        if isinstance(memory, Tensor) and memory.shape == value.shape:
            return memory.copy_(value.detach())
        return value.detach().clone()
    if isinstance(value, dict):
        known = memory if isinstance(memory, dict) else {}
        return {key: _copied(item, known.get(key)) for key, item in value.items()}
    if isinstance(value, list):
        earlier = memory[: len(value)] if isinstance(memory, list) else []
        return [_copied(item, copy) for item, copy in zip_longest(value, earlier)]
    return value


def build_autograd(work: Work) -> Autograd:
    """The engine that serves everything."""
    seed = work.setup.seed
    return Autograd(
        network=work.network,
        loss=work.loss,
        plan=work.plan,
        batches=work.train.batches(work.order, work.plan.batch_size, lambda epoch: derive(seed, "augmentation", epoch)),
        optimizer=work.optimizer,
        learning_rate=work.learning_rate,
        clip_norm=work.setup.descent.clip_norm,
        autocast=work.autocast,
        before_update=work.give_stream_to_dropout(),
        shares=Shares(work.world, work.network) if work.world.size > 1 else None,
    )
