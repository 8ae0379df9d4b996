"""Rows as CSV beside the csv module."""

from __future__ import annotations

import csv
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nnintro.files import as_csv
from nnintro.predict.writers import texts

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


def test_numbers_have_their_shortest_texts():
    """As numpy writes them, for any float64."""
    bits = np.random.default_rng(0).integers(0, 2**64, 5000, dtype=np.uint64)
    edges = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e16, 9999999999999998.0, 1e-4, 9.9e-5, 5e-324]
    column = np.concatenate([bits.view(np.float64), edges])
    assert texts(column) == column.astype(np.str_).tolist()
    assert texts(np.float32([0.1, 2.0])) == ["0.1", "2.0"]
    assert texts(np.array(["a", "1.50"])) == ["a", "1.50"]
