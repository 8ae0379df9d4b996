"""Train in memory: no folder, no display, no figures; the same bits as ``train``."""

from __future__ import annotations

import bisect
import copy
import functools
import math
import numbers
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nnintro.config.load import load_config
from nnintro.errors import DivergedError, UsageError, memory_for
from nnintro.models.forward import own_modes, threads, threads_for, threads_here
from nnintro.runs.history import COUNTS
from nnintro.runs.state import Outcome
from nnintro.runs.trained import Trained
from nnintro.training.checkpointer import on_cpu
from nnintro.training.evaluation import Evaluator, build_evaluator
from nnintro.training.hint import divergence
from nnintro.training.loop import Point
from nnintro.training.setup import Parts, assemble, build_data

Parameters = dict[str, Tensor]
MOST_KEPT = 1 << 24
"""Numbers that looks may keep in all (64 MB in float32), to be measured when they are asked for."""


class Fitted(Trained):
    """A network trained in memory.

    Attributes:
        model: the trained module in evaluation mode, on the CPU; takes raw inputs.
        metrics: ``train/loss`` and ``validation/<metric>`` of the trained network.
        status: completed, stopped (by a stopping rule), or interrupted (by ``stop``).
        steps: parameter updates that were made.
        seconds: spent in updates alone.
        snapshots: update -> name of a parameter of ``model`` -> its value then, on the CPU.
        training, validation: the samples in the units that the network was trained in.  Rows have
            ``inputs`` (n, features) and ``targets``; images have ``rows(numbers)``, which gives
            those of these numbers: (b, channels, height, width) and their masks.
        setup: the config with its defaults, and what the data says.
    """

    def __init__(self, parts: Parts, outcome: Outcome, looks: _Looks, snapshots: dict[int, Parameters]) -> None:
        self.metrics: dict[str, float] = parts.evaluator.measure(parts.train)
        super().__init__(parts.model.cpu().eval(), parts.setup)
        self.status, self.steps, self.seconds = outcome.status, outcome.step, outcome.seconds
        self.snapshots = snapshots
        self.training, self.validation = parts.train, parts.validation
        self._looks, self._order = looks, parts.order

    @functools.cached_property
    def history(self) -> dict[str, list[float | None]]:
        """Column name -> values, as ``Run.history``; None where nothing was measured."""
        return self._looks.history()

    def order(self, epoch: int) -> Tensor:
        """(n,) numbers of the training samples in the order of an epoch, from 0."""
        rows = self._order(epoch)
        return torch.arange(len(self.training)) if rows is None else rows

    def __repr__(self) -> str:
        return f"Fitted({self.setup.experiment.name!r}, {self.status} after {self.steps} updates)"


def fit(
    config: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    snapshots: Sequence[int] = (),
    stop: threading.Event | None = None,
    smoke: bool = False,
) -> Fitted:
    """Train a network as a config says, in memory; several may run at once, in threads.

    Torch's global state (threads, default dtype, random state, grad mode) is left as it was.

    Args:
        config: path of a YAML file, or the same content as a dict.
        overrides: ``"training.epochs=50"`` and the like, laid over the config.
        snapshots: updates after which to keep the parameters; 0 is the start.  Those that the
            training does not come to are missing in ``Fitted.snapshots``.
        stop: once it is set, training ends at the next update, with the status ``interrupted``
            (the fused engine's first compilation on a machine is waited for).
        smoke: at most 256 samples and 20 updates.

    Raises:
        ConfigError: everything that is wrong with the config, each with its place.
        DataError: the data cannot be used.
        DivergedError: the loss left the finite numbers.
        UsageError: a snapshot is not a number of updates.
        OutOfMemoryError: the machine has not the memory.
    """
    wanted = _numbers_of_updates(snapshots)
    loaded = load_config(config, overrides)
    loaded = loaded.smoked() if smoke else loaded
    interrupted = (lambda: False) if stop is None else stop.is_set
    threads_here()  # before torch's first operation in this thread settles the number by itself
    with own_modes():
        with loaded.locating():
            splits = build_data(loaded.experiment)
            parts = assemble(loaded.setup(splits.found), splits)
        count = threads_for(parts.network, parts.plan.batch_size)
        with threads(count):
            with memory_for(parts.need):
                looks, keeper = _Looks(parts, count), _Snapshots(parts, wanted)
                outcome = parts.loop(looks.measure, looks, keeper, interrupted).run()
            if outcome.status == "diverged":
                raise DivergedError(divergence(parts.setup, splits, outcome.reason))
            return Fitted(parts, outcome, looks, keeper.taken)


