"""Text files laid out in ways of their own: read at once, or with the line that the error proposes."""

from __future__ import annotations

import unicodedata
import zipfile

import pytest

import nnintro
from tests.situations.desk import column

N = 40
A, B, Y = [1.5 * k for k in range(N)], [k * 7 % 11 for k in range(N)], [3 * k - 0.5 for k in range(N)]
AB = {"a": A, "b": B}
HEADER, ROWS = "a,b,y", [f"{a},{b},{y}" for a, b, y in zip(A, B, Y, strict=True)]
INDEX = "1 column left out, from which nothing can be learned: 'column 1' has no name and another value in each row"


def spread(row, gap):
    return gap.join(row.split(","))


# What is found and read without a word of the config; with the note that it is due.
READ_AT_ONCE = {
    "Excel's sep line": ["sep=;", *(spread(row, ";") for row in [HEADER, *ROWS])],
    "index of pandas": [f",{HEADER}", *(f"{k},{row}" for k, row in enumerate(ROWS))],
    "row names of R in quotes": ['"","a","b","y"', *(f'"{k}",{row}' for k, row in enumerate(ROWS, 1))],
    "commas at the ends of lines": [f"{row}," for row in [HEADER, *ROWS]],
    "semicolons at the ends of lines, twice": [f"{spread(row, ';')};;" for row in [HEADER, *ROWS]],
    "blank lines": ["", HEADER, "", *(f"{row}\n" for row in ROWS), "", ""],
    "all in quotes": [",".join(f'"{cell}"' for cell in row.split(",")) for row in [HEADER, *ROWS]],
    "blanks around cells": [spread(row, " , ") for row in [HEADER, *ROWS]],
    "tabs": [spread(row, "\t") for row in [HEADER, *ROWS]],
    "bars": [spread(row, "|") for row in [HEADER, *ROWS]],
}
NOTES = {
    "index of pandas": [INDEX],
    "row names of R in quotes": [INDEX],
    "commas at the ends of lines": ["'column 4' has no name and no value"],
    "semicolons at the ends of lines, twice": ["'column 4' has no name and no value, 'column 5' has no name"],
}  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", READ_AT_ONCE)
def test_read_at_once(desk, name, end):
    desk.write(READ_AT_ONCE[name], end=end)
    desk.trains(*NOTES.get(name, ()))
    desk.has_read(AB, Y)


# Name -> the lines of the file, where and what the error says, and the line that it proposes.
REMEDIES = {
    "remarks above the header": (
        ["# sensor 12, exported 2024", "# unit: mV", HEADER, *ROWS],
        ("c.yaml:4:11: dataset.target: no column 'y' in d.csv", "line 3 has it, below '# sensor 12, exported 2024'"),
        "comment: '#'",
    ),
    "a title above the header": (
        ["Measurements of the summer", "", HEADER, *ROWS],
        ("c.yaml:4:11: dataset.target: no column 'y' in d.csv", "line 3 has it, below 'Measurements of the summer'"),
        "skip_rows: 2",
    ),
    "a line of totals": (
        [HEADER, *ROWS, "Total,,100.5"],
        ("d.csv:42: column 'a': expected a number, got 'Total'",),
        "skip_footer: 1",
    ),
    "a remark at the end": (
        [HEADER, *ROWS, "Source: the station's log"],
        ("d.csv:42: expected 3 cells, found 1",),
        "skip_footer: 1",
    ),
    "a row of units": (
        [HEADER, "[mV],[s],[1]", *ROWS],
        ("d.csv:2: column 'y': expected a number, got '[1]'",),
        "skip_rows: [2]",
    ),
}


@pytest.mark.parametrize("name", REMEDIES)
def test_lines_that_are_not_rows(desk, name):
    lines, says, remedy = REMEDIES[name]
    desk.write(lines)
    desk.refused(*says, remedy)
    desk.follow(remedy)
    desk.trains()
    desk.has_read(AB, Y)


@pytest.mark.parametrize("target", ["y", "'0'"])
def test_numbers_without_a_header(desk, target):
    desk.write(ROWS)
    desk.target = target
    desk.refused("d.csv:1: expected a header with the columns' names, got numbers")
    desk.follow("header: false")
    message = desk.refused("c.yaml:4:11: dataset.target: no column", "it has 'column 1', 'column 2', 'column 3'")
    assert "skip_rows" not in message  # a cell that is 0 does not make a header of its line
    desk.target = "column 3"
    desk.trains()
    desk.has_read({"column 1": A, "column 2": B}, Y)


def test_names_for_a_file_without_a_header(desk):
    desk.write(ROWS)
    desk.refused("d.csv:1: expected a header with the columns' names, got numbers", "names: [...] for the columns")
    desk.follow("header: false")
    desk.keys.append("names: [a, b, y]")
    desk.trains()
    desk.has_read(AB, Y)
    desk.write([row.rpartition(",")[0] for row in ROWS], "new.csv")  # the target is what is asked for
    assert desk.predicted("new.csv") == desk.predicted("d.csv")


def test_words_and_numbers_without_a_header(desk):
    """Adult and iris, as UCI has them: blanks behind the commas, and a target that the user knows by its name."""
    works = ["State-gov", "Private", "Never-worked"]
    rows = [(17 + k, works[k % 3], [">50K", "<=50K"][k * 7 % 5 < 2]) for k in range(N)]
    desk.write([", ".join(map(str, row)) for row in rows], "adult.data")
    desk.path, desk.target = "adult.data", "income"
    desk.refused("c.yaml:4:11: dataset.target: no column 'income' in adult.data; it has '17', 'State-gov', '<=50K'")
    desk.follow("header: false")
    desk.keys.append("names: [age, work, income]")
    desk.trains()
    inputs = {f"work={work}": [float(row[1] == work) for row in rows] for work in sorted(works)}
    desk.has_read({"age": [row[0] for row in rows], **inputs}, [row[2] for row in rows])


