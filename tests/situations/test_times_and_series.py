"""Dates as they are written, and series with windows."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

import nnintro

N = 48
Y = [100 + 10 * (k % 12) + k for k in range(N)]


def day(k, form="%Y-%m-%d", start=datetime.date(2024, 1, 1)):
    return (start + datetime.timedelta(days=k)).strftime(form)


def since_1970(*date):
    return datetime.datetime(*date, tzinfo=datetime.UTC).timestamp()


# Cells of a column of time, and what they are in seconds.
KNOWN = {
    "months": [(f"{1949 + k // 12}-{k % 12 + 1:02}", since_1970(1949 + k // 12, k % 12 + 1, 1)) for k in range(N)],
    "quarters": [(f"{2000 + k // 4}Q{k % 4 + 1}", since_1970(2000 + k // 4, 3 * (k % 4) + 1, 1)) for k in range(N)],
    "weeks": [(f"2024-W{k + 1:02}", since_1970(2024, 1, 1) + 7 * 86400 * k) for k in range(N)],
    "days": [(day(k), since_1970(2024, 1, 1) + 86400 * k) for k in range(N)],
    "times with a zone": [(f"{day(k)}T01:00:00+01:00", since_1970(2024, 1, 1) + 86400 * k) for k in range(N)],
    "times with Z": [(f"{day(k)}T00:00:00Z", since_1970(2024, 1, 1) + 86400 * k) for k in range(N)],
    "times of day": [(f"{k // 2:02}:{k % 2 * 30:02}", 1800 * k) for k in range(N)],
}


@pytest.mark.parametrize("name", KNOWN)
def test_times_that_are_known(desk, name):
    cells, seconds = zip(*KNOWN[name], strict=True)
    desk.write(["when,y", *(f"{cell},{y}" for cell, y in zip(cells, Y, strict=True))])
    desk.trains()
    desk.has_read({"when": seconds}, Y)


@pytest.mark.parametrize(
    ("form", "remedy"),
    [
        ("%m/%d/%Y", 'dates: {when: "%m/%d/%Y"}'),
        ("%d/%m/%Y", 'dates: {when: "%d/%m/%Y"}'),
        ("%d.%m.%Y", 'dates: {when: "%d.%m.%Y"}'),
        ("%d.%m.%y", 'dates: {when: "%d.%m.%y"}'),
        ("%d-%b-%Y", 'dates: {when: "%d-%b-%Y"}'),
        ("%b %d, %Y", 'dates: {when: "%b %d, %Y"}'),
        ("%d %B %Y", 'dates: {when: "%d %B %Y"}'),
        ("%m/%d/%Y %I:%M %p", 'dates: {when: "%m/%d/%Y %I:%M %p"}'),
        ("%d.%m.%Y %H:%M", 'dates: {when: "%d.%m.%Y %H:%M"}'),
        ("%Y/%m/%d", 'dates: {when: "%Y/%m/%d"}'),
    ],
)
def test_dates_in_another_order(desk, form, remedy):
    """The format is proposed that fits every cell."""
    desk.write(["when;y", *(f"{day(k, form)};{y}" for k, y in enumerate(Y))])
    desk.refused(f"d.csv:2: column 'when': expected a date or time such as 2024-12-31, got '{day(0, form)}'")
    desk.follow(remedy)
    desk.trains()
    desk.has_read({"when": [since_1970(2024, 1, 1) + 86400 * k for k in range(N)]}, Y)


def test_durations_of_a_day_and_more(desk):
    desk.write(["t,y", *(f"{k:02}:30:00,{y}" for k, y in enumerate(Y))])
    desk.refused(
        "d.csv:26: column 't': expected a time of day, before 24:00, got '24:30:00'", "write durations as numbers"
    )
    desk.write(["t,y", *(f"{k + 0.5},{y}" for k, y in enumerate(Y))])
    desk.trains()
    desk.has_read({"t": [k + 0.5 for k in range(N)]}, Y)


def test_a_forecast_of_airline_passengers(desk):
    desk.write(["Month,Passengers", *(f"{cell},{y}" for (cell, _), y in zip(KNOWN["months"], Y, strict=True))])
    desk.target, desk.keys = "Passengers", ["window: 12", "split_by: Month"]
    desk.trains()
    run = nnintro.load("c")
    assert run.features == [f"Passengers[{lag}]" for lag in range(-11, 1)]
    predicted = desk.predicted("d.csv")
    assert predicted[:11] == [""] * 11
    windows = np.lib.stride_tricks.sliding_window_view(np.array(Y, float), 12)
    np.testing.assert_allclose(np.array(predicted[11:], float), run.predict(windows).numpy()[:, 0], rtol=1e-9)


SALES = {shop: [50 * i + 7 * k % 31 + k for k in range(N)] for i, shop in enumerate("AB")}


def rows_of(shop):
    return [f"{shop},{day(k)},{sale}" for k, sale in enumerate(SALES[shop])]


@pytest.mark.parametrize("below", [True, False], ids=["below each other", "in turns"])
def test_two_shops_in_one_table(desk, below):
    """Windows stay in one shop, whichever way the rows are ordered, once the error's key is there."""
    pairs = zip(rows_of("A"), rows_of("B"), strict=True)
    rows = [*rows_of("A"), *rows_of("B")] if below else [row for pair in pairs for row in pair]
    desk.write(["store,date,sales", *rows])
    desk.target, desk.keys = "sales", ["window: 5", *([] if below else ["split_by: date"])]
    if below:
        desk.refused(
            f"d.csv:{N + 2}: column 'date': an earlier date than the row before it", "split_by: date sorts them"
        )
        desk.follow("split_by: date")
    desk.refused("d.csv:", "column 'date': the same time as another row")
    desk.follow("series: [store]")
    desk.trains()
    run = nnintro.load("c")
    assert run.features == [f"sales[{lag}]" for lag in range(-4, 1)]
    predicted = dict(zip(rows, desk.predicted("d.csv"), strict=True))
    for shop, sales in SALES.items():
        windows = np.lib.stride_tricks.sliding_window_view(np.array(sales, float), 5)
        expected = run.predict(windows).numpy()[:, 0]
        own = [predicted[row] for row in rows_of(shop)]
        assert own[:4] == [""] * 4
        np.testing.assert_allclose(np.array(own[4:], float), expected, rtol=1e-9)


def test_the_newest_row_first(desk):
    desk.write(["date,sales", *reversed([row.partition(",")[2] for row in rows_of("A")])])
    desk.target, desk.keys = "sales", ["window: 5"]
    desk.refused("d.csv:3: column 'date': an earlier date than the row before it", "split_by: date sorts them")
    desk.follow("split_by: date")
    desk.trains()
    windows = np.lib.stride_tricks.sliding_window_view(np.array(SALES["A"], float), 5)
    desk.write(["date,sales", *(row.partition(",")[2] for row in rows_of("A"))], "new.csv")
    expected = nnintro.load("c").predict(windows).numpy()[:, 0]
    np.testing.assert_allclose(np.array(desk.predicted("new.csv")[4:], float), expected, rtol=1e-9)
