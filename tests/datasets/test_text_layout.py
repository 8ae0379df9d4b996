"""Text files as they come: without a header, with remarks, units and footers, set apart by blanks."""

from __future__ import annotations

import numpy as np
import pytest

from nnintro.config.datasets.text_keys import TextKeys
from nnintro.datasets.tables import encoded_blocks
from nnintro.datasets.tables.files import open_table
from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, encoding_of, raw, refused, section

X = [k / 4 for k in range(12)]
Y = [float(k * k % 7) for k in range(12)]
ROWS = "".join(f"{x},{'ab'[k % 2]},{y}\n" for k, (x, y) in enumerate(zip(X, Y, strict=True)))
NAMED = {"header": False, "names": ["x", "city", "y"]}


def write(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


LAYOUTS = {
    "named": (ROWS, NAMED),
    "numbered": (ROWS, {"header": False, "target": "column 3"}),
    "names-alone": (ROWS, {"names": ["x", "city", "y"]}),
    "renamed": ("x;y;z\n" + ROWS.replace(",", ";"), {**NAMED, "header": True}),
    "padded": (ROWS.replace(",", ", "), NAMED),
    "comments": ("# by hand, 2024\n#unit: \"mV\n" + "x,city,y\n#, ,\n" + ROWS, {"comment": "#"}),
    "title": ("Report,,\n\n  of \"all\nx,city,y\n" + ROWS, {"skip_rows": 3}),
    "units": ("x,city,y\n[mV],-,[s]\n" + ROWS, {"skip_rows": [2]}),
    "title and units": ("Report\nx,city,y\nmV,-,s\n" + ROWS, {"skip_rows": [1, 3]}),
    "footer": ("x,city,y\n" + ROWS + "Total,,7\n\nexported\n\n", {"skip_footer": 2}),
    "footer by its word": ("x,city,y\n" + ROWS + "Total,,7\n", {"comment": "Total"}),
    "blanks": ("  x   city y\n" + ROWS.replace(",", " \t "), {"delimiter": "whitespace"}),
    "quoted blanks": ('"x" "city"  "y"\n' + ROWS.replace(",", "  "), {"delimiter": "whitespace"}),
    "all": ("# remark\n1\n" + ROWS.replace(",", "   ") + "end\n",
            {**NAMED, "comment": "#", "skip_rows": 2, "skip_footer": 1, "delimiter": "whitespace"}),
}  # fmt: skip


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_samples_of_the_plain_file(tmp_path, layout, newline):
    text, keys = LAYOUTS[layout]
    path = write(tmp_path, text.replace("\n", newline))
    splits = built(path, **keys)
    plain = built(write(tmp_path, "x,city,y\n" + ROWS, "plain.csv"))
    assert np.array_equal(raw(splits), raw(plain))
    assert np.array_equal(splits.validation.targets, plain.validation.targets)
    inputs, targets = encoded_samples(str(path), encoding_of(splits), keys=section(path, **keys).text_keys)
    assert inputs[:, 0].tolist() == X
    assert targets[:, 0].tolist() == Y


def test_long_texts_are_read_in_pieces(tmp_path, monkeypatch):
    """Remarks, quotes and footers at every place of a chunk's end; lines keep their numbers."""
    monkeypatch.setattr("nnintro.datasets.tables.files.text.CHUNK", 1)
    lines = ["# a", "x,note,y", '1,"a', '# no remark"","', "",  '",2', "#b", "3,,4", "", "# c", "Total,,9"]  # fmt: skip
    lines[2] = '1,"a'
    lines[3] = "# no remark"
    path = write(tmp_path, "\r\n".join(lines) + "\r\n")
    keys = TextKeys(comment="#", skip_footer=1)
    for chunk in (1, 2, 3, 7, 1 << 20):
        from nnintro.datasets.tables.files.csv import CsvTable
        from nnintro.datasets.tables.files.text import TextFile

        table = CsvTable(TextFile(str(path), chunk=chunk), keys)
        rows, places = [], []
        for batch, where in table.blocks(10):
            rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
            places += [where.at(row) for row in range(batch.num_rows)]
        assert rows == [("1", "a\r\n# no remark\r\n\r\n", "2"), ("3", "", "4")]
        assert [place.rpartition(":")[2] for place in places] == ["3", "8"]


def test_lines_of_errors_are_those_of_the_file(tmp_path):
    path = write(tmp_path, "# a\n#b\nx,y\nmV,s\n" + "1,2\n3,4\n" * 5 + "oops,6\n7,8\nTotal\n")
    keys = {"comment": "#", "skip_rows": [4], "skip_footer": 1}
    assert refused(path, **keys).startswith(f"{path}:15: column 'x': expected a number, got 'oops'")


def test_a_file_without_a_header_may_lack_the_target(tmp_path):
    rows = [f"{k % 3},{k},{k * k}\n" for k in range(20)]
    path = write(tmp_path, "".join(rows))
    encoding = encoding_of(built(path, target="column 1", header=False))
    without = write(tmp_path, "".join(row.partition(",")[2] for row in rows), "new.csv")
    (block,) = encoded_blocks(str(without), encoding, keys=TextKeys(header=False))
    assert block.columns.schema.names == ["column 2", "column 3"]
    assert block.inputs[:, 1].tolist() == [k * k for k in range(20)]
    with pytest.raises(DataError, match="expected 3 cells, one for each name, found 2"):
        list(encoded_blocks(str(without), encoding, with_targets=True, keys=TextKeys(header=False)))
    with pytest.raises(DataError, match="expected 3 cells, one for each name, found 1"):
        list(encoded_blocks(str(write(tmp_path, "1\n2\n", "b.csv")), encoding))


def test_names_in_a_file_that_should_have_none(tmp_path):
    path = write(tmp_path, "x,city,y\n" + ROWS)
    assert "these files have no header, so leave the line out" in refused(path, **NAMED)
    assert built(path, names=["x", "city", "y"]).notes == ()
    words = write(tmp_path, "a,b,c\nd,e,f\n", "words.csv")
    assert "needs header: true or header: false beside it" in refused(words, names=["x", "city", "y"])


def test_years_are_names_where_the_config_says_so(tmp_path):
    path = write(tmp_path, "1990,1991\n" + "".join(f"{k},{k % 5}\n" for k in range(10)))
    assert "if these are names, header: true" in refused(path, target="1991")
    assert raw(built(path, target="1991", header=True)).shape == (10, 1)


@pytest.mark.parametrize(
    ("text", "keys", "advice"),
    [
        (ROWS, {"target": "y"}, "add header: false (and names: [...] for the columns)"),
        ("5,a,5\n" + ROWS, {"target": "y"}, "add header: false (and names: [...] for the columns)"),
        ("# a, b\n# c\nx,city,y\n" + ROWS, {}, "; line 3 has it, below '# a, b': add comment: '#'"),
        ("Report 2024\n\nx;city;y\n" + ROWS.replace(",", ";"), {}, "below 'Report 2024': add skip_rows: 2"),
        ("x,city,y\n[mV],,[s]\n" + ROWS, {}, "got '[s]'; if it is a unit or the like, add skip_rows: [2]"),
        ("x,city,y\n" + ROWS + "Total,,7\n", {}, "got 'Total'; if it is of a footer, add skip_footer: 1"),
        ("x,city,y\n" + ROWS + "exported by\n", {}, "found 1; if it is a footer, add skip_footer: 1"),
        ("x,city,y\n" + ROWS + "# done\n" + ROWS, {}, "are remarks, add comment: '#'"),
        ("x   city    y\n" + ROWS.replace(",", "   "), {}, "another delimiter: add delimiter: 'whitespace'"),
        ("x  city   y\n" + ROWS.replace(",", "     "), {"delimiter": " "}, "need delimiter: whitespace"),
    ],
)  # fmt: skip
def test_the_error_names_what_to_add(tmp_path, text, keys, advice):
    assert advice in refused(write(tmp_path, text), **keys)


@pytest.mark.parametrize("name", ["a.txt", "a.data", "a.dat", "table", "a.CSV.bak"])
def test_other_names_are_taken_by_content(tmp_path, name):
    assert raw(built(write(tmp_path, "x,city,y\n" + ROWS, name))).shape == (12, 3)
    np.savez(tmp_path / "b.npz", x=X, y=Y)
    (tmp_path / "b.npz").rename(tmp_path / name)
    assert open_table(str(tmp_path / name)).names == ["x", "y"]


@pytest.mark.parametrize(
    ("in_file", "in_config"), [("Gro\u0308\u00dfe", "Gr\u00f6\u00dfe"), ("Gr\u00f6\u00dfe", "Gro\u0308\u00dfe")]
)
def test_names_are_composed(tmp_path, in_file, in_config):
    path = write(tmp_path, f"{in_file},y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True)))
    splits = built(path, inputs=[in_config])
    inputs, _ = encoded_samples(str(path), encoding_of(splits))
    assert inputs[:, 0].tolist() == X
