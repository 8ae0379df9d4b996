"""Which rows of a table are kept for validation; windows over a series, against a plain loop."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nnintro.datasets.tables import Encoding, encoded_blocks
from nnintro.datasets.tables.splitting import _best, by_time
from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, numpy_parts, raw, write


def parts(splits):
    """Values of the only input, training and validation."""
    both = np.round(raw(splits)[:, 0], 9)
    n = len(splits.train)
    return both[:n].tolist(), both[n:].tolist()


def table(path, n=100, **more):
    return write(path, {"x": list(range(n)), "y": [k % 7 for k in range(n)], **more})


def test_a_split_follows_from_its_seed(tmp_path):
    path = table(tmp_path / "a.parquet")
    one, same, other = (numpy_parts(built(path, seed=seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("validation", [0.01, 0.2, 0.5, 0.99])
def test_a_random_split_has_the_wanted_size(tmp_path, validation):
    train, held_out = parts(built(table(tmp_path / "a.csv"), validation=validation))
    assert len(held_out) == round(100 * validation)
    assert sorted(train + held_out) == list(range(100))
    assert train == sorted(train)


def test_strata_keep_their_shares(tmp_path):
    labels = ["a"] * 50 + ["b"] * 30 + ["c"] * 18 + ["d"] * 2
    splits = built(table(tmp_path / "a.csv", kind=labels), target="kind", exclude=["y"])
    assert torch.bincount(splits.validation.targets).tolist() == [10, 6, 3, 1]
    assert torch.bincount(splits.train.targets).tolist() == [40, 24, 15, 1]


@settings(max_examples=60)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=9), st.floats(0.05, 0.95), st.integers(0, 9))
def test_groups_stay_whole(tmp_path_factory, sizes, validation, seed):
    groups = [f"g{k}" for k, size in enumerate(sizes) for _ in range(size)]
    order = np.random.default_rng(seed).permutation(len(groups))
    path = tmp_path_factory.mktemp("groups") / "a.parquet"
    given_groups = [groups[k] for k in order]
    table(path, len(groups), g=given_groups)
    keys = {"split": "group", "split_by": "g", "validation": validation, "inputs": ["x"], "task": "regression"}
    if len({k % 7 for k in range(len(groups))}) < 2:
        return
    train, held_out = parts(built(path, seed=seed, **keys))
    sides = [{given_groups[round(row)] for row in part} for part in (train, held_out)]
    assert not sides[0] & sides[1]
    assert all(sides)
    # No other choice of groups comes nearer.
    wanted = min(max(1, round(len(groups) * validation)), len(groups) - 1)
    sums = [sum(chosen) for k in range(1, len(sizes)) for chosen in itertools.combinations(sizes, k)]
    assert abs(len(held_out) - wanted) == min(abs(total - wanted) for total in sums)


def test_many_groups_come_near_too(tmp_path):
    draw = np.random.default_rng(0)
    groups = draw.integers(0, 3000, 9000).tolist()
    path = table(tmp_path / "a.parquet", 9000, g=groups)
    train, held_out = parts(built(path, split="group", split_by="g", inputs=["x"]))
    assert len(held_out) == 1800
    of = np.array(groups)
    assert not set(of[np.rint(train).astype(int)]) & set(of[np.rint(held_out).astype(int)])


def test_the_best_groups_are_drawn_anew(tmp_path):
    path = table(tmp_path / "a.csv", g=[k // 10 for k in range(100)])
    keys = {"split": "group", "split_by": "g", "inputs": ["x"]}
    found = {tuple(sorted({v // 10 for v in np.rint(parts(built(path, seed=s, **keys))[1])}))
             for s in range(20)}  # fmt: skip
    assert len(found) > 10


def test_sizes_add_up():
    assert sorted(_best(np.array([5, 3, 8]), 8)) in ([2], [0, 1])
    assert _best(np.array([100, 1]), 50) in ([0], [1])


@settings(max_examples=100)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=30), st.data())
def test_what_is_later_is_kept(times, data):
    count = data.draw(st.integers(1, len(times) - 1))
    order = np.argsort(times, kind="stable")
    values = np.array(times, float)[order]
    if len(set(times)) == 1:
        with pytest.raises(DataError, match="all rows have the same time"):
            by_time(order, values, count, type("T", (), {"name": "a.csv"})())
        return
    train, held_out = by_time(order, values, count, None)
    assert max(times[k] for k in train) < min(times[k] for k in held_out)
    cuts = [k for k in range(1, len(times)) if values[k] > values[k - 1]]
    wanted = len(times) - count
    assert abs(len(train) - wanted) == min(abs(cut - wanted) for cut in cuts)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_dates_are_in_order(tmp_path, suffix):
    days = [f"2024-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(100)]
    order = np.random.default_rng(0).permutation(100).tolist()
    path = write(tmp_path / f"a{suffix}", {"x": order, "d": [days[k] for k in order],
                                           "y": [k % 7 for k in order]})  # fmt: skip
    train, held_out = parts(built(path, split="time", split_by="d", inputs=["x"]))
    np.testing.assert_allclose(train, range(80), atol=1e-9)
    np.testing.assert_allclose(held_out, range(80, 100))


def test_dates_in_a_dictionary_are_in_order(tmp_path):
    days = pa.array([f"2024-01-{1 + k // 4:02d}" for k in range(100)]).dictionary_encode()
    path = tmp_path / "a.parquet"
    columns = {"x": list(range(100)), "d": days, "y": [k % 7 for k in range(100)]}
    pyarrow.parquet.write_table(pa.table(columns), path)
    train, held_out = parts(built(path, split="time", split_by="d"))
    assert (len(train), len(held_out)) == (80, 20)


def test_the_column_of_the_split_is_no_input_by_itself(tmp_path):
    path = table(tmp_path / "a.csv", t=list(range(100)))
    keys = {"split": "time", "split_by": "t"}
    for more, wanted in (({}, ["x"]), ({"inputs": ["t", "x"]}, ["t", "x"])):
        description = built(path, **keys, **more).found.description
        assert Encoding.from_description(description).feature_names == wanted


def test_samples_are_chosen_before_anything_else(tmp_path):
    path = table(tmp_path / "a.csv", kind=["a"] * 50 + ["b"] * 48 + ["c"] * 2)
    splits = built(path, samples=10, target="kind", exclude=["y"])
    assert (len(splits.train), len(splits.validation)) == (7, 3)  # one of each class at least
    assert splits.found.task.classes == ("a", "b", "c")
    train, held_out = parts(built(path, samples=20, split="time", inputs=["x"]))
    np.testing.assert_allclose(train + held_out, range(80, 100))
    train, held_out = parts(built(path, samples=20, inputs=["x"]))
    assert len(set(np.rint(train + held_out))) == 20
    assert len(parts(built(path, samples=1000, inputs=["x"]))[0]) == 80


# --- windows ---------------------------------------------------------------------------------


def series(n=40, seed=0):
    draw = np.random.default_rng(seed)
    return {
        "t": draw.permutation(n).tolist(),
        "rain": draw.normal(size=n).tolist(),
        "sky": [("clear", "grey")[k] for k in draw.integers(0, 2, n)],
        "y": draw.normal(10, 3, n).tolist(),
    }


@pytest.mark.parametrize(("window", "horizon"), [(1, 1), (4, 1), (3, 5), (24, 2)])
@pytest.mark.parametrize("ordered", [True, False])
def test_windows_against_a_loop(tmp_path, window, horizon, ordered):
    given_series = series()
    path = write(tmp_path / "a.csv", given_series)
    keys = {"split_by": "t"} if ordered else {"exclude": ["t"]}
    splits = built(path, window=window, horizon=horizon, **keys)
    order = np.argsort(given_series["t"]) if ordered else np.arange(40)
    rain, sky, y = (np.array(given_series[name])[order] for name in ("rain", "sky", "y"))
    samples, answers = [], []
    for last in range(window - 1, 40 - horizon):
        past = range(last - window + 1, last + 1)
        cells = [[rain[k], sky[k] == "clear", sky[k] == "grey", y[k]] for k in past]
        samples.append([value for row in cells for value in row])
        answers.append([y[last + horizon]])
    np.testing.assert_allclose(raw(splits), samples, rtol=1e-12, atol=1e-12)
    targets = torch.cat([splits.train.targets, splits.validation.targets])
    assert targets.tolist() == answers
    n = len(samples)
    assert len(splits.validation) == max(1, round(0.2 * n))
    # What validation is asked for is in no training window, and is no training target.
    seen = {value for row in samples[: len(splits.train)] for value in row}
    asked = {answer[0] for answer in answers[len(splits.train) :]}
    assert not asked & (seen | {answer[0] for answer in answers[: len(splits.train)]})
    # One scale for a quantity, whatever its age: that of the rows that training looks at.
    rows = len(splits.train) + window - 1
    scale = splits.standardization.scale.reshape(window, 4).numpy()
    np.testing.assert_allclose(scale, np.tile([rain[:rows].std(), 1, 1, y[:rows].std()], (window, 1)))
    encoding = Encoding.from_description(splits.found.description)
    first = ["rain", "sky=clear", "sky=grey", "y"]
    ages = range(1 - window, 1)
    assert encoding.feature_names == [f"{name}[{age}]" for age in ages for name in first]
    assert encoding.features == 4 * window == splits.train.inputs.shape[1]


@pytest.mark.parametrize("block_rows", [1, 3, 100])
def test_windows_reach_over_blocks(tmp_path, block_rows):
    given_series = series()
    given_series["t"].sort()
    path = write(tmp_path / "a.csv", given_series)
    splits = built(path, window=5, horizon=2, split_by="t")
    encoding = Encoding.from_description(splits.found.description)
    inputs, targets = encoded_samples(str(path), encoding, block_rows=block_rows)
    np.testing.assert_allclose(inputs, raw(splits), rtol=1e-12)
    both = torch.cat([splits.train.targets, splits.validation.targets])
    assert targets.tolist() == both.tolist()
    blocks = list(encoded_blocks(str(path), encoding, block_rows=block_rows))
    assert sum(len(block.inputs) for block in blocks) == 36
    assert sum(block.columns.num_rows for block in blocks) == 40


def test_a_series_to_predict_is_in_order_and_long_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given_series = series()
    path = write(tmp_path / "a.csv", given_series)
    encoding = Encoding.from_description(built(path, window=5, split_by="t").found.description)
    given_series["t"] = [*range(20), 3, *range(21, 40)]
    write(tmp_path / "b.csv", given_series)
    with pytest.raises(DataError) as caught:
        list(encoded_blocks("b.csv", encoding, block_rows=6))
    assert str(caught.value) == (
        "b.csv:22: column 't': expected a time later than the row before has, got '3'; "
        "sort the rows by it, one for each time"
    )
    short = {name: values[:4] for name, values in given_series.items()}
    write(tmp_path / "c.csv", short)
    with pytest.raises(DataError) as caught:
        list(encoded_blocks("c.csv", encoding))
    assert str(caught.value) == "c.csv: expected 5 rows or more for a window, got 4"


def test_a_series_of_one_column(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sales\n\n1\n2\n4\n\n8\n16\n32\n\n")
    splits = built(path, target="sales", window=2, validation=0.5)
    expected = [[1, 2], [2, 4], [4, 8], [8, 16]]
    np.testing.assert_allclose(raw(splits), expected)
    assert splits.train.targets.tolist() == [[4], [8]]
    assert splits.validation.targets.tolist() == [[16], [32]]


def test_a_class_may_be_forecast(tmp_path):
    given_series = series(60)
    del given_series["t"]
    path = write(tmp_path / "a.csv", given_series)
    splits = built(path, target="sky", window=2, class_weights="balanced")
    assert splits.found.task.kind == "binary"
    encoding = Encoding.from_description(splits.found.description)
    assert "sky=grey[-1]" in encoding.feature_names
    expected = [[float(sky == "grey")] for sky in given_series["sky"][2:]]
    assert torch.cat([splits.train.targets, splits.validation.targets]).tolist() == expected


# --- few of the rows -------------------------------------------------------------------------


def test_rows_without_a_value_are_left_out_before_the_latest_are_taken(tmp_path):
    times = [k if k % 2 else None for k in range(100)]
    path = table(tmp_path / "a.csv", t=times)
    keys = {"split": "time", "split_by": "t", "missing": "drop", "samples": 10, "inputs": ["x"]}
    splits = built(path, **keys)
    train, held_out = parts(splits)
    np.testing.assert_allclose(train + held_out, range(81, 100, 2))
    assert splits.facts == {"rows": 100, "dropped_rows": 50}


def test_every_class_is_among_few_samples(tmp_path):
    path = table(tmp_path / "a.csv", 900, kind=[f"k{k % 150}" for k in range(900)])
    splits = built(path, samples=256, target="kind", exclude=["y"])
    assert len(splits.train) + len(splits.validation) == 300
    assert splits.found.task.outputs == 150
    assert torch.bincount(splits.train.targets).min() == 1


@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        (["a", "b"] * 80, 40),  # enough
        (["a", "b"] * 55 + ["a"] * 50, 80),  # only one class in the last 40
        (["a", "b"] * 50 + ["a"] * 38 + ["b"] + ["a"] * 21, 80),  # one of b
        (["a", "b", "c"] * 30 + ["a", "b"] * 33 + ["c", "c", "a", "b"], 80),  # c in validation only
    ],
)
def test_the_latest_rows_that_can_be_learned_from(tmp_path, kinds, rows):
    assert len(kinds) == 160
    path = table(tmp_path / "a.csv", 160, kind=kinds)
    keys = {"split": "time", "target": "kind", "inputs": ["x"]}
    train, held_out = parts(built(path, samples=40, **keys))
    np.testing.assert_allclose(train + held_out, range(160 - rows, 160), atol=1e-6)
    ahead = built(path, samples=40, window=3, horizon=2, target="kind", inputs=["x"])
    assert len(ahead.train) + len(ahead.validation) == rows - 4


def test_the_latest_rows_are_of_two_times(tmp_path):
    path = table(tmp_path / "a.csv", t=[k // 50 for k in range(100)])
    splits = built(path, split="time", split_by="t", samples=30, inputs=["x"])
    assert (len(splits.train), len(splits.validation)) == (10, 50)


def test_errors_say_that_few_rows_were_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = table(tmp_path / "a.csv", c=["u"] * 40 + ["v", "w"] * 30)
    with pytest.raises(DataError) as caught:
        built(path, split="time", window=30, horizon=2, samples=31)
    assert str(caught.value) == (
        "a.csv: a window of 30 rows and a horizon of 2 need 33 rows or more, got 31 "
        "(31 of 100 rows are used, as samples or --smoke asks for)"
    )
