"""Files that lack the titles, units or totals of the training's: read right, or refused before a row is lost."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from nnintro.errors import DataError
from tests.datasets.tables import built, encoded_samples, encoding_of, section

ROWS = [f"{k},{'ab'[k % 2]},{k / 4}" for k in range(1, 9)]
HEADER = "x,kind,y"


def trained(tmp_path, lines, **keys):
    path = tmp_path / "train.csv"
    path.write_text("\n".join(lines) + "\n")
    return encoding_of(built(path, **keys)), section(path, **keys).text_keys


def xs(tmp_path, lines, trained):
    encoding, keys = trained
    path = tmp_path / "new.csv"
    path.write_text("\n".join(lines) + "\n")
    inputs, _ = encoded_samples(str(path), encoding, keys=keys)
    return inputs[:, 0].tolist()


ALL = [float(k) for k in range(1, 9)]


def test_titles_above_the_header_may_be_missing(tmp_path):
    run = trained(tmp_path, ["Prices", "of 2024", HEADER, *ROWS], skip_rows=2)
    assert xs(tmp_path, ["Prices", "of 2025", HEADER, *ROWS], run) == ALL
    assert xs(tmp_path, [HEADER, *ROWS], run) == ALL
    with pytest.raises(DataError, match=r"new.csv:3: no column 'x' in new.csv|no column 'x'"):
        xs(tmp_path, ["Prices", "of 2025", "z,kind,y", *ROWS], run)


def test_a_line_of_units_may_not(tmp_path):
    run = trained(tmp_path, [HEADER, "m,,s", *ROWS], skip_rows=[2])
    assert xs(tmp_path, [HEADER, "cm,,s", *ROWS], run) == ALL
    with pytest.raises(DataError, match=r"new.csv:2: it would be left out by dataset.skip_rows"):
        xs(tmp_path, [HEADER, *ROWS], run)


def test_nor_a_total_at_the_end(tmp_path):
    run = trained(tmp_path, [HEADER, *ROWS, "Total,,9"], skip_footer=1)
    assert xs(tmp_path, [HEADER, *ROWS, "Total,,7", ""], run) == ALL
    with pytest.raises(DataError, match=r"new.csv: a line at its end: it would be left out"):
        xs(tmp_path, [HEADER, *ROWS], run)


def test_nor_lines_above_rows_without_a_header(tmp_path):
    run = trained(tmp_path, ["Prices", *ROWS], skip_rows=1, header=False, names=["x", "kind", "y"])
    assert xs(tmp_path, ["Others", *ROWS], run) == ALL
    with pytest.raises(DataError, match=r"new.csv:1: it would be left out"):
        xs(tmp_path, ROWS, run)


def test_lines_that_looked_like_rows_in_training_may_here(tmp_path):
    run = trained(tmp_path, [HEADER, "0,a,0", *ROWS], skip_rows=[2])
    assert run[0].skips_rows
    assert xs(tmp_path, [HEADER, "0,a,0", *ROWS], run) == ALL


def test_stdin_is_looked_at_too(tmp_path, monkeypatch):
    encoding, keys = trained(tmp_path, [HEADER, "m,,s", *ROWS], skip_rows=[2])
    text = "\n".join([HEADER, *ROWS]) + "\n"
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    with pytest.raises(DataError, match="it would be left out"):
        encoded_samples("-", encoding, keys=keys)


def test_decimal_commas_and_blanks_count_as_they_are_written(tmp_path):
    rows = [f"{k},5 {'ab'[k % 2]}  {k},25" for k in range(1, 9)]
    run = trained(tmp_path, ["x kind  y", "m - s", *rows], skip_rows=[2], decimal=",", delimiter="whitespace")
    assert xs(tmp_path, ["x kind y", "m - s", *rows], run) == [k + 0.5 for k in ALL]
    with pytest.raises(DataError, match=r"new.csv:2: it would be left out"):
        xs(tmp_path, ["x kind y", *rows], run)
