"""Every kind of column, and one more: training and other files are encoded by the same code."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from nnintro.datasets.tables import Encoding, encoded_blocks, encoding
from nnintro.datasets.tables import columns as kinds
from nnintro.datasets.tables.columns import COLUMNS
from nnintro.datasets.tables.columns.column import Column
from nnintro.datasets.tables.columns.number import Number
from nnintro.datasets.tables.files import open_table
from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, raw, write

CELLS = {
    "number": [0.1, 2.5, -3.0, 7.7, 1e6],
    "category": ["Ulm", "Bonn", "Köln", "a,b", "Ulm"],
    "words": ["a good film", "bad, bad film", "good", "so-so", "the end"],
    "angle": [0.0, 90.0, 359.0, 45.0, 180.0],
}
"""Kind -> cells of a column of that kind."""


@dataclass(frozen=True)
class Angle(Column):
    """A direction in degrees, of which 359 is near 1: its sine and cosine."""

    name: str
    kind: Literal["angle"] = "angle"

    @classmethod
    def recognize(cls, source):
        return cls(source.name) if source.name == "angle" else None

    @property
    def features(self):
        return [f"sin {self.name}", f"cos {self.name}"]

    @property
    def expected(self):
        return "degrees"

    def read(self, cells, places):
        return Number(self.name).read(cells, places)

    def absent(self, values):
        return np.isnan(values)

    def write_into(self, inputs, values):
        known = ~np.isnan(values)
        inputs[known, 0] = np.sin(np.radians(values[known]))
        inputs[known, 1] = np.cos(np.radians(values[known]))


@pytest.fixture(autouse=True)
def one_more(monkeypatch):
    """All that it takes to add a kind: its class, and a row in front of the kind that is sure."""
    for module in (kinds, encoding):
        monkeypatch.setattr(module, "COLUMNS", {"angle": Angle, **COLUMNS})


def table(kind, n=40, missing=False):
    cells = [CELLS[kind][k % 5] for k in range(n)]
    if missing:
        cells[3] = cells[11] = cells[-1] = None
    return {kind: cells, "y": list(range(n))}


def test_there_are_cells_for_every_kind():
    assert list(kinds.COLUMNS) == ["angle", "words", "number", "category"]
    assert set(CELLS) == set(kinds.COLUMNS)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("missing", ["error", "drop", "mean", "indicator"])
def test_training_and_other_files_are_encoded_alike(tmp_path, kind, suffix, missing):
    given = table(kind, missing=missing != "error")
    path = write(tmp_path / f"a{suffix}", given)
    text = ["words"] if kind == "words" else []
    keys = {"text": text, "text_features": 7, "missing": missing, "split": "time"}
    splits = built(path, standardize="none", **keys)
    assert splits.found.description["columns"][0]["kind"] == kind
    learned = Encoding.from_description(json.loads(json.dumps(splits.found.description)))
    if missing == "drop":
        rows = [k for k, cell in enumerate(given[kind]) if cell is not None]
        given = {name: [cells[k] for k in rows] for name, cells in given.items()}
        write(path, given)
    inputs, targets = encoded_samples(str(path), learned, block_rows=9)
    assert np.array_equal(inputs, raw(splits))
    assert targets[:, 0].tolist() == given["y"]


@pytest.mark.parametrize("kind", CELLS)
def test_a_missing_cell_is_an_error_of_its_kind(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    expected = {"number": "a number", "category": "a category", "words": "text", "angle": "degrees"}
    keys = {"text": ["words"]} if kind == "words" else {}
    with pytest.raises(DataError) as caught:
        built(write(tmp_path / "a.csv", table(kind, missing=True)), **keys)
    assert str(caught.value) == (
        f"a.csv:5: column '{kind}': expected {expected[kind]}, got no value; missing: drop, mean "
        "or indicator handles such cells"
    )
    description = built(write(tmp_path / "a.csv", table(kind)), **keys).found.description
    write(tmp_path / "new.csv", table(kind, missing=True))
    with pytest.raises(DataError, match=rf"^new.csv:5: column '{kind}': expected .*, got no value"):
        list(encoded_blocks("new.csv", Encoding.from_description(description)))


def test_a_kind_of_its_own(tmp_path):
    path = write(tmp_path / "a.csv", table("angle"))
    splits = built(path, split="time")
    assert splits.found.description["columns"] == [{"name": "angle", "kind": "angle"}]
    assert Encoding.from_description(splits.found.description).feature_names == ["sin angle", "cos angle"]
    angles = np.radians(table("angle")["angle"])
    np.testing.assert_allclose(raw(splits), np.stack([np.sin(angles), np.cos(angles)], axis=1))
    assert splits.standardization.scale.tolist() == [1, 1]
    np.testing.assert_allclose(splits.low, [np.sin(np.radians(359)), -1])
    np.testing.assert_allclose(splits.high, [1, 1])


def test_types_are_known_without_reading_cells(tmp_path):
    days = [datetime.date(2024, 1, 1 + k % 9) for k in range(20)]
    columns = {"x": [k / 4 for k in range(20)], "n": list(range(20)), "s": ["a", "b"] * 10,
               "t": [True, False] * 10, "day": days}  # fmt: skip
    arrays = {**columns, "day": np.array(days, "M8[h]"), "two": np.ones((20, 2), ">f4")}
    write(tmp_path / "a.csv", {**columns, "day": [day.isoformat() for day in days]})
    np.savez(tmp_path / "a.npz", **arrays)
    coded = pa.array(columns["s"]).dictionary_encode()
    pyarrow.parquet.write_table(pa.table({**columns, "coded": coded}), tmp_path / "a.parquet")
    count = 0
    for suffix in (".csv", ".npz", ".parquet"):
        source = open_table(str(tmp_path / f"a{suffix}"))
        source.load(source.names, [])
        for name in source.names:
            assert source.type(name) == source.column(name).type
            count += 1
    assert count == 5 + 7 + 6


@pytest.mark.parametrize(("rows", "different", "fits"), [(120, 100, False), (120, 60, True), (12, 12, True)])
def test_texts_of_nearly_every_row_are_not_categories(tmp_path, rows, different, fits):
    texts = [f"t{k % different}" for k in range(rows)]
    path = write(tmp_path / "a.csv", {"t": texts, "x": list(range(rows)), "y": [k * k for k in range(rows)]})
    if fits:
        assert built(path).found.description["columns"][0]["kind"] == "category"
    else:
        with pytest.raises(DataError, match=rf"{different} different texts in {rows} rows are not categories"):
            built(path)
        assert built(path, categorical=["t"]).found.description["columns"][0]["kind"] == "category"
