"""Several series in one table, rows out of order, and holes: against plain loops."""

from __future__ import annotations

import datetime
import itertools

import numpy as np
import pytest

from nnintro.datasets.tables import Encoding, encoded_blocks, encoded_columns
from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, raw, write

DAY = datetime.date(2024, 1, 1)


def days(n, step=1):
    return [(DAY + datetime.timedelta(days=step * k)).isoformat() for k in range(n)]


def panel(order="stacked", sizes=(30, 20, 3)):
    """Shops whose sales are told apart by their size: shop k sells 1000 k + day."""
    rows = [(f"s{shop}", date, 1000 * shop + k) for shop, size in enumerate(sizes) for k, date in enumerate(days(size))]
    if order == "interleaved":
        rows.sort(key=lambda row: row[1])
    elif order == "shuffled":
        np.random.default_rng(0).shuffle(rows)
    return {name: [row[k] for row in rows] for k, name in enumerate(("shop", "date", "y"))}


def windows_by_hand(sizes, window, horizon, validation):
    """Per series: (inputs, target) of training and of validation samples."""
    train, held = [], []
    for shop, size in enumerate(sizes):
        sales = [1000 * shop + k for k in range(size)]
        count = size - window + 1 - horizon
        samples = [(sales[k : k + window], sales[k + window - 1 + horizon]) for k in range(count)]
        kept = 0 if count <= 1 else min(max(1, round(count * validation)), count - 1)
        train += samples[: len(samples) - kept]
        held += samples[len(samples) - kept :]
    return train, held


@pytest.mark.parametrize("order", ["stacked", "interleaved", "shuffled"])
@pytest.mark.parametrize(("window", "horizon"), [(1, 1), (4, 2)])
def test_windows_stay_inside_their_series(tmp_path, order, window, horizon):
    path = write(tmp_path / "a.csv", panel(order))
    keys = {"window": window, "horizon": horizon, "series": "shop", "split_by": "date", "standardize": "inputs"}
    splits = built(path, **keys)
    train, held = windows_by_hand((30, 20, 3), window, horizon, 0.2)
    assert splits.train.targets.flatten().tolist() == pytest.approx([target for _, target in train])
    assert splits.validation.targets.flatten().tolist() == pytest.approx([target for _, target in held])
    np.testing.assert_allclose(raw(splits), [inputs for inputs, _ in (*train, *held)], rtol=1e-12)
    short = window + horizon > 3
    assert any("1 of 3 series are too short" in note for note in splits.notes) == short


def test_statistics_are_of_the_training_parts(tmp_path):
    path = write(tmp_path / "a.csv", panel(sizes=(30, 20)))
    splits = built(path, window=2, series=["shop"], split_by="date")
    # Of 28 and 18 samples 22 and 14 are learned from; they see a row more.
    seen = [*range(23), *(1000 + k for k in range(15))]
    assert float(splits.standardization.mean[0]) == pytest.approx(np.mean(seen), rel=1e-12)


def test_a_split_by_time_keeps_the_latest_of_each_series(tmp_path):
    sales = panel("shuffled", sizes=(10, 5))
    sales["x"] = [k * 7 % 11 for k in range(15)]
    splits = built(write(tmp_path / "a.csv", sales), split="time", series="shop", split_by="date", inputs=["x"])
    assert sorted(splits.validation.targets.flatten().tolist()) == [8, 9, 1004]


def test_the_latest_samples_of_each_series(tmp_path):
    path = write(tmp_path / "a.csv", panel(sizes=(300, 100)))
    splits = built(path, window=2, series="shop", split_by="date", samples=40)
    targets = [*splits.train.targets.flatten().tolist(), *splits.validation.targets.flatten().tolist()]
    assert sorted(targets) == [*range(272, 300), *range(1092, 1100)]


@pytest.mark.parametrize("order", ["stacked", "interleaved"])
@pytest.mark.parametrize("block", [1, 3, 7, 100])
def test_new_rows_have_the_past_of_their_own_series(tmp_path, order, block):
    sizes, window, horizon = (30, 20, 3), 4, 2
    sales = panel(order, sizes)
    path = str(write(tmp_path / "a.csv", sales))
    encoding = Encoding.from_description(
        built(path, window=window, horizon=horizon, series="shop", split_by="date").found.description
    )
    rows, offset = {}, 0
    for part in encoded_blocks(path, encoding, block_rows=block):
        for row, values in zip(part.rows.tolist(), part.inputs.tolist(), strict=True):
            rows[offset + row] = values
        offset += part.columns.num_rows
    expected = {}
    for row, sale in enumerate(sales["y"]):
        if sale % 1000 >= window - 1:
            expected[row] = list(range(sale - window + 1, sale + 1))
    assert rows == expected
    inputs, targets = encoded_samples(path, encoding, block_rows=block)
    assert len(inputs) == 30 - 5 + 20 - 5
    np.testing.assert_array_equal(targets[:, 0], inputs[:, -1] + horizon)
    columns = {"shop": sales["shop"], "date": sales["date"], "y": sales["y"]}
    np.testing.assert_array_equal(encoded_columns(columns, encoding), [expected[row] for row in sorted(expected)])


def test_a_series_to_predict_is_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sales = panel()
    encoding = Encoding.from_description(
        built(write(tmp_path / "a.csv", sales), window=3, series="shop", split_by="date").found.description
    )
    sales["date"][40] = sales["date"][39]
    write(tmp_path / "b.csv", sales)
    with pytest.raises(DataError, match=r"b.csv:42: column 'date': expected a time later than the row before in its"):
        list(encoded_blocks("b.csv", encoding, block_rows=8))
    write(tmp_path / "c.csv", panel(sizes=(2, 2, 2)))
    with pytest.raises(DataError, match=r"c.csv: expected 3 rows or more for a window, the longest series has 2"):
        list(encoded_blocks("c.csv", encoding))


