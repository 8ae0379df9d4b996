"""The values of trials: by number and seed alone, within their bounds, as evenly spread as they claim to be."""

from __future__ import annotations

import itertools
import math

import pytest

from nnintro.config.sweep import Sweep
from nnintro.sweeps.space import Space

RATE, SIZE = "descent.learning_rate", "descent.batch_size"


def space(over, whole=(), seed=0, **settings):
    return Space(Sweep.model_validate({"over": over, **settings}), seed, frozenset(whole))


def test_a_grid_is_the_product_in_the_order_written():
    over = {"a": [1, 2], "b": ["x", "y", "z"], "c": [[8], [16]]}
    grid = space(over)
    expected = [dict(zip("abc", values, strict=True)) for values in itertools.product([1, 2], "xyz", [[8], [16]])]
    assert grid.sampler == "grid"
    assert [grid.values(number) for number in range(grid.trials)] == expected


def test_a_grids_points_of_a_range():
    linear = {"low": 0, "high": 1, "points": 5}
    logarithmic = {"low": 1e-4, "high": 1, "log": True, "points": 5}
    grid = space({"a": linear, "b": logarithmic}, sampler="grid", trials=3)
    values = [grid.values(number) for number in range(grid.trials)]
    assert grid.trials == 25
    assert sorted({v["a"] for v in values}) == [0, 0.25, 0.5, 0.75, 1]
    assert sorted({v["b"] for v in values}) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1], rel=1e-12)
    assert {v["b"] for v in values} >= {1e-4, 1}  # the ends to the bit


def test_whole_numbers_come_once_each():
    grid = space({SIZE: {"low": 1, "high": 4}}, [SIZE], sampler="grid")
    values = [grid.values(number)[SIZE] for number in range(grid.trials)]
    assert values == [1, 2, 3, 4]
    assert all(isinstance(value, int) for value in values)


def test_random_values_are_within_their_bounds_and_evenly_spread():
    over = {RATE: {"low": 1e-4, "high": 1, "log": True}, SIZE: {"low": 1, "high": 4}, "c": ["x", "y"]}
    drawn = space(over, [SIZE])
    assert (drawn.sampler, drawn.trials) == ("random", 100)
    values = [drawn.values(number) for number in range(4000)]
    decades = [math.floor(math.log10(v[RATE])) for v in values]
    assert all(1e-4 <= v[RATE] <= 1 for v in values)
    for decade in (-4, -3, -2, -1):  # 1000 each, with a deviation of 27
        assert 880 < decades.count(decade) < 1120
    sizes = [v[SIZE] for v in values]
    assert {*map(type, sizes)} == {int}
    for size in (1, 2, 3, 4):
        assert 880 < sizes.count(size) < 1120
    assert 1850 < [v["c"] for v in values].count("x") < 2150


def test_random_values_follow_from_seed_and_number_alone():
    over = {RATE: {"low": 0, "high": 1}}
    one, again, other = space(over), space(over), space(over, seed=1)
    forward = [one.values(number) for number in range(50)]
    assert forward == [again.values(number) for number in reversed(range(50))][::-1]
    assert all(mine != theirs for mine, theirs in zip(forward, map(other.values, range(50)), strict=True))
