"""Schedules as pure functions of the update, against torch's own and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nnintro.config.descent import Descent
from nnintro.descent.schedules import SCHEDULES, WINDOW, LearningRate

TOTAL = 40


def rates(schedule, total=TOTAL):
    rate = learning_rate(schedule, total)
    return [rate(update) for update in range(total)]


def learning_rate(schedule, total):
    descent = Descent.model_validate({"learning_rate": 0.5, "schedule": schedule})
    return LearningRate(descent, total)


def torch_rates(make, total=TOTAL):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = make(optimizer)
    found = []
    for _ in range(total):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_constant():
    assert rates("constant") == [0.5] * TOTAL


def test_step_is_torchs():
    expected = torch_rates(lambda o: torch.optim.lr_scheduler.StepLR(o, 7, gamma=0.3))
    assert rates({"kind": "step", "every": 7, "factor": 0.3}) == pytest.approx(expected)


def test_exponential_is_torchs():
    gamma = 0.05 ** (1 / (TOTAL - 1))
    expected = torch_rates(lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma))
    assert rates({"kind": "exponential", "final": 0.05}) == pytest.approx(expected)


def test_cosine_is_torchs():
    expected = torch_rates(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, TOTAL - 1, eta_min=0.05))
    assert rates({"kind": "cosine", "final": 0.1}) == pytest.approx(expected)


def test_warmup_rises_in_a_line_and_ends_at_the_full_rate():
    found = rates({"kind": "cosine", "warmup_steps": 10})
    assert found[:10] == pytest.approx([0.05 * (k + 1) for k in range(10)])
    assert found[10] == pytest.approx(0.5)
    assert found[-1] == pytest.approx(0.0, abs=1e-15)
    assert all(math.isfinite(rate) for rate in found)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 5])
def test_short_runs_have_rates_between_zero_and_the_full_one(name, total):
    assert all(0 <= rate <= 0.5 for rate in rates(name, total))


def by_hand(name, k, total):
    """The formulas once more, for one update."""
    if name == "step":
        return 0.3 ** (k // 7)
    if name == "exponential":
        return 0.05 ** (k / max(total - 1, 1))
    if name == "constant":
        return 1.0
    angle = math.pi * ((k - 9) / max(total - 10, 1))
    return (k + 1) / 9 if k < 9 else 0.1 + 0.9 * (0.5 * (1 + float(np.cos(angle))))


SETTINGS = {
    "constant": {},
    "step": {"every": 7, "factor": 0.3},
    "exponential": {"final": 0.05},
    "cosine": {"warmup_steps": 9, "final": 0.1},
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [40, 5000])
def test_one_by_one_or_many_at_once_they_are_the_formula_to_the_bit(name, total):
    """Whichever engine asks, and the history; powers are the C library's on every machine."""
    rate = learning_rate({"kind": name, **SETTINGS[name]}, total)
    expected = [0.5 * by_hand(name, k, total) for k in range(total)]
    assert [rate(k) for k in range(total)] == expected
    assert rate.between(0, total).tolist() == expected
    for start, stop in [(3, 3), (17, 18), (11, 40), (WINDOW - 1, WINDOW + 2)]:
        assert rate.between(start, stop).tolist() == expected[start:stop] or stop > total
    for k in (total - 1, 0, total // 2, total // 2 + 1, 1):
        assert rate(k) == expected[k]


def test_the_table_has_four():
    assert sorted(SCHEDULES) == ["constant", "cosine", "exponential", "step"]
