"""A CSV in many pieces has the columns that it has in one."""

from __future__ import annotations

import csv
import datetime

import pyarrow as pa
import pytest

from nnintro.datasets.tables import encoded_blocks
from nnintro.datasets.tables.files import csv as csv_table
from nnintro.datasets.tables.files import csv_columns, text
from nnintro.datasets.tables.files.csv import CsvTable
from nnintro.datasets.tables.files.csv_layout import Layout
from nnintro.errors import DataError
from tests.datasets.tables import built, encoding_of

ROWS = 300
COLUMNS = {
    "whole": [str(k) for k in range(ROWS)],
    "whole, then not": [str(k) if k < 200 else f"{k}.5" for k in range(ROWS)],
    "not, then whole": [f"{k}.5" if k < 200 else str(k) for k in range(ROWS)],
    "with gaps": ["" if k % 3 else str(k) for k in range(ROWS)],
    "gaps late": ["" if k > 200 else f"{k}.25" for k in range(ROWS)],
    "gaps, then whole": ["" if k < 150 else str(k) for k in range(ROWS)],
    "gaps, then not": ["" if k < 150 else f"{k}.5" for k in range(ROWS)],
    "gaps, whole, not": ["" if k < 99 else str(k) if k < 199 else f"{k}.5" for k in range(ROWS)],
    "gaps": [""] * ROWS,
    "gaps, then text": ["" if k < 150 else f"t{k}" for k in range(ROWS)],
    "text": [f"t{k % 7}" for k in range(ROWS)],
    "truth": [("true", "false", "")[k % 3] for k in range(ROWS)],
    "date": [f"2024-01-{k % 28 + 1:02}" for k in range(ROWS)],
}
CONFLICTS = {
    "whole, then text": [str(k) if k < 200 else f"t{k}" for k in range(ROWS)],
    "truth, then whole": ["true" if k < 200 else str(k) for k in range(ROWS)],
    "date, then text": ["2024-01-05" if k < 200 else "soon" for k in range(ROWS)],
}


def meant(cells):
    """The values of a column's cells: all whole numbers, else all numbers, and so on, else the texts."""
    known = [cell for cell in cells if cell]
    truths = {"true": True, "false": False}
    for kind in (int, float, truths.__getitem__, datetime.date.fromisoformat):
        try:
            values = [kind(cell) for cell in known]
        except (ValueError, KeyError):
            continue
        return [values.pop(0) if cell else None for cell in cells]
    return [cell or None for cell in cells]


def opened(path, columns, monkeypatch, *, chunk=100, large=1):
    monkeypatch.setattr(csv_table, "SHORTEST_PIECE", 1)
    monkeypatch.setattr(csv_table, "BYTES_OF_A_COLUMN", 1)
    monkeypatch.setattr(csv_columns, "LARGE", large)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return CsvTable(text.TextFile(str(path), chunk=chunk))


@pytest.mark.parametrize("chunk", [100, 1000, 1 << 20])
@pytest.mark.parametrize("large", [1, 1 << 20])
def test_columns_have_the_values_of_all_pieces(tmp_path, monkeypatch, chunk, large):
    table = opened(tmp_path / "a.csv", COLUMNS, monkeypatch, chunk=chunk, large=large)
    monkeypatch.setattr(CsvTable, "_read", None)  # the pieces are enough
    table.load(table.names, [])
    assert table.rows == ROWS
    for name, cells in COLUMNS.items():
        assert table.column(name).to_pylist() == meant(cells), name
    floats = {name for name in COLUMNS if "not" in name or name == "gaps late"}
    assert {name for name in COLUMNS if pa.types.is_floating(table.type(name))} == floats


@pytest.mark.parametrize("name", CONFLICTS)
def test_cells_of_several_types_are_text_throughout(tmp_path, monkeypatch, name):
    table = opened(tmp_path / "a.csv", {"k": COLUMNS["whole"], name: CONFLICTS[name]}, monkeypatch)
    table.load(table.names, [])
    assert table.column(name).to_pylist() == CONFLICTS[name]
    assert table.column("k").to_pylist() == list(range(ROWS))


def test_large_ids_keep_their_digits_where_fractions_come_late(tmp_path, monkeypatch):
    cells = [*map(str, range(2**60, 2**60 + 250)), *(f"{k}.5" for k in range(50))]
    table = opened(tmp_path / "a.csv", {"k": COLUMNS["whole"], "id": cells}, monkeypatch)
    table.load(table.names, [])
    assert table.column("id").to_pylist() == cells


def test_memory_of_large_columns_is_given_back_one_by_one(tmp_path, monkeypatch):
    table = opened(tmp_path / "a.csv", COLUMNS, monkeypatch)
    made, room = [], csv_columns.mmap.mmap

    def noted(*arguments, **keys):
        made.append(room(*arguments, **keys))
        return made[-1]

    monkeypatch.setattr(csv_columns.mmap, "mmap", noted)
    table.load(["whole", "not, then whole"], [])
    assert len(made) >= 2
    table.forget("whole")
    freed = []
    for memory in made:
        try:
            memory.close()  # refused while an array looks into it
            freed.append(memory)
        except BufferError:
            continue
    assert len(freed) == len(made) - 1
    assert table.column("not, then whole").to_pylist() == meant(COLUMNS["not, then whole"])


@pytest.mark.parametrize("row", [3, 290])
def test_a_row_of_another_length_has_its_line(tmp_path, monkeypatch, row):
    table = opened(tmp_path / "a.csv", COLUMNS, monkeypatch)
    lines = (tmp_path / "a.csv").read_text().splitlines(keepends=True)
    lines[row - 1] = lines[row - 1].replace("\n", ",1\n")
    (tmp_path / "a.csv").write_text("".join(lines))
    table = CsvTable(text.TextFile(str(tmp_path / "a.csv"), chunk=100))
    with pytest.raises(DataError, match=rf"a\.csv:{row}: expected 13 cells, found 14"):
        table.load(table.names, [])


def test_what_is_no_text_is_said_before_what_is_no_row(tmp_path, monkeypatch):
    opened(tmp_path / "a.csv", COLUMNS, monkeypatch)
    lines = (tmp_path / "a.csv").read_bytes().splitlines(keepends=True)
    lines[10], lines[250] = b"1,2\n", b"\xff" + lines[250]
    (tmp_path / "a.csv").write_bytes(b"".join(lines))
    table = CsvTable(text.TextFile(str(tmp_path / "a.csv"), chunk=100))
    with pytest.raises(DataError, match=r"a\.csv:251: not utf-8"):
        table.load(table.names, [])


def test_columns_are_looked_up_and_not_searched_for(tmp_path, monkeypatch):
    """Of 60,000 columns a search for each takes half a minute."""

    class Names(list):
        def __contains__(self, name):
            raise AssertionError(f"searched for {name}")

    path = tmp_path / "a.csv"
    path.write_text("a,b,y\n" + "".join(f"{k},{k % 7},{k * k}\n" for k in range(20)), encoding="utf-8")
    own = Layout.names.fget
    monkeypatch.setattr(Layout, "names", property(lambda layout: Names(own(layout))))
    splits = built(path, inputs=["a", "b"])
    (block,) = encoded_blocks(str(path), encoding_of(splits))
    assert block.inputs.tolist() == [[k, k % 7] for k in range(20)]
