"""Numbers as people write them, and other words for no value."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnintro.datasets.tables import encoded_blocks, encoded_columns
from nnintro.datasets.tables.spelling import Marks
from nnintro.errors import ConfigError, DataError
from tests.datasets.tables import built, encoded_samples, encoding_of, raw, refused, section, write

Y = [float(k * k % 7) for k in range(12)]
GERMAN = Marks(",", ".")


READ = [
    (GERMAN, "1.234.567,89", 1234567.89), (GERMAN, "-1234,5", -1234.5), (GERMAN, ",5", 0.5), (GERMAN, "7,", 7.0),
    (GERMAN, "1.234", 1234.0), (GERMAN, "1,5e-3", 0.0015), (GERMAN, "1.23", None), (GERMAN, "1234.567", None),
    (GERMAN, "1,234.5", None), (GERMAN, "1.2345", None), (GERMAN, ".123", None),
    (Marks(","), "1.234", None), (Marks(","), "75,26", 75.26), (Marks(","), ",", None), (Marks(","), "inf", None),
    (Marks(".", ","), "1,234,567", 1234567.0), (Marks(".", ","), "12,34,567", None), (Marks(".", ","), "1,5", None),
    (Marks(",", " "), "1\u202f234,5", 1234.5), (Marks(",", " "), "1\u00a0234\u00a0567", 1234567.0),
    (Marks(".", "'"), "1\u2019234.5", 1234.5), (Marks(".", "_"), "1_000", 1000.0), (Marks(".", "_"), "1__000", None),
    (Marks(".", ",", ("$",)), "$17,539.50", 17539.5), (Marks(".", ",", ("$",)), "-$ 5", -5.0),
    (Marks(".", "", ("$",)), "$-5", -5.0), (Marks(".", "", ("$",)), "--5", None),
    (Marks(".", "", ("$",)), "-$-5", None), (Marks(",", "", ("\u20ac",)), "3,5\u00a0\u20ac", 3.5),
    (Marks(".", "", ("kg", "k")), "50.5 kg", 50.5), (Marks(".", "", ("%",)), "12.5%", 12.5),
    (Marks(".", "", ("%",)), "%", None),
]  # fmt: skip


@pytest.mark.parametrize(("marks", "cell", "value"), READ)
def test_what_a_cell_is_read_as(marks, cell, value):
    """Worked out by hand; cell by cell and a column at a time alike."""
    numeral = marks.numeral(f" {cell} ")
    assert (None if numeral is None else float(numeral)) == value
    column, bad = marks.numerals(pa.chunked_array([["1", f" {cell} ", None]]))
    assert bad.tolist() == [False, value is None, False]
    if value is not None:
        assert [None if text is None else float(text) for text in column.to_pylist()] == [1.0, value, None]


@given(
    st.text("0123456789.,' _+-e%$k\u202f", max_size=12),
    st.sampled_from(",."),
    st.sampled_from(["", ",", ".", " ", "'", "_"]),
    st.sampled_from([(), ("%",), ("$", "k")]),
)
def test_a_column_and_its_cells_are_read_alike(cell, decimal, thousands, strip):
    marks = Marks(decimal, "" if thousands == decimal else thousands, strip or ("\u20ac",))
    numeral = marks.numeral(cell)
    column, bad = marks.numerals(pa.chunked_array([["2", cell]]))
    if cell.strip():
        assert bad.tolist() == [False, numeral is None]
        assert numeral is None or column[1].as_py() == numeral
        assert numeral is None or math.isfinite(float(numeral)) or "e" in numeral


def german(value):
    """1234.5 as 1.234,50."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_german_table_is_the_plain_one(tmp_path, suffix):
    """Inputs, targets, dates and categories; then in blocks, in memory, and behind a round trip of data.json."""
    price = [1234.5 * k for k in range(12)]
    columns = {
        "price": list(map(german, price)),
        "day": [f"2024-01-{k + 1:02}" for k in range(12)],
        "code": ["1,5", "2,5", "1.5"] * 4,
        "count": [k * 3 % 11 for k in range(12)],
        "y": [f"{value:.1f}".replace(".", ",") + " kg" for value in Y],
    }
    keys = {"decimal": ",", "thousands": ".", "strip": ["kg"], "categorical": ["code"], "standardize": "inputs"}
    path = write(tmp_path / f"a{suffix}", columns)
    splits = built(path, **keys)
    assert splits.notes == ()
    other = write(tmp_path / f"b{suffix}", {**columns, "price": price, "y": Y})
    plain = built(other, categorical=["code"], standardize="inputs")
    assert np.array_equal(raw(splits), raw(plain))
    assert np.array_equal(splits.train.targets, plain.train.targets)
    encoding = encoding_of(splits)
    assert encoding.feature_names[2:5] == ["code=1,5", "code=1.5", "code=2,5"]
    inputs, targets = encoded_samples(str(path), encoding, keys=section(path, **keys).text_keys)
    assert inputs[:, 0].tolist() == price
    assert targets[:, 0].tolist() == Y
    assert encoded_columns(columns, encoding)[:, 0].tolist() == price
    (block,) = encoded_blocks(str(path), encoding)
    assert block.texts()[0] == columns["price"]  # byte for byte
    assert block.values()[0] == columns["price"]  # and no 1.234 that is 1234
    columns["price"][3] = "3703.5"
    write(path, columns)
    with pytest.raises(DataError, match=r"column 'price': expected a number such as 1\.234,5, got '3703\.5'"):
        list(encoded_blocks(str(path), encoding))


