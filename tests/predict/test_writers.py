"""Rows as CSV beside the csv module."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from nnintro.files import as_csv

CELL = st.text(alphabet='ab",;\t\n\r é😀_1 ', max_size=8)


@given(
    rows=st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    delimiter=st.sampled_from([",", "\t"]),
)
def test_written_as_the_csv_module_writes(rows, delimiter):
    text = as_csv(rows, delimiter)
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)) == rows
    if "\r" not in text:
        expected = io.StringIO(newline="")
        writer = csv.writer(expected, lineterminator="\n", delimiter=delimiter)
        writer.writerows(rows)
        assert text == expected.getvalue()
