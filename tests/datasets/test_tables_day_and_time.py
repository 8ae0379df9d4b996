"""The time of a row in two columns, of the day and of the time of day, as in UCI's household power consumption."""

from __future__ import annotations

import numpy as np
import pytest

from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, encoding_of, refused

DATES = {"Date": "%d/%m/%Y"}


def power(path, hours, order=None):
    """Rows of Date;Time;kw with the hour's number as kw, 16/12/2006 17:24:00 first."""
    order = hours if order is None else [hours[k] for k in order]
    lines = [f"{16 + (k + 17) // 24}/12/2006;{(k + 17) % 24:02d}:24:00;{k}" for k in order]
    path.write_text("\n".join(["Date;Time;kw", *lines]) + "\n")
    return path


def test_rows_are_sorted_by_both(tmp_path):
    hours = list(range(60))
    path = power(tmp_path / "a.txt", hours, np.random.default_rng(1).permutation(60))
    keys = {"target": "kw", "window": 3, "split_by": ["Date", "Time"], "dates": DATES, "standardize": "none"}
    splits = built(path, **keys)
    inputs = np.concatenate([splits.train.inputs, splits.validation.inputs])
    targets = np.concatenate([splits.train.targets, splits.validation.targets])[:, 0]
    assert inputs.tolist() == [[k, k + 1, k + 2] for k in range(57)]
    assert targets.tolist() == [k + 3 for k in range(57)]
    assert splits.notes == ()
    encoding = encoding_of(splits)
    assert encoding.input_columns == ["kw", "Date", "Time"]
    again, _ = encoded_samples(str(power(tmp_path / "b.txt", hours)), encoding)
    assert again.tolist() == inputs.tolist()
    with pytest.raises(
        DataError, match=r"c.txt:4: column 'Date': expected a time later than .*, got .*16/12/2006 18:24"
    ):
        encoded_samples(str(power(tmp_path / "c.txt", [0, 2, 1, 3])), encoding)
    holes = built(power(tmp_path / "d.txt", [*range(20), *range(23, 60)]), **keys).notes
    assert "column 'Date' with 'Time' has 1 hole: steps longer than the usual 1 hour" in holes[0]


def test_the_latest_are_kept_for_validation_without_a_window_too(tmp_path):
    path = power(tmp_path / "a.txt", list(range(50)), np.random.default_rng(2).permutation(50))
    path.write_text("\n".join(f"{line};{k % 7}" for k, line in enumerate(path.read_text().splitlines())) + "\n")
    keys = {
        "target": "kw",
        "split": "time",
        "split_by": ["Date", "Time"],
        "dates": DATES,
        "names": ["Date", "Time", "kw", "x"],
    }
    splits = built(path, **keys, header=False, skip_rows=1)
    assert sorted(splits.validation.targets[:, 0].tolist()) == list(range(40, 50))


def test_the_day_alone_is_told_of_the_time_of_day(tmp_path):
    path = power(tmp_path / "a.txt", list(range(60)))
    message = refused(path, target="kw", window=3, split_by="Date", dates=DATES)
    assert message.endswith("; with times of day in 'Time': split_by: [Date, Time]")
    message = refused(path, target="kw", window=3, split_by=["Time", "kw"], dates=DATES, exclude=[])
    assert "expected dates in 'Time' and times of day in 'kw', as two columns are named" in message
