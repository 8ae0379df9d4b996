"""Training, predict on tables and predict without a table read the same numbers from a text."""

from __future__ import annotations

import contextlib
import csv
import io
import sys
import zipfile
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnintro.datasets.tables import Encoding, encoded_blocks
from nnintro.datasets.tables.cells import numbers
from nnintro.datasets.tables.files import csv as csv_table
from nnintro.datasets.tables.files import open_table, text
from nnintro.datasets.tables.files.csv import CsvTable
from nnintro.errors import DataError
from tests.datasets.tables import built, section

NUMERALS = ["1", "2.5", "-3e2", ".5", "7.", "+1", "007", "1e5", "9" * 30, "5e-324", "0.1"]
ODD = [
    "0x10", "-0X1f", "nan(1)", "nan", "-nan", "NA", "", "inf", "1e999", "1_000", '"1"5', '"1" ',
    "１", "\u00a01", " 2 ", "1,5", "1e", "abc", '"3"', '"', '""', "a\0b", "0b1", "1 2", "−1",
]  # fmt: skip


def read(function):
    """The numbers, or None where they are refused."""
    with contextlib.suppress(DataError):
        return function()


def of_training(path):
    table = open_table(path)
    table.load(["x", "y"], [])
    return numbers(table.column("x"), "x", "number", table.places)


def of_predict(path):
    parts = [numbers(batch.column("x"), "x", "number", places) for batch, places in open_table(path).blocks(3)]
    return np.concatenate(parts)


def test_training_and_predict_read_the_same_or_both_refuse(tmp_path):
    from nnintro.predict.inputs import open_inputs

    path = str(tmp_path / "a.csv")
    counts = {"read": 0, "refused": 0}

    def without_a_table(path):
        rows = open_inputs(path, ["x"], np.dtype("float64")).blocks()
        return np.concatenate([part.numbers[:, 0] for part in rows])

    @settings(max_examples=300, suppress_health_check=list(HealthCheck), database=None)
    @given(
        st.lists(st.sampled_from(NUMERALS), min_size=1, max_size=8),
        st.sampled_from([*NUMERALS, *ODD]),
        st.integers(0, 8),
    )
    def check(good, cell, place):
        cells = [*good[:place], cell, *good[place:]]
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write("x,y\n" + "".join(f"{cell},1\n" for cell in cells))
        found, again, alone = (read(lambda f=f: f(path)) for f in (of_training, of_predict, without_a_table))
        assert (found is None) == (again is None)
        counts["refused" if found is None else "read"] += 1
        if found is not None:
            assert np.array_equal(found, again, equal_nan=True)
        # Without a table there are no missing values, and all numbers are finite.
        usable = found is not None and bool(np.isfinite(found).all())
        assert (alone is not None) == usable
        assert not usable or np.array_equal(found, alone)

    check()
    assert min(counts.values()) > 50


CELL = st.text(alphabet='ab",;\t\n\r é😀_1 ', max_size=8)


@given(
    cells=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=20),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030"]),
    chunk=st.integers(1, 50),
)
def test_cells_are_those_of_the_csv_module_in_any_encoding(cells, end, encoding, chunk):
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["a", "b"], *cells])
    buffer = io.BytesIO(written.getvalue().encode(encoding))
    file = text.TextFile("-", text.python_name(encoding), chunk=chunk)
    with patch.object(sys, "stdin", SimpleNamespace(buffer=buffer)):
        batches = [batch for batch, _ in CsvTable(file).blocks(5)]
    found = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
    assert found == cells


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_fault_has_its_line_wherever_chunks_end(encoding, end):
    rows = ["a,b", '"1', '2",3', "", "4,5", "6", "7,8"]
    data = end.join(rows).encode(encoding)
    for chunk in range(1, len(data) + 1):
        file = text.TextFile("-", text.python_name(encoding), chunk=chunk)
        with (
            patch.object(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data))),
            pytest.raises(DataError, match=r"^<stdin>:6: expected 2 cells, found 1$"),
        ):
            list(CsvTable(file).blocks(5))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("shift", range(3))
def test_a_line_break_in_quotes_is_read_right_wherever_blocks_end(tmp_path, monkeypatch, encoding, shift):
    r"""Blocks so short that many end between \r and \n."""
    monkeypatch.setattr(csv_table, "SHORTEST_PIECE", 64)
    monkeypatch.setattr(csv_table, "LONGEST_ROW", 128)
    cells = [f"{'x' * (k % 13)}\r\n{k % 7}" for k in range(200)]
    rows = "".join(f'"{cell}",{k}\r\n' for k, cell in enumerate(cells))
    path = tmp_path / "a.csv"
    path.write_bytes(f"{'n' * (shift + 1)},y\r\n{rows}".encode(encoding))
    table = CsvTable(text.TextFile(str(path), text.python_name(encoding), chunk=50))
    table.load(table.names, [])
    assert table.column(table.names[0]).to_pylist() == cells
    assert table.column("y").to_pylist() == list(range(200))
    batches = CsvTable(text.TextFile(str(path), text.python_name(encoding), chunk=50)).blocks(5)
    assert [cell for batch, _ in batches for cell in batch.column(0).to_pylist()] == cells


def test_a_tab_in_single_quotes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x\ty\n" + "".join(f"{k}\t{k % 5}\n" for k in range(20)))
    assert section(path, delimiter="\\t").delimiter == "\t"
    assert built(path, delimiter="\\t").found.task.inputs == 1


@pytest.mark.parametrize("word", ["None", "<NA>", "#N/A", "n/a", "NaN", "null", "NULL", "", " NA "])
@pytest.mark.parametrize("cells", [range(20), "ab" * 10])
def test_words_for_no_value(tmp_path, word, cells):
    """In training and in predict, of numbers and of categories."""
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "".join(f"{word if k == 3 else cell},{k % 5}\n" for k, cell in enumerate(cells)))
    splits = built(path, missing="drop")
    assert splits.facts["dropped_rows"] == 1
    encoding = Encoding.from_description(splits.found.description)
    with pytest.raises(DataError, match=r"a.csv:5: column 'x': expected .*, got no value"):
        list(encoded_blocks(str(path), encoding))


def test_a_sheet_of_excel_under_another_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("a.csv", "w") as book:
        book.writestr("[Content_Types].xml", "<x/>")
        book.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(DataError) as caught:
        open_table("a.csv")
    told = "expected text, got what looks like a file of kind .xlsx (Excel); save the sheet as CSV"
    assert str(caught.value) == f"a.csv: {told}"