def test_a_point_is_never_a_decimal_point_beside_a_comma(tmp_path):
    path = write(tmp_path / "a.csv", {"x": [f"1.{k:03}" for k in range(12)], "y": range(12)})
    assert raw(built(path, decimal=",", thousands="."))[:, 0].min() == 1000
    message = refused(path, decimal={"x": ","})
    assert "column 'x': expected a number such as 1234,5, got '1.000'" in message
    assert "set thousands: '.' if 1.000 is 1000, decimal: '.' if it is 1.000" in refused(path, decimal=",")


def test_columns_may_be_written_differently(tmp_path):
    path = write(tmp_path / "a.csv", {"x": [f"{k},5" for k in range(12)], "z": [k + 0.25 for k in range(12)], "y": Y})
    inputs = raw(built(path, decimal={"x": ","}))
    assert sorted(inputs.round(9).tolist()) == [[k + 0.5, k + 0.25] for k in range(12)]
    assert "no column 'w'" in refused(path, decimal={"w": ","})


@pytest.mark.parametrize(
    ("cells", "advice"),
    [
        (["75,26", "7,5"], "add decimal: ','"),
        (["1.234,5", "7,5"], "add decimal: ',' and thousands: '.'"),
        (["1,234.5", "7.5"], "add thousands: ','"),
        (["1,234", "2,500"], "add thousands: ',' if 1,234 is 1234, decimal: ',' if it is 1.234"),
        (["1 234", "17"], "add thousands: ' '"),
        (["1'234.5", "17"], 'add thousands: "\'"'),
        (["$17,539.50", "$5.00"], "add thousands: ',' and strip: ['$']"),
        (["3,5 \u20ac", "4,25 \u20ac"], "add decimal: ',' and strip: ['\u20ac']"),
        (["12.5%", "7%"], "add strip: ['%']"),
        (["50.5 kg", "7.0 kg"], "add strip: ['kg']"),
        (["1.5D+02", "2.5D+02"], "written with E, not with Fortran's D"),
        (["1.5", "-"], "add missing_values: ['-'] if it means missing"),
    ],
)
@pytest.mark.parametrize("rows", [12, 600])
def test_the_error_names_the_keys_for_the_whole_column(tmp_path, cells, advice, rows):
    """Whether the same few numbers recur or all differ."""
    repeated = [*cells, *cells[:1] * (rows - len(cells))]
    path = write(tmp_path / "a.csv", {"x": repeated, "y": [k % 7 for k in range(rows)]})
    assert advice in refused(path)


@pytest.mark.parametrize("cells", [["A1", "A2", "B1"], ["2nd", "3rd", "1st"], ["3 doors", "5 doors"],
                                   [">50K", "<=50K"],
                                   ["10-20", "20-30"], ["Q1", "Q2"], ["5", "many", "few"]])  # fmt: skip
def test_codes_stay_categories(tmp_path, cells):
    path = write(tmp_path / "a.csv", {"x": [cells[k % len(cells)] for k in range(12)], "y": Y})
    assert raw(built(path)).shape[1] == len(cells)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_words_and_numbers_for_no_value(tmp_path, suffix):
    columns = {
        "age": [30.0, -999.0, 31.5, -9.0] * 3, "note": ["-", "a", "b", "n/k"] * 3,
        "temp": ["1.5", "-", " - ", "-999"] * 3, "whole": [1, -999, 3, -9] * 3, "y": Y,
    }  # fmt: skip
    path = write(tmp_path / f"a{suffix}", columns)
    keys = {"missing_values": ["-", "n/k", -999], "missing": "indicator"}
    splits = built(path, **keys)
    encoding = encoding_of(splits)
    inputs, _ = encoded_samples(str(path), encoding)
    names = encoding.feature_names
    assert inputs[:, names.index("age missing")].tolist() == [0, 1, 0, 0] * 3
    assert inputs[:, names.index("whole missing")].tolist() == [0, 1, 0, 0] * 3
    assert "temp missing" in names
    assert [name for name in names if name.startswith("note")] == ["note=a", "note=b", "note=(missing)"]
    assert sorted(map(tuple, raw(splits).round(9))) == sorted(map(tuple, inputs.round(9)))
    by_column = built(path, missing_values={"age": [-9], "temp": ["-", -999]}, missing="indicator", exclude=["note"])
    inputs, _ = encoded_samples(str(path), encoding_of(by_column))
    assert inputs[:, 1].tolist() == [0, 0, 0, 1] * 3
    assert "whole missing" not in encoding_of(by_column).feature_names


def test_missing_groups_times_and_targets(tmp_path):
    path = write(tmp_path / "a.csv", {"x": Y[::-1], "g": ["a", "b", "-"] * 4, "y": [-999, *Y[1:]]})
    splits = built(path, missing="drop", missing_values=["-", -999], split="group", split_by="g")
    assert splits.facts["dropped_rows"] == 5
    assert "missing: drop leaves such rows out" in refused(path, missing_values=[-999], exclude=["g"])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"decimal": ";"}, "dataset.decimal"),
        ({"thousands": "x"}, "expected one of , . ' _ or a blank, got 'x'"),
        ({"decimal": ",", "thousands": ","}, "is the decimal mark"),
        ({"strip": ["("]}, "parentheses stand for a minus sign"),
        ({"strip": ["-"]}, "expected what stands beside a number"),
        ({"strip": ["5"]}, "expected what stands beside a number"),
    ],
)
def test_keys_that_cannot_be(tmp_path, keys, message):
    from nnintro.config.load import load_config

    path = tmp_path / "c.yaml"
    dataset = {"kind": "table", "path": "a.csv", "target": "y", **keys}
    path.write_text(json.dumps({"dataset": dataset, "model": {"kind": "mlp", "hidden": [2]}}))
    with pytest.raises(ConfigError, match=r"c\.yaml:1:\d+: dataset\.") as caught:
        load_config(path)
    assert message in str(caught.value)
