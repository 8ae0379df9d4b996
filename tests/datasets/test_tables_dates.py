"""Dates of other formats, months, quarters and durations."""

from __future__ import annotations

import datetime

import pytest

from nnintro.datasets.tables import Encoding, encoded_columns
from nnintro.datasets.tables.dates import seconds
from nnintro.errors import DataError
from tests.datasets.tables import built, raw, section, write


def of(*date):
    return datetime.datetime(*date, tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1949-01", of(1949, 1, 1)),
        ("2023", of(2023, 1, 1)),
        ("2023-Q3", of(2023, 7, 1)),
        ("2000Q1", of(2000, 1, 1)),
        ("2024-W05", of(2024, 1, 29)),
        ("2024-12-31", of(2024, 12, 31)),
        ("20:23", 20 * 3600 + 23 * 60),
        ("2023-13", None),
        ("2023-Q5", None),
    ],
)
def test_periods_are_their_first_day(cell, value):
    assert seconds(cell) == value


@pytest.mark.parametrize(
    ("form", "cells", "values"),
    [
        ("%d.%m.%Y", ["31.12.2024", "1.2.2024"], [of(2024, 12, 31), of(2024, 2, 1)]),
        ("%m/%d/%Y %I:%M %p", ["1/31/2024 1:05 PM", "2/1/2024 12:00 AM"], [of(2024, 1, 31, 13, 5), of(2024, 2, 1)]),
        ("%H.%M.%S", ["18.00.00", "00.30.00"], [18 * 3600, 1800]),
        ("%Y%m%d", ["20241231", "20240229"], [of(2024, 12, 31), of(2024, 2, 29)]),
        ("%b %Y", ["Jan 2024", "Feb 2024"], [of(2024, 1, 1), of(2024, 2, 1)]),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_dates_have_the_format_that_the_config_gives(tmp_path, form, cells, values, suffix):
    path = write(tmp_path / f"a{suffix}", {"d": cells * 15, "y": [float(k) for k in range(30)]})
    splits = built(path, dates={"d": form}, standardize="none", split="time", split_by="y", inputs=["d"])
    assert raw(splits)[:, 0].tolist() == values * 15
    encoding = Encoding.from_description(splits.found.description)
    assert encoded_columns({"d": cells[::-1]}, encoding)[:, 0].tolist() == values[::-1]
    with pytest.raises(DataError, match=r"expected a date or time of the form .*, got '2024-13-01'"):
        encoded_columns({"d": ["2024-13-01"]}, encoding)


def test_a_format_orders_a_series_too(tmp_path):
    days = [f"{day:02}.{month:02}.2024" for month in (1, 2) for day in range(1, 29)]
    path = write(tmp_path / "a.csv", {"d": days[::-1], "y": list(range(56))[::-1]})
    keys = {"window": 2, "split_by": "d", "standardize": "none", "gaps": "allow"}
    with pytest.raises(DataError, match=r'put dates: {d: "%d.%m.%Y"} under dataset'):
        built(path, **keys)
    splits = built(path, dates={"d": "%d.%m.%Y"}, **keys)
    assert splits.train.inputs[:3].tolist() == [[0, 1], [1, 2], [2, 3]]
    encoding = Encoding.from_description(splits.found.description)
    assert encoded_columns({"d": ["31.01.2024", "01.02.2024"], "y": [1, 2]}, encoding).tolist() == [[1, 2]]
    assert built(path, dates={"d": "%d.%m.%Y"}, **{**keys, "gaps": "note"}).notes[0].startswith(f"{path}: column 'd'")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["00:30:00", "25:30:00"], r"expected a time of day, before 24:00, got '25:30:00'; write durations as numbers"),
        (["2024-01-01", "08:30"], r"such as 2024-12-31, got '08:30'"),
        (["8.05.00", "18.00.00"], r'put dates: {t: "%H.%M.%S"} under dataset'),
    ],
)
def test_times_that_are_none_are_refused(tmp_path, cells, message):
    path = write(tmp_path / "a.csv", {"t": cells * 9, "y": list(range(18))})
    with pytest.raises(DataError, match=message):
        built(path)


@pytest.mark.parametrize("form", ["%Q", "2024", "%d.%m.", "%Y-%Y", "% Y", "%d"])
def test_formats_that_are_none_are_refused(form):
    with pytest.raises(ValueError, match=r"expected a (format|year)"):
        section("a.csv", dates={"d": form})
