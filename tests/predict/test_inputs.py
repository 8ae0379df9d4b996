"""Text for runs without a table beside the csv module: the same cells, and the right lines."""

from __future__ import annotations

import csv
import io
import re
import sys
import tracemalloc
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnintro.datasets.tables import files
from nnintro.errors import DataError
from nnintro.predict import inputs

FLOAT64 = np.dtype("float64")
CELL = st.text(alphabet='ab",;\t\n\r é😀_1 ', max_size=8)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """So that chunks end amid lines, quotes and characters."""
    monkeypatch.setattr(inputs, "CHUNK", 7)
    monkeypatch.setattr(inputs, "CELLS", 8)


def written(rows, end, **options):
    text = io.StringIO(newline="")
    options = {"quoting": csv.QUOTE_ALL, **options}
    csv.writer(text, lineterminator=end, **options).writerows(rows)
    return text.getvalue().encode()


def opened(data, wanted=("x",)):
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    with patch.object(sys, "stdin", SimpleNamespace(buffer=file)):
        return inputs.open_inputs("-", wanted, FLOAT64)


@given(
    notes=st.lists(CELL, min_size=1, max_size=30),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_cells_are_those_of_the_csv_module(notes, end, delimiter):
    rows = [[note, repr(number / 7)] for number, note in enumerate(notes)]
    data = written([["note", "x"], *rows], end, delimiter=delimiter)
    blocks = list(opened(data).blocks())
    assert [[*row] for part in blocks for row in zip(*part.texts(), strict=True)] == rows
    numbers = np.concatenate([part.numbers for part in blocks])
    assert np.array_equal(numbers[:, 0], np.arange(len(rows)) / 7)
    # Products of matrices have the same bits then, whatever the texts are.
    assert [len(part.numbers) for part in blocks[:-1]] == [4] * (len(blocks) - 1)
    assert 0 < len(blocks[-1].numbers) <= 4


@given(
    before=st.lists(st.one_of(st.none(), CELL), max_size=20),
    after=st.lists(CELL, max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
    bad=st.sampled_from(["n/a", "", "nan", "nan(1)", "0x10", "1_0", "1e999", "é"]),
)
def test_a_bad_cell_is_reported_by_the_line_its_row_begins_on(before, after, end, bad):
    rows = [[] if note is None else [note, "1"] for note in before]
    begun = written([["note", "x"], *rows], end)
    data = begun + written([["", bad], *([note, "2"] for note in after)], end)
    line = len(re.findall(rb"\r\n|\r|\n", begun)) + 1
    with pytest.raises(DataError, match=rf"^<stdin>:{line}: column 'x': expected ") as caught:
        list(opened(data).blocks())
    assert "\n" not in str(caught.value)


@given(
    before=st.lists(CELL, max_size=12),
    bad=st.sampled_from([b"\xff", b"\0", b"\xc3(", b"\xed\xa0\x80"]),
    after=st.binary(max_size=20),
)
def test_what_is_no_text_is_reported_by_its_line(before, bad, after):
    begun = written([["note", "x"], *([note, "1"] for note in before)], "\n") + b"1,"
    line = len(re.findall(rb"\r\n|\r|\n", begun)) + 1
    with pytest.raises(DataError, match=rf"^<stdin>:{line}: (not utf-8|expected text)"):
        list(opened(begun + bad + after).blocks())


@given(
    before=st.lists(CELL, max_size=12),
    bad=st.sampled_from(['"a"b', '"a" ', '""1', '"1"0']),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_text_behind_a_quote_is_reported_by_its_line(before, bad, end):
    begun = written([["note", "x"], *([note, "1"] for note in before)], end)
    line = len(re.findall(rb"\r\n|\r|\n", begun)) + 1
    with pytest.raises(DataError, match=rf"^<stdin>:{line}: text behind a closing quote"):
        list(opened(begun + f"{bad},1{end}".encode()).blocks())


@given(st.binary(max_size=200))
def test_noise_is_a_data_error_and_nothing_else(data):
    with pytest.raises(DataError) as caught:
        list(opened(data, wanted=("no such", "names")).blocks())
    assert len(str(caught.value).splitlines()) == 1


class Lines(io.RawIOBase):
    """So many times a line, then something else; never all of it in memory."""

    def __init__(self, line, count, end):
        self.left, self.line, self.end = count, line, end

    def readable(self):
        return True

    def read(self, _=-1):
        if self.left == 0:
            end, self.end = self.end, b""
            return end
        lines = min(self.left, 4000)
        self.left -= lines
        return self.line * lines


@pytest.mark.parametrize("line", [b"\n", b"   \r\n", b"\x0c\n", b",,\n"])
@pytest.mark.parametrize(("end", "row"), [(b"x\n1\nn/a\n", 3), (b"1\n\n\nn/a\n", 4)])
def test_blank_lines_above_are_counted_and_not_kept(line, end, row):
    count = 200_000
    tracemalloc.start()
    try:
        table = opened(Lines(line, count, end))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    told = rf"^<stdin>:{count + row}: column 'x': expected a number"
    with pytest.raises(DataError, match=told):
        list(table.blocks())


def test_nothing_is_read_behind_what_is_no_text():
    endless = Lines(b"1\n", 10**12, b"")
    with patch.object(endless, "read", side_effect=[b"x\n", b"1\n" * 9, b"\0"]):
        read = endless.read
        with pytest.raises(DataError, match=r"^<stdin>:11: expected text, got a NUL byte$"):
            list(opened(endless).blocks())
        assert read.call_count == 3


def test_a_block_has_a_bound_in_bytes(monkeypatch):
    monkeypatch.setattr(files, "LONGEST_BLOCK", 1000)
    monkeypatch.setattr(inputs, "CELLS", 1 << 15)
    rows = [["a" * 300, "1"]] * 20
    lengths = [len(part.numbers) for part in opened(written([["n", "x"], *rows], "\n")).blocks()]
    assert sum(lengths) == 20
    assert max(lengths) == 4


def test_a_header_in_quotes_over_two_lines():
    table = opened(b'\n"a\nb","x"\n1,2\n')
    assert (table.names, table.place) == (["a\nb", "x"], "<stdin>:2")
    (part,) = table.blocks()
    assert part.texts() == [["1"], ["2"]]
    assert str(part.refusal(0, 0, "more")) == "<stdin>:4: column 'x': expected more, got '2'"


def test_a_column_may_be_without_a_name():
    table = opened(b",x\n7,1\n8,2\n")  # pandas writes its index that way
    assert table.names == ["", "x"]
    assert [part.texts() for part in table.blocks()] == [[["7", "8"], ["1", "2"]]]
    assert opened(b",x,\n7,1,2\n").names == ["", "x", ""]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_txt_is_separated_by_what_makes_sense_of_its_first_line(tmp_path, separator):
    path = tmp_path / "points.txt"
    path.write_text(f"name{separator}x\na{separator}1.5\nb{separator}-2e3\n")
    (rows,) = inputs.open_inputs(str(path), ["x"], FLOAT64).blocks()
    assert rows.numbers.tolist() == [[1.5], [-2000.0]]