REMEDIES = r"split_by: date sorts them; series: \[shop\] tells series apart.* or exclude: \[date\]"


@pytest.mark.parametrize(
    ("columns", "keys", "message"),
    [
        (
            {"date": days(30)[::-1], "y": range(30)},
            {},
            r"a.csv:3: column 'date': an earlier date .*split_by: date sorts",
        ),
        ({"date": days(30)[::-1], "y": range(30)}, {"exclude": ["date"]}, r"split_by: date sorts"),
        (panel(sizes=(9, 8)), {}, rf"a.csv:11: column 'date': an earlier date than .*\(a.csv:10\).*{REMEDIES}"),
        (panel(sizes=(9, 8)), {"exclude": ["date", "shop"]}, r"series: \[shop\] tells series apart"),
        (panel("interleaved", (9, 8)), {}, r"a.csv:3: column 'date': the same date .*series: \[shop\]"),
        (
            panel(sizes=(9, 8)),
            {"split_by": "date"},
            r"the same time as another row \(a.csv:2\).*series: \[shop\] tells",
        ),
    ],
)
def test_rows_out_of_order_are_refused(tmp_path, monkeypatch, columns, keys, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.csv", {name: list(values) for name, values in columns.items()})
    with pytest.raises(DataError, match=message):
        built("a.csv", window=3, **keys)


def test_two_columns_tell_series_apart(tmp_path):
    rows = [(a, b, day, k) for a, b in itertools.product("ab", "cd") for k, day in enumerate(days(9))]
    columns = {name: [row[k] for row in rows] for k, name in enumerate(("shop", "ware", "date", "y"))}
    path = write(tmp_path / "a.parquet", columns)
    with pytest.raises(DataError, match=r"series: \[shop, ware\] tells series apart"):
        built(path, window=3, split_by="date")
    assert len(built(path, window=3, split_by="date", series=["shop", "ware"]).train) == 4 * 5


def test_dates_that_are_not_of_the_rows_are_no_obstacle(tmp_path):
    born = [f"19{50 + k * 7 % 40}-01-01" for k in range(30)]
    splits = built(write(tmp_path / "a.csv", {"born": born, "y": list(range(30))}), window=3, exclude=["born"])
    assert len(splits.train) == 22
    hours = {"date": [date for date in days(4) for _ in range(24)], "hour": [*range(24)] * 4, "y": list(range(96))}
    assert len(built(write(tmp_path / "b.csv", hours), window=3).train) == 74


def test_newest_first_is_sorted(tmp_path):
    columns = {"date": days(30)[::-1], "y": list(range(30))[::-1]}
    splits = built(write(tmp_path / "a.csv", columns), window=3, split_by="date", standardize="none")
    assert splits.train.inputs[0].tolist() == [0, 1, 2]
    assert splits.notes == ()


def months(n):
    return [f"{2020 + k // 12}-{k % 12 + 1:02}" for k in range(n)]


WEEKDAYS = [day for day in days(60) if datetime.date.fromisoformat(day).weekday() < 5]


@pytest.mark.parametrize(
    ("times", "holes", "usual"),
    [
        (days(40), 0, ""),
        (days(40)[:20] + days(45)[25:], 1, "1 day"),
        (WEEKDAYS, 0, ""),
        (WEEKDAYS[:7] + WEEKDAYS[8:20] + WEEKDAYS[23:], 2, "1 working day"),
        (months(30), 0, ""),
        (months(10) + months(30)[12:], 1, "1 month"),
        ([f"{month}-01" for month in months(30)[::3]], 0, ""),
        ([f"{2000 + k}Q{q}" for k in range(5) for q in (1, 2, 3, 4)], 0, ""),
        ([f"{2000 + k}Q{q}" for k in range(5) for q in (1, 2, 3, 4) if (k, q) != (2, 2)], 1, "3 months"),
        ([2000 + k for k in range(20) if k != 9], 1, "1"),
        ([f"2024-01-01 {k // 4:02}:{k % 4 * 15:02}" for k in range(90) if k not in (50, 51)], 1, "15 minutes"),
    ],
)
def test_holes_are_reported(tmp_path, times, holes, usual):
    path = write(tmp_path / "a.csv", {"t": times, "y": list(range(len(times)))})
    (*notes,) = built(path, window=2, split_by="t").notes
    assert len(notes) == (holes > 0)
    assert built(path, window=2, split_by="t", gaps="allow").notes == ()
    if holes:
        word = "hole" if holes == 1 else "holes"
        assert f"column 't' has {holes} {word}: steps longer than the usual {usual}, the first before" in notes[0]
        with pytest.raises(DataError, match=f"has {holes} {word}"):
            built(path, window=2, split_by="t", gaps="error")


def test_nanoseconds_keep_their_order(tmp_path):
    start = np.datetime64("2024-01-01T00:00:00.000000001", "ns")
    times = start + np.arange(30) * np.timedelta64(3, "ns")
    order = np.random.default_rng(1).permutation(30)
    path = tmp_path / "a.npz"
    np.savez(path, t=times[order], y=order.astype(float))
    splits = built(path, window=2, split_by="t", standardize="none")
    assert splits.train.inputs[:, 0].tolist() == list(range(len(splits.train)))
