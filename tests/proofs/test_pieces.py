"""Constant pieces: how many, their error beside a million samples, and that none is spare."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nnintro.errors import ConfigError
from nnintro.formula import parse, torch_function
from nnintro.proofs import pieces
from nnintro.proofs.balls import precision
from nnintro.proofs.construction import construct_for_error, construct_with_neurons
from nnintro.proofs.target import Target
from tests.proofs.formulas import HARD, generated


@pytest.fixture(autouse=True)
def bits():
    with precision():
        yield


def target(text, low=0.0, high=1.0):
    return Target(parse(text, 1), low, high)


def outputs(found, x):
    """The piecewise constant function at sorted points, by numpy."""
    stops = np.array([piece.stop for piece in found.pieces])
    return np.array(found.values)[np.searchsorted(stops, x, side="left")]


def sampled_error(text, found, low, high, samples):
    x = np.unique(np.concatenate([np.linspace(low, high, samples), [p.stop for p in found.pieces]]))
    exact = torch_function(parse(text, 1))(torch.from_numpy(x)[:, None]).numpy().ravel()
    return np.abs(outputs(found, x) - exact).max()


@pytest.mark.parametrize(
    ("error", "count"), [(0.1, 11), (0.05, 26), (0.02, 75), (0.01, 160), (0.005, 327), (0.001, 1662)]
)
def test_the_lectures_function(error, count):
    found = construct_for_error(target("lecture"), error)
    assert len(found.pieces) == count
    assert found.is_minimal
    assert sampled_error("lecture", found, 0, 1, 1_000_001) <= found.bound <= error


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_generated_formulas(first):
    for number in range(first, first + 20):
        text, error = generated(number), [0.1, 0.03, 0.01][number % 3]
        found = construct_for_error(target(text), error)
        sampled = sampled_error(text, found, 0, 1, 100_001 if number % 10 else 1_000_001)
        assert sampled <= found.bound <= error, text
        assert len(found.pieces) - len(found.pairs) in (1, 2), text  # a tie may cost one more


@pytest.mark.parametrize("text", HARD)
@pytest.mark.parametrize("error", [0.09, 0.011])  # that divide none of their ranges
def test_hard_formulas(text, error):
    low, high = HARD[text]
    found = construct_for_error(target(text, low, high), error)
    assert sampled_error(text, found, low, high, 1_000_001) <= found.bound <= error
    assert found.is_minimal


def test_a_line_by_hand():
    """Values of x on [0, 1] within 0.124: pieces of 0.248, so five of them."""
    found = construct_for_error(target("x"), 0.124)
    assert len(found.pieces) == 5
    assert found.is_minimal
    stops = [piece.stop for piece in found.pieces]
    assert np.allclose(stops, [0.248, 0.496, 0.744, 0.992, 1.0], atol=1e-9)
    assert np.allclose(found.values[:4], [0.124, 0.372, 0.62, 0.868], atol=1e-9)


def test_the_pairs_lie_side_by_side():
    found = construct_for_error(target("lecture"), 0.05)
    points = [point for pair in found.pairs for point in pair]
    assert points == sorted(points)
    exact = torch_function(parse("lecture", 1))
    a, b = (exact(torch.tensor(side, dtype=torch.float64)[:, None]) for side in zip(*found.pairs, strict=True))
    assert (abs(a - b) > 0.1 - 1e-12).all()


def test_a_piece_begins_at_a_jump():
    found = construct_for_error(target("step(x - 0.35)"), 0.1)
    assert [piece.stop for piece in found.pieces] == [0.35, 1.0]
    assert found.values == [0.0, 1.0]
    late = construct_for_error(target("floor(3*x)"), 0.1)  # in float64 nothing is 1/3
    first = late.pieces[0].stop
    assert 3 * first <= 1
    assert math.isclose(first, 1 / 3)


@pytest.mark.parametrize(
    ("text", "low", "high", "place"),
    [
        ("1/x", -1.0, 1.0, "x = 0.0"),
        ("log(x)", 0.0, 1.0, "x = 0"),
        ("sqrt(x - 0.5)", 0.0, 1.0, "x = 0"),
        ("1/(3*x - 1)", 0.0, 1.0, "x = 0.3333333"),
        ("tan(x)", 0.0, 2.0, "x = 1.5707963"),
    ],
)
def test_no_value_somewhere(text, low, high, place):
    with pytest.raises(ConfigError, match="no finite value") as error:
        construct_for_error(target(text, low, high), 0.1)
    assert place in str(error.value)


def test_too_many_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "MOST_PIECES", 1000)
    with pytest.raises(ConfigError, match="takes more than 1,000 pieces"):
        construct_for_error(target("exp(20*x)"), 1.0)


@pytest.mark.parametrize("neurons", [0, 1, 3, 10, 25])
def test_the_best_of_so_many_neurons(neurons):
    found = construct_with_neurons(target("lecture"), neurons)
    assert len(found.steps) <= neurons
    assert sampled_error("lecture", found, 0, 1, 100_001) <= found.bound
    # No more is proved than is true: with as many pieces the error is above this.
    assert found.bound * (1 - 1e-5) < found.out_of_reach <= found.bound
    assert len(found.pairs) == neurons + 1


def test_a_constant_needs_no_neuron():
    for text in ("0", "0.7"):
        found = construct_with_neurons(target(text), 4)
        assert found.steps == []
        assert found.bound < 1e-10


def test_heights_add_up_exactly_in_any_order():
    found = construct_for_error(target("lecture"), 0.005)
    heights = np.array([height for _, height in found.steps])
    rng = np.random.default_rng(0)
    for stop in (1, 17, len(heights)):
        shuffled = rng.permutation(heights[:stop])
        assert found.values[0] + np.add.accumulate(shuffled)[-1] == found.values[stop]
        assert found.values[0] + shuffled.sum() == found.values[stop]
