"""Tables in text beside the csv module: the same cells, and the right lines."""

from __future__ import annotations

import csv
import io
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnintro.errors import DataError
from nnintro.predict import block, feed
from nnintro.predict.text import TextTable
from nnintro.predict.writers import as_csv

FLOAT64 = np.dtype("float64")
CELL = st.text(alphabet='ab",;\t\n\r é😀_1 ', max_size=8)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """So that chunks end amid lines, quotes and characters."""
    monkeypatch.setattr(feed, "CHUNK", 7)
    monkeypatch.setattr(block, "CELLS", 8)


def written(rows, end, **options):
    text = io.StringIO(newline="")
    options = {"quoting": csv.QUOTE_ALL, **options}
    csv.writer(text, lineterminator=end, **options).writerows(rows)
    return text.getvalue().encode()


def opened(data, wanted=("x",), **options):
    return TextTable(io.BytesIO(data), "a.csv", wanted, FLOAT64, **options)


@given(
    notes=st.lists(CELL, min_size=1, max_size=30),
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_cells_are_those_of_the_csv_module(notes, end, delimiter):
    rows = [[note, repr(number / 7)] for number, note in enumerate(notes)]
    data = written([["note", "x"], *rows], end, delimiter=delimiter)
    blocks = list(opened(data).blocks())
    assert [row for part in blocks for row in part.cells()] == rows
    numbers = np.concatenate([part.numbers for part in blocks])
    assert np.array_equal(numbers[:, 0], np.arange(len(rows)) / 7)
    assert all(len(part.numbers) <= 4 for part in blocks)


@given(
    before=st.lists(st.one_of(st.none(), CELL), max_size=20),
    after=st.lists(CELL, max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
    bad=st.sampled_from(["n/a", "", "nan", "1_0", "1e999", "é"]),
)
def test_a_bad_cell_is_told_by_the_line_its_row_begins_on(before, after, end, bad):
    rows = [[] if note is None else [note, "1"] for note in before]
    begun = written([["note", "x"], *rows], end)
    data = begun + written([["", bad], *([note, "2"] for note in after)], end)
    line = len(re.findall(rb"\r\n|\r|\n", begun)) + 1
    with pytest.raises(DataError, match=rf"^a\.csv:{line}: column 'x': expected ") as caught:
        list(opened(data).blocks())
    assert "\n" not in str(caught.value)


@given(
    before=st.lists(CELL, max_size=12),
    bad=st.sampled_from([b"\xff", b"\0", b"\xc3(", b"\xed\xa0\x80"]),
    after=st.binary(max_size=20),
)
def test_what_is_no_text_is_told_by_its_line(before, bad, after):
    begun = written([["note", "x"], *([note, "1"] for note in before)], "\n") + b"1,"
    line = len(re.findall(rb"\r\n|\r|\n", begun)) + 1
    with pytest.raises(DataError, match=rf"^a\.csv:{line}: (not UTF-8|a NUL)"):
        list(opened(begun + bad + after).blocks())


@given(st.binary(max_size=200))
def test_noise_is_a_data_error_and_nothing_else(data):
    with pytest.raises(DataError) as caught:
        list(opened(data, wanted=("no such", "names")).blocks())
    assert len(str(caught.value).splitlines()) == 1


@given(
    rows=st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6
        )
    ),
    delimiter=st.sampled_from([",", "\t"]),
)
def test_written_as_the_csv_module_writes(rows, delimiter):
    text = as_csv(rows, delimiter)
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)) == rows
    if "\r" not in text:
        options = {"delimiter": delimiter, "quoting": csv.QUOTE_MINIMAL}
        assert text.encode() == written(rows, "\n", **options)


class Blank(io.RawIOBase):
    """So many blank lines, then a table; never all of it in memory."""

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


@pytest.mark.parametrize("line", [b"\n", b"   \r\n", b"\x0c\n"])
@pytest.mark.parametrize(("end", "row"), [(b"x\n1\nn/a\n", 3), (b"1\n\n\nn/a\n", 4)])
def test_blank_lines_above_are_counted_and_not_kept(line, end, row):
    count = 200_000
    tracemalloc.start()
    try:
        table = TextTable(Blank(line, count, end), "a.csv", ("x",), FLOAT64)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    with pytest.raises(DataError, match=rf"^a\.csv:{count + row}: column 'x': expected a number"):
        list(table.blocks())


def test_a_header_in_quotes_over_two_lines():
    table = opened(b'\n"a\nb","x"\n1,2\n')
    assert (table.names, table.place) == (["a\nb", "x"], "a.csv:2")
    (part,) = table.blocks()
    assert part.cells() == [["1", "2"]]
    assert str(part.refusal(0, 0, "more")) == "a.csv:4: column 'x': expected more, got '2'"
