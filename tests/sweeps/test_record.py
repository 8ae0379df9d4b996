"""trials.csv reads back what was written, also where a line was torn; another sweep's is refused."""

from __future__ import annotations

import errno
import os

import pytest

from nnintro.errors import CheckpointError
from nnintro.sweeps.record import Record, as_cell, from_cell
from nnintro.sweeps.trial import Result

VALUES = [
    1, 1.0, 1e-5, 0.1 + 0.2, -3, True, False, None, "sgd", "", "1", "1e-3", "true", "null", "[8]", "a,b", 'a"b',
    "two\nlines", "Gr\u00f6\u00dfe", [8], [16, 8], [], {"kind": "adam", "betas": [0.9, 0.99]}, [None, "x"], ".inf", "~",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_as_they_were(value):
    text = as_cell(value)
    assert "\n" not in text
    assert (from_cell(text), type(from_cell(text))) == (value, type(value))


def results():
    values = [{"a": VALUES[n % len(VALUES)], "b": n} for n in range(60)]
    return [
        Result(n, v, "completed", 1 / (n + 1), {"train/loss": 1 / (n + 3), "validation/loss": 1 / (n + 1)}, 7, 0.25)
        for n, v in enumerate(values)
    ]


def a_record(folder, **options):
    return Record(folder, ["a", "b"], ["train/loss", "validation/loss"], looks=options.get("looks", False))


def test_results_come_back_and_are_sorted_in_the_end(tmp_path):
    record, written = a_record(tmp_path), results()
    assert record.read() == {}
    for result in written[::-1]:
        record.add(result)
    assert a_record(tmp_path).read() == {result.number: result for result in written}
    record.rewrite(record.read())
    numbers = [line.split(",")[0] for line in record.path.read_text().splitlines()]
    assert numbers == ["number", *map(str, range(60))]


def test_trials_without_an_objective(tmp_path):
    record = a_record(tmp_path, looks=True)
    record.read()
    diverged = Result(0, {"a": 1, "b": 2}, "diverged", None, {}, 0, 1.0)
    stopped = Result(1, {"a": 1, "b": 2}, "stopped", None, {}, 0, 1.0, looks=[0.5, 1 / 3])
    record.add(diverged)
    record.add(stopped)
    assert a_record(tmp_path, looks=True).read() == {0: diverged, 1: stopped}


def test_a_torn_line_is_cut_away_wherever_it_is_torn(tmp_path):
    record, written = a_record(tmp_path), results()[:3]
    record.read()
    for result in written:
        record.add(result)
    whole = record.path.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    for end in range(last, len(whole)):
        record.path.write_bytes(whole[:end])
        assert sorted(a_record(tmp_path).read()) == [0, 1]
        assert record.path.read_bytes() == whole[:last]
    record.add(written[2])
    assert record.path.read_bytes() == whole
    for end in range(whole.index(b"\n") + 1):  # the header too
        record.path.write_bytes(whole[:end])
        assert a_record(tmp_path).read() == {}


def test_a_full_disk_leaves_no_half_of_a_line(tmp_path, monkeypatch):
    record, (first, second, third, *_) = a_record(tmp_path), results()
    record.read()
    record.add(first)
    write = os.write

    def full(descriptor, data):
        if len(data) < 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, bytes(data[:-15]))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CheckpointError, match=r"cannot write .*trials\.csv: No space left on device"):
        record.add(second)
    monkeypatch.undo()
    record.add(third)
    assert sorted(a_record(tmp_path).read()) == [0, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("number,a\n", ":1: is not of this sweep: expected the columns number, a, b, objective, train/loss"),
        ("HEADER\n0,1,2\n", ":2: is damaged: expected 9 cells, got 3"),
        ("HEADER\n0,1,2,0.5,1,x,7,completed,1\n", ":2: is damaged: could not convert string to float: 'x'"),
        ("HEADER\n0,1,2,0.5,1,1,7,done,1\n", ":2: is damaged: status: expected completed, diverged, stopped, failed"),
    ],
)
def test_a_damaged_file_is_refused(text, expected, tmp_path):
    record = a_record(tmp_path)
    text = text.replace("HEADER", ",".join(record.header))
    record.path.write_text(text)
    with pytest.raises(CheckpointError) as caught:
        record.read()
    assert expected in str(caught.value)