def test_columns_without_names_but_with_values(desk):
    desk.write(["a,b,,,y", *(f"{a},{b},{k % 5},{k % 3},{y}" for k, (a, b, y) in enumerate(zip(A, B, Y, strict=True)))])
    desk.refused("d.csv:1: columns 3, 4 of 5 have no name; name them there, or add exclude: ['']")
    desk.follow("exclude: ['']")
    desk.trains()
    desk.has_read(AB, Y)


def test_an_index_that_was_excluded_by_hand(desk):
    desk.write(READ_AT_ONCE["index of pandas"])
    desk.keys = ["exclude: ['']"]
    desk.trains()
    desk.has_read(AB, Y)


@pytest.mark.parametrize("delimiter", ["' '", "whitespace", r"'\s+'"])
def test_columns_padded_with_several_blanks(desk, delimiter):
    desk.write([f"{a:>9} {b:>6}   {y}" for a, b, y in [("a", "b", "y"), *zip(A, B, Y, strict=True)]])
    desk.keys = [f"delimiter: {delimiter}"]
    if delimiter != "whitespace":
        desk.refused(
            "d.csv:2: expected 18 cells, found 16" if delimiter == "' '" else "c.yaml:5:14: dataset.delimiter:"
        )
        desk.follow("delimiter: whitespace")
    desk.trains()
    desk.has_read(AB, Y)


def test_a_tab_in_single_quotes(desk):
    desk.write(READ_AT_ONCE["tabs"])
    desk.keys = [r"delimiter: '\t'"]
    desk.trains()
    desk.has_read(AB, Y)


@pytest.mark.parametrize("last", ["\r", "\n"], ids=["between CR and LF", "behind both"])
def test_a_line_break_in_quotes_at_the_end_of_a_block(desk, last):
    """An Excel export of more than 1 MiB: every cell stays what it is, and no category is invented."""
    notes = ["first\r\nsecond", "third\r\nfourth"]
    rows = "".join(f'"{notes[k % 2]}",{k % 9},{k % 10}.5\r\n' for k in range(50_000))
    place = rows.index(last, rows.index('"', (1 << 20) - 200))
    pad = (1 << 20) - 1 - place - len("note,,y\r\n")
    desk.write(f"note,{'b' * pad},y\r\n{rows}")
    assert (desk.folder / "d.csv").read_bytes()[(1 << 20) - 1 :][:1] == last.encode()
    desk.trains()
    assert nnintro.load("c").features == [*(f"note={note}" for note in notes), "b" * pad]
    done = desk.command("predict", "c", "d.csv", "--output", "o.csv")
    assert done.code == 0, done.err
    cells = column((desk.folder / "o.csv").read_bytes().decode(), "note")
    assert cells == [notes[k % 2] for k in range(50_000)]


def test_a_workbook_that_was_renamed(desk):
    with zipfile.ZipFile(desk.folder / "d.csv", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    desk.refused("d.csv: expected text, got what looks like a file of kind .xlsx (Excel); save the sheet as CSV")


def test_a_workbook_by_its_name(desk):
    (desk.folder / "d.xlsx").write_bytes(b"PK\x03\x04")
    desk.path = "d.xlsx"
    desk.refused("d.xlsx: expected text, got a spreadsheet; save the sheet as CSV")


def test_a_web_address(desk):
    desk.path = "https://example.org/d.csv"
    said = "nothing is downloaded; expected a path to a file that is here, got 'https://example.org/d.csv'"
    desk.refused(f"c.yaml:3:9: dataset.path: {said}")


def test_a_path_from_home(desk, monkeypatch):
    home = desk.folder / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    desk.path = "~/d.csv"
    desk.refused("home/d.csv: cannot be read: No such file or directory")
    desk.write([HEADER, *ROWS], "home/d.csv")
    desk.trains()
    desk.path = "home/d.csv"
    desk.has_read(AB, Y)


@pytest.mark.parametrize("composed", [True, False])
def test_an_umlaut_in_two_ways(desk, composed):
    """macOS takes Größe apart into o and dots; configs and files are typed on different machines."""
    forms = ["NFC", "NFD"] if composed else ["NFD", "NFC"]
    in_config, in_file = (unicodedata.normalize(form, "Größe") for form in forms)
    desk.write([f"{in_file},b,y", *ROWS])
    desk.keys = [f"inputs: [{in_config}, b]"]
    desk.trains()
    desk.has_read({unicodedata.normalize("NFC", "Größe"): A, "b": B}, Y)


def test_words_for_no_value(desk):
    """None, N/A and blanks are known; a dash and a word of the file's own are asked for."""
    words = ["None", "-", "N/A ", "missing", "#N/A", "<NA>", "", " NULL "]
    cells = [words[k // 5] if k % 5 == 0 else a for k, a in enumerate(A)]
    desk.write([HEADER, *(f"{cell},{b},{y}" for cell, b, y in zip(cells, B, Y, strict=True))])
    desk.keys = ["missing: drop"]
    desk.refused("d.csv:7: column 'a': expected a number, got '-'", "add missing_values: ['-', 'missing']")
    desk.follow("missing_values: ['-', 'missing']")
    desk.trains()
    kept = [k for k in range(N) if k % 5]
    desk.write([HEADER, *(ROWS[k] for k in kept)], "whole.csv")
    desk.has_read({"a": [A[k] for k in kept], "b": [B[k] for k in kept]}, [Y[k] for k in kept], new="whole.csv")
    done = desk.command("predict", "c", "d.csv")
    assert (done.code, done.err) == (4, "d.csv:2: column 'a': expected a number, got no value\n")
