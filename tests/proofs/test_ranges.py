"""Ranges of activations: nothing of a million samples is outside, and hardly any room is left."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from flint import arb

from nnintro.models import ACTIVATIONS
from nnintro.proofs.balls import interval, precision
from nnintro.proofs.ranges import RANGES


@pytest.fixture(autouse=True)
def _bits():
    with precision():
        yield


def ends(ball):
    return float(ball.lower()), float(ball.upper())


def intervals(count):
    source = np.random.default_rng(0)
    middle = source.normal(0, 1, count) * source.choice([1.0, 4.0, 40.0], count)
    width = source.choice([1e-6, 0.01, 0.5, 3.0, 20.0], count)
    fixed = [(-1.0, 0.0), (0.0, 1.0), (-1.5, -1.2), (-0.8, -0.7), (1.4, 1.5), (2.3, 2.5)]
    return [*fixed, *zip(middle.tolist(), (middle + width).tolist(), strict=True)]


def test_every_activation_has_its_range():
    assert set(RANGES) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_range_holds_what_torch_finds_and_little_else(name):
    seen = 0
    for low, high in intervals(300):
        z = torch.linspace(low, high, 2001, dtype=torch.float64, requires_grad=True)
        values = ACTIVATIONS[name]()(z)
        (slopes,) = torch.autograd.grad(values.sum(), z)
        value, slope = RANGES[name].over(interval(low, high))
        for found, wanted in ((values.detach(), value), (slopes, slope)):
            least, most = ends(wanted)
            size = 1e-8 + 2e-9 * (abs(least) + abs(most))  # torch's softplus is exact to 2e-9
            assert least - size <= float(found.min())
            assert float(found.max()) <= most + size
            seen += 1
            if name not in ("relu", "leaky_relu", "step") or low * high > 0:
                room = (high - low) ** 2 / 1000 + size
                assert float(found.min()) - least <= room
                assert most - float(found.max()) <= room
    assert seen == 612


PLACES = [
    (name, which, place)
    for name, row in RANGES.items()
    for which, places in enumerate((row.turns, row.bends))
    for place in places
]


@pytest.mark.parametrize(("name", "which", "place"), PLACES)
def test_a_turn_is_within_its_place(name, which, place):
    """The function moves the same way where the place is left to either side."""
    step = arb(1e-14)
    with precision(200):
        before, low, high, behind = (
            RANGES[name].at(x)[which]
            for x in (place.lower() - step, place.lower(), place.upper(), place.upper() + step)
        )
    assert (before < low and behind < high) or (before > low and behind > high)


def test_there_are_turns():
    assert len(PLACES) == 8


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out_nothing_overflows(name):
    for low, high in ((-1e30, -1e29), (1e29, 1e30), (-1e30, 1e30)):
        value, slope = RANGES[name].over(interval(low, high))
        assert value.is_finite()
        assert slope.is_finite()
