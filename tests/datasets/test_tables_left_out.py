"""Columns that nothing can be learned from are left out, with one note; predict does not need them."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from nnintro.datasets.tables import Encoding, encoded_blocks
from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, raw, write

X = [k / 4 for k in range(20)]
Y = [float(k % 7) for k in range(20)]


def encoding_of(splits):
    return Encoding.from_description(json.loads(json.dumps(splits.found.description)))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("missing", ["error", "drop", "mean", "indicator"])
def test_constant_and_empty_columns(tmp_path, monkeypatch, suffix, missing):
    """The samples are bit for bit those of a file without these columns."""
    monkeypatch.chdir(tmp_path)
    useless = {"zero": [0] * 20, "word": ["a"] * 20, "yes": [True] * 20, "none": [None] * 20}
    write(tmp_path / f"a{suffix}", {"zero": useless["zero"], "x": X, **useless, "z": Y[::-1], "y": Y})
    write(tmp_path / f"b{suffix}", {"x": X, "z": Y[::-1], "y": Y})
    splits, plain = (built(f"{name}{suffix}", missing=missing) for name in "ab")
    assert encoding_of(splits) == encoding_of(plain)
    assert np.array_equal(raw(splits), raw(plain))
    assert np.array_equal(splits.validation.targets, plain.validation.targets)
    for bound in ("low", "high"):
        assert np.array_equal(getattr(splits, bound), getattr(plain, bound))
    assert plain.notes == ()
    (note,) = splits.notes
    start, names = f"a{suffix}: 4 columns left out, from which nothing can be learned: ", note.split(": ")[-1]
    assert note.startswith(start)
    assert sorted(names.split(", ")) == [
        "'none' has no value in any row", "'word' is 'a' in every row", "'yes' is 1 in every row",
        "'zero' is 0 in every row",
    ]  # fmt: skip
    again, _ = encoded_samples(f"b{suffix}", encoding_of(splits))
    assert sorted(again[:, 0].tolist()) == X


@pytest.mark.parametrize("cell", [7, "a"])
def test_no_row_is_dropped_for_a_constant_column(tmp_path, cell):
    path = write(tmp_path / "a.csv", {"x": X, "z": [cell, None] * 10, "y": Y})
    splits = built(path, missing="drop")
    assert splits.facts["dropped_rows"] == 0
    assert len(splits.notes) == 1
    assert sorted(raw(splits)[:, 0].round(9).tolist()) == X


def test_many_are_counted(tmp_path):
    path = write(tmp_path / "a.csv", {**{f"p{k}": [0] * 20 for k in range(784)}, "x": X, "y": Y})
    (note,) = built(path).notes
    assert "784 columns" in note
    assert note.endswith("'p7' is 0 in every row and 776 more")


@pytest.mark.parametrize("labels", [range(20), range(1, 21), range(40, 0, -2), [f"Mazda {k}" for k in range(20)]])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_first_column_of_labels_without_a_name(tmp_path, labels, quote):
    """As pandas' to_csv and R's write.csv write it."""
    rows = [f"{quote}{label}{quote},{x},{y}" for label, x, y in zip(labels, X, Y, strict=True)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([f"{quote}{quote},x,y", *rows]) + "\n")
    splits = built(path)
    assert splits.notes[0].endswith("'column 1' has no name and another value in each row")
    assert encoding_of(splits).feature_names == ["x"]
    (block,) = encoded_blocks(str(path), encoding_of(splits))
    assert block.inputs[:, 0].tolist() == X
    assert block.texts()[0] == list(map(str, labels))
    named = built(path, inputs=["column 1", "x"], categorical=["column 1"], unseen="zeros")
    assert not any("left out" in note for note in named.notes)
    assert built(path, exclude=[""]).notes == ()


def test_columns_that_a_comma_at_the_end_of_lines_adds(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x;y;;\n" + "".join(f"{x};{y};;\n" for x, y in zip(X, Y, strict=True)))
    splits = built(path)
    assert splits.notes[0].endswith("'column 3' has no name and no value, 'column 4' has no name and no value")
    (block,) = encoded_blocks(str(path), encoding_of(splits))
    assert block.inputs[:, 0].tolist() == X


def test_the_index_that_pandas_wrote(tmp_path):
    table = pa.table({"x": X, "y": Y, "__index_level_0__": list(range(20))})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    splits = built(tmp_path / "a.parquet")
    assert splits.notes[0].endswith("'__index_level_0__' is the index that pandas wrote")
    assert encoding_of(splits).feature_names == ["x"]
    asked = built(tmp_path / "a.parquet", inputs=["x", "__index_level_0__"])
    assert encoding_of(asked).feature_names == ["x", "__index_level_0__"]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={}"])
def test_a_line_above_the_header_that_names_the_delimiter(tmp_path, monkeypatch, mark, line):
    monkeypatch.chdir(tmp_path)
    rows = [line.format(mark), f"x{mark}y", *(f"{x}{mark}{y}" for x, y in zip(X, Y, strict=True))]
    (tmp_path / "a.csv").write_text("\r\n".join([*rows, ""]))
    splits = built("a.csv")
    (block,) = encoded_blocks("a.csv", encoding_of(splits))
    assert block.inputs[:, 0].tolist() == X
    (tmp_path / "a.csv").write_text("\r\n".join([*rows, f"a{mark}1", ""]))
    with pytest.raises(DataError, match=r"^a.csv:23: column 'x': expected a number, got 'a'"):
        list(encoded_blocks("a.csv", encoding_of(splits)))
