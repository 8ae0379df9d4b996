"""Early stopping: a metric's goal is reached, or it no longer improves."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from nnintro.config.task import grows


def reached(wanted: Mapping[str, float], scalars: Mapping[str, float]) -> bool:
    """Whether every metric is at its wanted value or better.

    Better is smaller, but for accuracy, f1, auc and r2, where it is larger.
    """
    return bool(wanted) and all(
        scalars[tag] >= value if grows(tag) else scalars[tag] <= value for tag, value in wanted.items()
    )


@dataclass
class Patience:
    """Early stopping: remembers the best parameters, and since when there were none better.

    Prechelt (1998), with the patience counted in epochs.
    """

    metric: str
    patience: float
    minimum_improvement: float = 0.0
    best: float = field(default=math.nan, init=False)
    best_step: int = field(default=0, init=False)
    best_epoch: float = field(default=0.0, init=False)
    parameters: dict[str, Tensor] = field(default_factory=dict, init=False)

    def watch(self, scalars: Mapping[str, float], step: int, epoch: float, model: nn.Module) -> bool:
        """Take note of a measurement; returns whether patience has run out."""
        value = scalars[self.metric]
        if self._improves(value):
            self.best, self.best_step, self.best_epoch = value, step, epoch
            self.parameters = {k: v.detach().clone() for k, v in model.state_dict().items()}
        return self.may_run_out(epoch)

    def may_run_out(self, epoch: float) -> bool:
        """Whether ``watch`` may say so after this epoch."""
        return epoch - self.best_epoch >= self.patience

    def _improves(self, value: float) -> bool:
        if math.isnan(value) or math.isnan(self.best):
            return math.isnan(self.best) and not math.isnan(value)
        gain = value - self.best if grows(self.metric) else self.best - value
        return gain > self.minimum_improvement

    def state(self) -> dict[str, Any]:
        """What it knows, as tensors and plain values."""
        return {
            "metric": self.metric,
            "best": self.best,
            "best_step": self.best_step,
            "best_epoch": self.best_epoch,
            "parameters": self.parameters,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` of an earlier part of the run said.

        Raises:
            KeyError, ValueError, TypeError: it is not such a state.
        """
        if state["metric"] != self.metric:
            return  # another metric is watched from here on
        self.best, self.best_step = float(state["best"]), int(state["best_step"])
        self.best_epoch, self.parameters = float(state["best_epoch"]), dict(state["parameters"])

    @contextlib.contextmanager
    def best_in(self, model: nn.Module) -> Iterator[None]:
        """The best parameters in the model for a while, then its own again."""
        own = {k: v.detach().clone() for k, v in model.state_dict().items()}
        self.restore(model)
        try:
            yield
        finally:
            with torch.no_grad():
                model.load_state_dict(own)

    def restore(self, model: nn.Module) -> None:
        """Put the best parameters back."""
        if self.parameters:
            with torch.no_grad():
                model.load_state_dict(self.parameters)
