"""Suggest a learning rate after divergence, by trying smaller ones until the loss decreases."""

from __future__ import annotations

import math
import time
from typing import Any

from nnintro.config.experiment import Setup
from nnintro.datasets import Data, Splits
from nnintro.models.forward import outputs_of
from nnintro.training.setup import assemble

PROBED_UPDATES = 50
BUDGET_SECONDS = 2.0


def one_digit(value: float) -> float:
    """Rounded down to one significant digit."""
    power = math.floor(math.log10(value))
    return float(f"{math.floor(value / 10**power * (1 + 1e-9))}e{power}")


def learning_rate_to_try(setup: Setup, splits: Splits[Any]) -> float | None:
    """The largest of rate/3, rate/10, rate/30, ... that lowers the loss in its first 50 updates.

    None where none was found in two seconds, and for images, of which so many take longer.
    """
    if not isinstance(splits.train, Data):
        return None
    deadline = time.perf_counter() + BUDGET_SECONDS
    rate = setup.descent.learning_rate
    for halves in range(1, 17):
        candidate = one_digit(rate / 10 ** (halves / 2))
        if _descends(setup, splits, candidate, deadline):
            return candidate
        if time.perf_counter() > deadline:
            return None
    return None


def _descends(setup: Setup, splits: Splits[Any], rate: float, deadline: float) -> bool:
    """Whether the loss is lower after 50 updates, all of them made before the deadline."""
    descent = setup.descent.model_copy(update={"learning_rate": rate})
    experiment = setup.experiment.model_copy(update={"descent": descent})
    parts = assemble(Setup(experiment, setup.facts), splits)
    train = parts.train
    assert isinstance(train, Data)

    def current() -> float:
        return float(parts.loss(outputs_of(parts.network, train.inputs), train.targets))

    before = current()
    advance = parts.engine.advance(0, PROBED_UPDATES, lambda: time.perf_counter() > deadline)
    in_time = advance.step == PROBED_UPDATES and not advance.diverged
    return in_time and current() < before


def _begins_finite(setup: Setup, splits: Splits[Any]) -> bool:
    """Whether the loss of the network that training begins with is finite; taken for granted of images."""
    if not isinstance(splits.train, Data):
        return True
    parts = assemble(setup, splits)
    train = parts.train
    assert isinstance(train, Data)
    return math.isfinite(float(parts.loss(outputs_of(parts.network, train.inputs), train.targets)))


def divergence(setup: Setup, splits: Splits[Any], reason: str) -> str:
    """What to say of a training that diverged, ``after 7 updates`` for example, and what to try."""
    if reason == "after 0 updates" and not _begins_finite(setup, splits):
        wider = "" if setup.precision == "float64" else "precision: float64, "
        return (
            "training diverged: the loss is not finite before the first update, so no learning rate is to blame; "
            f"{wider}dataset.standardize, smaller targets or another model.initialization may help"
        )
    rate, found = setup.descent.learning_rate, learning_rate_to_try(setup, splits)
    if found is not None:
        hint = f"try a smaller learning rate: --set descent.learning_rate={found:g} (it was {rate:g})"
    else:
        hint = (
            f"a smaller learning rate may help, such as --set descent.learning_rate="
            f"{rate / 10:g} (it was {rate:g}; whether that descends was not seen)"
        )
    return f"training diverged {reason}: the loss is not finite; {hint}"
