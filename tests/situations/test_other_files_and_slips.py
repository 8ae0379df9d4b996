"""Files that are not text tables, whatever their names say, and slips within those that are."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
import sqlite3
import zipfile

import pyarrow as pa
import pyarrow.feather
import pytest

N = 40
A, B, Y = [1.5 * k for k in range(N)], [k * 7 % 11 for k in range(N)], [3 * k - 0.5 for k in range(N)]
AB = {"a": A, "b": B}
HEADER, ROWS = "a,b,y", [f"{a},{b},{y}" for a, b, y in zip(A, B, Y, strict=True)]
TEXT = "\n".join([HEADER, *ROWS]).encode()


def database(path):
    with sqlite3.connect(path) as connection:
        connection.execute("create table t(a, y)")
    connection.close()


def archive(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("d.csv", TEXT)


OTHERS = {
    "SQLite": (database, "an SQLite database; export the table as CSV"),
    "Feather": (lambda path: pyarrow.feather.write_feather(pa.table({"a": A, "y": Y}), path), "a Feather file"),
    "a ZIP archive": (archive, "a ZIP archive; unpack it"),
    "xz": (lambda path: path.write_bytes(lzma.compress(TEXT)), "a compressed file; unpack it, or pack it with gzip"),
    "bzip2": (lambda path: path.write_bytes(bz2.compress(TEXT)), "a compressed file; unpack it, or pack it with gzip"),
    "JSON lines": (lambda path: path.write_text(json.dumps({"a": 1, "y": 2}) + "\n"), "JSON; save it as CSV"),
    "a JSON list": (lambda path: path.write_text(json.dumps([{"a": 1}], indent=1)), "JSON; save it as CSV"),
    "a pickle": (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "a Python pickle; save it as CSV or Parquet"),
    "SPSS": (lambda path: path.write_bytes(b"$FL2@(#) SPSS DATA FILE" + bytes(99)), "an SPSS file; save it as CSV"),
    "Stata": (lambda path: path.write_bytes(b"<stata_dta><header>" + bytes(99)), "a Stata file; save it as CSV"),
    "Weka": (lambda path: path.write_text("@relation x\n@attribute a numeric\n@data\n1\n"), "an ARFF file (Weka)"),
    "a page that says 404": (lambda path: path.write_text("<!DOCTYPE html>\n<html>404</html>\n"), "a web page"),
    "Git LFS": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n"),
                "a pointer that Git LFS left; git lfs pull fetches the file itself"),
}  # fmt: skip


@pytest.mark.parametrize("name", ["d.csv", "d.data"])
@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_of_another_kind(desk, kind, name):
    make, says = OTHERS[kind]
    make(desk.folder / name)
    desk.path = name
    desk.refused(f"{name}: expected ", f"got what looks like {says}")


def test_gzip_by_the_wrong_name(desk):
    (desk.folder / "d.csv").write_bytes(gzip.compress(TEXT))
    desk.refused("d.csv: expected text, got what looks like a file of kind .csv.gz; if it is, let its name end so")
    (desk.folder / "d.csv").rename(desk.folder / "d.csv.gz")
    desk.path = "d.csv.gz"
    desk.trains()
    desk.has_read(AB, Y)


def test_text_by_the_name_of_gzip(desk):
    (desk.folder / "d.csv.gz").write_bytes(TEXT)
    desk.path = "d.csv.gz"
    desk.refused("d.csv.gz: is not compressed by gzip, as its name says; if it is text, take .gz from the name")


@pytest.mark.parametrize(
    ("encoding", "town"), [("cp1251", "Москва"), ("koi8-r", "Тверь"), ("gbk", "北京市"), ("cp1252", "Köln")]
)
def test_text_of_another_encoding(desk, encoding, town):
    """The encoding that is proposed is that of the file, not merely one that takes any byte."""
    towns = [town if k % 2 else "Ulm" for k in range(N)]
    desk.write(["town,b,y", *(f"{one},{b},{y}" for one, b, y in zip(towns, B, Y, strict=True))], encoding=encoding)
    desk.refused("d.csv:3: not utf-8 (byte 0x", "name the file's own, such as encoding: ")
    desk.follow(f"encoding: {encoding}")
    desk.trains()
    desk.has_read(
        {**{f"town={one}": [float(one == value) for value in towns] for one in sorted({town, "Ulm"})}, "b": B}, Y
    )


def test_unicode_text_of_excel(desk):
    desk.write([row.replace(",", "\t") for row in [HEADER, *ROWS]], encoding="utf-16", end="\r\n")
    desk.refused("d.csv: the text is in UTF-16; say so with encoding: utf-16")
    desk.follow("encoding: utf-16")
    desk.trains()
    desk.has_read(AB, Y)


@pytest.mark.parametrize(("mark", "written"), [("^", "'^'"), (":", "':'"), ("~", "'~'"), ("\x01", '"\\u0001"')])
def test_a_delimiter_of_its_own(desk, mark, written):
    desk.write([row.replace(",", mark) for row in [HEADER, *ROWS]])
    desk.refused("c.yaml:4:11: dataset.target: no column 'y' in d.csv", "line 1 has it with another delimiter")
    desk.follow(f"delimiter: {written}")
    desk.trains()
    desk.has_read(AB, Y)


@pytest.mark.parametrize("times", [1, 3])
def test_files_that_were_put_behind_each_other_with_their_headers(desk, times):
    desk.write([HEADER, *ROWS, *([HEADER] * times)])
    lines = ", ".join(str(N + 2 + k) for k in range(times))
    desk.refused(f"d.csv:{N + 2}: column 'y': expected a number, got 'y'; it is the header again")
    desk.follow(f"skip_rows: [{lines}]")
    desk.trains()
    desk.has_read(AB, Y)


@pytest.mark.parametrize("line", ["7,8", "7,8,9,10"], ids=["a cell too few", "a cell too many"])
def test_a_row_of_another_length(desk, line):
    desk.write([HEADER, *ROWS[:10], line, *ROWS[10:]])
    desk.refused(f"d.csv:12: expected 3 cells, found {line.count(',') + 1}; mend the line, or leave it out")
    desk.follow("skip_rows: [12]")
    desk.trains()
    desk.has_read(AB, Y)


@pytest.mark.parametrize(
    "word", ["#DIV/0!", "\\N", "-1.#IND", "NaN(ind)", "nil", "..", "1.5*", "<0.01", "0x1F", "no data"]
)
def test_a_word_among_numbers(desk, word):
    """What Excel, MySQL, C and people write where there is no number."""
    desk.write([HEADER, *ROWS[:5], f"{word},1,1", *ROWS[5:]])
    desk.refused("d.csv:7: column 'a': expected a number, got ")
    desk.follow(f"missing_values: ['{word}']")
    desk.keys.append("missing: drop")
    desk.trains()
    desk.write([HEADER, *ROWS], "whole.csv")
    desk.has_read(AB, Y, new="whole.csv")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (lambda a: f"({a:.2f})", "parentheses stand for a minus sign in accounts: write -5 in place of (5)"),
        (lambda a: f"(${a:.2f})", "parentheses stand for a minus sign in accounts: write -5 in place of (5)"),
        (lambda a: f"−{a:.2f}", "its minus sign is another character than -: replace it"),
        (lambda a: f"{a:.2f}-", "write the minus sign in front of the number"),
    ],
)
def test_minus_signs_of_other_kinds(desk, form, says):
    desk.write(["a,y", *(f"{form(a) if k % 3 else a},{y}" for k, (a, y) in enumerate(zip(A, Y, strict=True)))])
    desk.refused("d.csv:3: column 'a': expected a number, got ", says)


def test_times_that_end_with_their_zone(desk):
    desk.write(["t,y", *(f"2024-01-01 {k % 24:02}:{k // 24:02}:00 UTC,{y}" for k, y in enumerate(Y))])
    desk.refused("d.csv:2: column 't': expected a date or time such as 2024-12-31")
    desk.follow('dates: {t: "%Y-%m-%d %H:%M:%S UTC"}')
    desk.trains()
    desk.has_read({"t": [1704067200 + 3600 * (k % 24) + 60 * (k // 24) for k in range(N)]}, Y)
