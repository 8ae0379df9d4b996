"""Figures of a sweep: each value where it belongs; and --map, which makes the grid for one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nnintro.config.load import SweepOptions, load_config
from nnintro.config.sweep import Range
from nnintro.errors import UsageError
from nnintro.figures.sweeps import DIVERGED, objective_by_key, objective_map
from nnintro.sweeps.map_grid import as_map
from nnintro.sweeps.pictures import column, draw, is_logarithmic
from nnintro.sweeps.trial import Result
from tests.support import config

RATE, SIZE = "descent.learning_rate", "descent.batch_size"
OVER = (f"{RATE}=log:1e-3..1", f"{SIZE}=1,2,4")


def sweeping(*over, **settings):
    return load_config(config(), sweep=SweepOptions(over, settings))


class TestGrid:
    def test_a_range_has_32_values_and_a_list_its_own(self):
        changed = as_map(sweeping(*OVER), (SIZE, RATE)).experiment.sweep
        assert list(changed.over) == [SIZE, RATE]
        assert changed.over[SIZE] == [1, 2, 4]
        assert changed.over[RATE] == Range(low=1e-3, high=1.0, log=True, points=32)
        assert (changed.sampler, changed.trials) == ("grid", None)

    def test_points_that_are_given_stay(self):
        given = config(sweep={"over": {RATE: {"low": 0.1, "high": 0.2, "points": 3}, SIZE: {"low": 1, "high": 9}}})
        changed = as_map(load_config(given, sweep=SweepOptions()), (RATE, SIZE)).experiment.sweep
        assert [values.points for values in changed.over.values()] == [3, 32]

    @pytest.mark.parametrize(("over", "settings", "keys", "said"), [
        (OVER, {}, (RATE, "seed"), r"--map: expected descent.learning_rate or descent.batch_size, got 'seed'"),
        (OVER, {}, (RATE, RATE), r"--map: expected two keys, got descent.learning_rate twice"),
        (OVER, {"sampler": "random"}, (RATE, SIZE), r"--map is a grid; expected --sampler grid, got random"),
        ((*OVER, "seed=1,2"), {}, (RATE, SIZE), r"--map takes two keys, and the sweep is also over seed: "),
    ])  # fmt: skip
    def test_what_makes_no_map_is_refused(self, over, settings, keys, said):
        with pytest.raises(UsageError, match=said):
            as_map(sweeping(*over, **settings), keys)

    def test_no_sweep_section(self):
        with pytest.raises(UsageError, match="--map: the config has no sweep section"):
            as_map(load_config(config()), (RATE, SIZE))


def cells(figure):
    """The values of the map's cells, and which are marked as diverged: rows from below."""
    gone, values = figure.axes[0].collections[:2]
    assert gone.get_cmap().colors == [DIVERGED]
    return values.get_array(), ~np.ma.getmaskarray(np.ma.masked_invalid(gone.get_array()))


class TestFigures:
    def test_each_cell_of_a_map_has_its_value(self):
        x, y = np.meshgrid([0.1, 1.0, 10.0], [1.0, 2.0], indexing="ij")
        objective = x.ravel() * 10 + y.ravel()
        objective[-1] = math.nan
        diverged = np.isnan(objective)
        order = np.random.default_rng(0).permutation(6)
        values, gone = cells(
            objective_map(x.ravel()[order], y.ravel()[order], objective[order], diverged[order], logarithmic=["x"])
        )
        assert values.tolist()[0] == [2, 11, 101]
        assert values.tolist()[1][:2] == [3, 12]
        assert gone.tolist() == [[False, False, False], [False, False, True]]

    def test_words_are_categories_and_a_missing_cell_makes_dots(self):
        words, sizes = np.array(["sgd", "adam", "sgd"]), np.array([1.0, 1.0, 2.0])
        figure = objective_map(words, sizes, np.array([1.0, 2.0, 3.0]), np.zeros(3), keys=["kind", "size"])
        assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["sgd", "adam"]
        assert figure.axes[0].collections[-1].get_offsets().tolist() == [[0, 1], [1, 1], [0, 2]]

    def test_the_objective_by_key_marks_what_diverged_and_the_best(self):
        columns = {"rate": np.array([0.1, 1.0, 10.0]), "kind": np.array(["a", "b", "a"])}
        objective = np.array([2.0, 1.0, math.nan])
        figure = objective_by_key(objective, np.isnan(objective), columns, best=["1"], logarithmic=["rate"])
        rate, kind = figure.axes
        assert (rate.get_xscale(), kind.get_xscale(), rate.get_yscale()) == ("log", "linear", "log")
        crosses, ring = rate.lines
        assert crosses.get_xdata().tolist() == [10]
        assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([1.0], [1.0])

    @pytest.mark.parametrize("grows", [[], ["yes"]])
    def test_nothing_but_divergence_is_drawn_too(self, grows):
        nothing, gone = np.full(4, math.nan), np.ones(4)
        place = np.arange(4.0)
        (axes,) = objective_map(place, place, nothing, gone, grows=grows).axes
        assert [text.get_text() for text in axes.texts] == ["no trial came to its end"]
        columns = {"a": place, "b": np.array(["x", "y", "x", "y"])}
        numbers, words = objective_by_key(nothing, gone, columns, grows=grows).axes
        assert [line.get_xdata().tolist() for line in numbers.lines] == [[0, 1, 2, 3]]
        assert [np.round(line.get_xdata()).tolist() for line in words.lines] == [[0, 1, 0, 1]]

    def test_no_trial_no_figure(self, tmp_path):
        failed = Result(0, {RATE: 0.1, SIZE: 1}, "failed", None, {}, 0, 0.1)
        sweep = sweeping(*OVER).experiment.sweep
        assert draw(tmp_path, "none", sweep, [failed]) == []
        assert not list(tmp_path.iterdir())


def test_values_are_numbers_or_texts():
    assert column([1, 2.5]).tolist() == [1, 2.5]
    assert column([True, False]).tolist() == ["true", "false"]
    assert column([[8], [8, 8]]).tolist() == ["[8]", "[8, 8]"]
    assert is_logarithmic([1, 32, 1000], np.array([1.0, 32.0, 1000.0]))
    assert not is_logarithmic([1, 2, 3], np.array([1.0, 2.0, 3.0]))
    assert not is_logarithmic([0, 100], np.array([0.0, 100.0]))
    assert not is_logarithmic(["a"], np.array(["a"]))
    assert is_logarithmic(Range(low=1.0, high=2.0, log=True), np.array([1.0, 2.0]))