def _numbers_of_updates(snapshots: Sequence[int]) -> list[int]:
    for update in snapshots:
        if isinstance(update, bool) or not isinstance(update, numbers.Integral) or update < 0:
            raise UsageError(f"snapshots: expected numbers of updates from 0, got {update!r}")
    return sorted({int(update) for update in snapshots})


class _Looks:
    """What the loop observes: points, and the network then.

    Measuring costs more than the updates of a small network: the parameters are kept in the place of their metrics,
    and measured when somebody looks.
    """

    def __init__(self, parts: Parts, count: int) -> None:
        self._parts, self._sample = parts, parts.measured_sample()
        self._threads = count
        self._points: list[Point] = []
        self._networks: list[Parameters] = []
        kept = len(parts.moments) * sum(p.numel() for p in parts.network.parameters())
        self._later = kept <= MOST_KEPT
        # A model of its own, on the device and in the precision of the training: whoever has the trained one may change
        # it, and ``Fitted`` moves it to the CPU, before the history is asked for.  One copy, as one may hold the other.
        pair = parts.network, parts.model
        self._network, self._model = copy.deepcopy(pair) if self._later else pair
        if self._later:
            _lay_out_alike(self._network, parts.network)
        self._autocast = parts.autocast
        # Once: the engines write into these tensors, and to ask for them takes longer than a copy.
        self._live = parts.network.state_dict()

    def measure(self) -> dict[str, float]:
        return {} if self._later else self._parts.evaluator.measure(self._sample)

    def observe(self, point: Point, *, last: bool) -> None:
        """Keep a point, as ``recording.Recorder`` writes it."""
        again = bool(self._points) and self._points[-1].step == point.step
        scalars = self._parts.setup.experiment.logging.scalars != "off"
        if not again and (scalars or last or point.step == 0):
            self._points.append(point)
            if self._later:
                self._networks.append(on_cpu(self._live))

    def progress(self, step: int, seconds: float) -> None:
        """Nobody watches."""

    def history(self) -> dict[str, list[float | None]]:
        rows = [
            {"step": p.step, "epoch": p.epoch, "samples": p.samples, "seconds": p.seconds} | measured
            for p, measured in zip(self._points, self._scalars(), strict=True)
        ]
        names = dict.fromkeys([*COUNTS, *self._parts.tags])
        return {name: [_or_none(row.get(name)) for row in rows] for name in names}

    def _scalars(self) -> list[dict[str, float]]:
        if not self._later:
            return [dict(point.scalars) for point in self._points]
        parts = self._parts
        evaluator = build_evaluator(
            parts.setup, self._network, self._model, parts.loss, parts.validation, self._autocast
        )
        with threads(self._threads):
            return [
                {**self._measured(evaluator, state), **point.scalars}
                for point, state in zip(self._points, self._networks, strict=True)
            ]

    def _measured(self, evaluator: Evaluator, state: Parameters) -> dict[str, float]:
        with torch.no_grad():
            self._network.load_state_dict(state)
        return evaluator.measure(self._sample)


def _lay_out_alike(network: nn.Module, original: nn.Module) -> None:
    """Have parameters begin where the original's do within their memory, on which a product's last bits depend.

    An engine may have put them one behind the other; copied one by one, each begins at a boundary of its own.
    """
    memory: dict[int, torch.UntypedStorage] = {}
    for parameter, wanted in zip(network.parameters(), original.parameters(), strict=True):
        storage = wanted.untyped_storage()
        held = memory.setdefault(storage.data_ptr(), storage.clone())  # type: ignore[no-untyped-call]
        empty = torch.empty(0, dtype=wanted.dtype, device=wanted.device)
        parameter.data = empty.set_(held, wanted.storage_offset(), wanted.size(), wanted.stride())


def _or_none(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


class _Snapshots:
    """Keeps the parameters after the updates that were asked for; a ``loop.Keeper``."""

    def __init__(self, parts: Parts, wanted: Sequence[int]) -> None:
        self.taken: dict[int, Parameters] = {}
        self._model, self._wanted, self._chosen = parts.model, wanted, frozenset(wanted)
        self._take(0)

    def next_stop(self, step: int) -> int | None:
        following = bisect.bisect_right(self._wanted, step)
        return self._wanted[following] if following < len(self._wanted) else None

    def offer(self, outcome: Outcome) -> None:
        self._take(outcome.step)

    save = offer

    def _take(self, step: int) -> None:
        if step in self._chosen:
            self.taken[step] = on_cpu(dict(self._model.named_parameters()))
