"""Files and sections that are no table to learn from, each with the one line that says why."""

from __future__ import annotations

import gzip
import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet

COLORS = "".join(f"{i},{i % 5}.5,{'red' if i % 2 else 'blue'}\n" for i in range(20))
GOOD = f"x,y,color\n{COLORS}".encode()


def rows(header, *lines, before=10):
    """A table of ``before`` good rows, then these lines."""
    width = header.count(",") + 1
    good = [",".join(str(i + 0.5 * k) for k in range(width)) for i in range(before)]
    return "\n".join([header, *good, *lines, ""]).encode()


def parquet(**columns):
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def parquet_of(names, *arrays):
    file = io.BytesIO()
    table = pa.Table.from_arrays([pa.array(array) for array in arrays], names=names)
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npz_encrypted():
    """The flag that says so is all that a reader looks at."""
    data = bytearray(npz(x=np.arange(9.0), y=np.arange(9.0)))
    data[6] |= 1
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    return bytes(data)


def npz_with(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def npz_of_header(header, data):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    return npz_with("x.npy", file.getvalue() + data)


def npz_twice():
    file = io.BytesIO(npz(x=np.arange(9.0), y=np.arange(9.0)))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("x", archive.read("y.npy"))
    return file.getvalue()


def no_text(rows):
    """Bytes that are no UTF-8, in a column that says it is text."""
    return pa.array([b"a", b"\xff"] * (rows // 2) + [b"\xff"] * (rows % 2), pa.binary()).view("string")


NUMBERS = [float(i) for i in range(10)]
DAYS = "day,y\n" + "".join(f"2024-01-{i + 1:02d},{i}\n" for i in range(9))
IDS = "id,y\n" + "".join(f"name{i},{i}\n" for i in range(300))

# A name, the file's name, its bytes (None: no file, "folder": a folder), the section's other keys,
# the key at fault (None: it is the data's fault), and what is told (...: in the reader's words).
BAD = [
    # The file as a whole.
    ("no-such-file", "a.csv", None, {}, None,
     "a.csv: cannot be read: No such file or directory; the current folder is ..."),
    ("folder", "a.csv", "folder", {}, None,
     "a.csv: cannot be read: Is a directory"),
    ("folder-parquet", "a.parquet", "folder", {}, None,
     "a.parquet: cannot be read: Is a directory"),
    ("no-such-npz", "a.npz", None, {}, None,
     "a.npz: cannot be read: No such file or directory; the current folder is ..."),
    ("nul-csv", "a\0.csv", None, {}, None, "...: cannot be read: embedded null byte"),
    ("nul-parquet", "a\0.parquet", None, {}, None, "...: cannot be read: embedded null byte"),
    ("nul-npz", "a\0.npz", None, {}, None, "...: cannot be read: embedded null byte"),
    ("long-name", f"{'a' * 5000}.npz", None, {}, None,
     f"{'a' * 5000}.npz: cannot be read: File name too long"),
    ("suffix", "a.xlsx", b"PK", {}, None,
     "a.xlsx: expected text, got a spreadsheet; save the sheet as CSV"),
    ("json", "a.txt", b'{"x": [1, 2]}', {}, None,
     "a.txt: expected a table in text (CSV, TSV), .parquet or .npz, got what looks like JSON; save it as CSV"),
    ("an-xlsx-by-another-name", "a.data", b"PK\x03\x04 [Content_Types].xml", {}, None,
     "a.data: expected a table in text (CSV, TSV), .parquet or .npz, got what looks like a file of kind .xlsx (Excel); "
     "save the sheet as CSV"),
    ("empty", "a.csv", b"", {}, None,
     "a.csv: the file is empty"),
    ("mark-only", "a.csv", b"\xef\xbb\xbf", {}, None,
     "a.csv: the file is empty"),
    ("blank-lines-only", "a.csv", b"\n \r\n\n", {}, None,
     "a.csv: the file is empty"),
    ("header-only", "a.csv", b"x,y\n", {}, None,
     "a.csv: the file has a header but no rows"),
    ("no-end-of-header", "a.csv", b"x,y", {}, None,
     "a.csv: the file has a header but no rows"),
    ("utf-16", "a.csv", GOOD.decode().encode("utf-16"), {}, None,
     "a.csv: the text is in UTF-16; say so with encoding: utf-16"),
    ("latin-1", "a.csv", "x,y,color\n1,2,blau\n2,3,grün\n".encode("latin-1"), {}, None,
     "a.csv:3: not utf-8 (byte 0xfc); name the file's own, such as encoding: cp1252"),
    ("latin-1-header", "a.csv", "größe,y\n1,2\n2,3\n".encode("latin-1"), {}, None,
     "a.csv:1: not utf-8 (byte 0xf6); name the file's own, such as encoding: cp1252"),
    ("utf-16-cut", "a.csv", GOOD.decode().encode("utf-16")[:-1], {"encoding": "utf-16"}, None,
     "a.csv:21: not utf-16 (byte 0x0a); name the file's own, such as encoding: cp1252"),
    ("not-utf-16", "a.csv", b"x,y\n1,2\n", {"encoding": "utf-16"}, None,
     "a.csv:1: not utf-16; name the file's own, such as encoding: cp1252"),
    ("unknown-encoding", "a.csv", GOOD, {"encoding": "utf8x"}, "dataset.encoding",
     "unknown encoding 'utf8x'; expected such as utf-8, cp1252 or utf-16"),
    ("no-text-encoding", "a.csv", GOOD, {"encoding": "base64"}, "dataset.encoding",
     "unknown encoding 'base64'; expected such as utf-8, cp1252 or utf-16"),
    ("nul-byte", "a.csv", b"x,y\n1,2\n\0,3\n", {}, None,
     "a.csv:3: expected text, got a NUL byte"),
    ("nul-in-header", "a.csv", b"x\0,y\n1,2\n", {}, None,
     "a.csv:1: expected text, got a NUL byte"),
    ("nul-byte-cr", "a.csv", b"x,y\r1,2\r\0,3\r", {}, None,
     "a.csv:3: expected text, got a NUL byte"),
    ("latin-1-cr", "a.csv", "x,y\r\n1,2\r\n2,ü\r\n".encode("latin-1"), {}, None,
     "a.csv:3: not utf-8 (byte 0xfc); name the file's own, such as encoding: cp1252"),
    ("parquet-as-csv", "a.csv", parquet(x=NUMBERS, y=NUMBERS), {}, None,
     "a.csv: expected text, got what looks like a file of kind .parquet"),
    ("gzip-as-csv", "a.csv", gzip.compress(GOOD), {}, None,
     "a.csv: expected text, got what looks like a file of kind .csv.gz; if it is, let its name end so"),
    ("no-gzip", "a.csv.gz", GOOD, {}, None,
     "a.csv.gz: is not compressed by gzip, as its name says; if it is text, take .gz from the name"),
    ("gzip-cut", "a.csv.gz", gzip.compress(GOOD * 50)[:-30], {}, None,
     "a.csv.gz: the compressed file is cut off"),
    ("gzip-damaged", "a.csv.gz",
     gzip.compress(GOOD)[:30] + b"\xff" * 20 + gzip.compress(GOOD)[50:], {}, None,
     "a.csv.gz: the compressed file is damaged"),
    # The header.
    ("no-header", "a.csv", b"1,2\n3,4\n5,6\n", {}, None,
     "a.csv:1: expected a header with the columns' names, got numbers; if this line is a row, add header: false "
     "(and names: [...] for the columns); if these are names, header: true"),
    ("duplicate", "a.csv", b"x,y,x\n1,2,3\n", {}, None,
     "a.csv:1: column 'x' is given more than once; rename all but one"),
    ("duplicates", "a.csv", b"x,y,x, y\n1,2,3,4\n", {}, None,
     "a.csv:1: columns 'x', 'y' are given more than once; rename all but one"),
    ("empty-header-cell", "a.csv", b"x,,y\n1,2,3\n2,2.5,4\n", {}, None,
     "a.csv:1: column 2 of 3 has no name; name it there, or add exclude: ['']"),
    ("trailing-comma", "a.csv", b"x,y,\n1,2,\n3,4,5\n", {}, None,
     "a.csv:1: column 3 of 3 has no name; name it there, or add exclude: ['']"),
    ("open-quote-in-header", "a.csv", b'x,"y\n1,2\n', {}, None,
     "a.csv:1: a quote is opened here and never closed"),
    ("text-behind-quote-in-header", "a.csv", b'"x"z,y\n1,2\n', {}, None,
     "a.csv:1: text behind a closing quote; a quote within quotes is written twice"),
    ("duplicate-in-two-lines", "a.csv", b'\nx,"y\nz",x\n1,2,3\n', {}, None,
     "a.csv:2: column 'x' is given more than once; rename all but one"),
    ("missing-target", "a.csv", GOOD, {"target": "yy"}, "dataset.target",
     "no column 'yy' in a.csv; did you mean 'y'?"),
    ("missing-target-far", "a.csv", GOOD, {"target": "price"}, "dataset.target",
     "no column 'price' in a.csv; it has 'x', 'y', 'color'"),
    ("missing-input", "a.csv", GOOD, {"inputs": ["x", "colour"]}, "dataset.inputs",
     "no column 'colour' in a.csv; did you mean 'color'?"),
    ("missing-exclude", "a.csv", GOOD, {"exclude": ["z"]}, "dataset.exclude",
     "no column 'z' in a.csv; it has 'x', 'y', 'color'"),
    ("missing-categorical", "a.csv", GOOD, {"categorical": ["colr"]}, "dataset.categorical",
     "no column 'colr' in a.csv; did you mean 'color'?"),
    ("missing-text", "a.csv", GOOD, {"text": ["review"]}, "dataset.text",
     "no column 'review' in a.csv; it has 'x', 'y', 'color'"),
    ("missing-group", "a.csv", GOOD, {"split": "group", "split_by": "patient"},
     "dataset.split_by",
     "no column 'patient' in a.csv; it has 'x', 'y', 'color'"),
    ("wrong-delimiter", "a.csv", GOOD, {"delimiter": ";"}, "dataset.target",
     "no column 'y' in a.csv; it has 'x,y,color'; line 1 has it with another delimiter: set delimiter: ','"),
    ("capital", "a.csv", GOOD, {"target": "Y"}, "dataset.target",
     "no column 'Y' in a.csv; did you mean 'y'?"),
    # Rows.
    ("too-few-cells", "a.csv", rows("x,y", "3"), {}, None,
     "a.csv:12: expected 2 cells, found 1; mend the line, or leave it out with skip_rows: [12]"),
    ("too-many-cells", "a.csv", rows("x,y", "3,4,5"), {}, None,
     "a.csv:12: expected 2 cells, found 3; mend the line, or leave it out with skip_rows: [12]"),
    ("ragged-after-quoted-lines", "a.csv", b'x,y\n"1\n",2\n\n  \n3\n', {}, None,
     "a.csv:6: expected 2 cells, found 1; mend the line, or leave it out with skip_rows: [6]"),
    ("unterminated-quote", "a.csv", rows("x,y", '"3,4', "5,6"), {}, None,
     "a.csv:12: a quote is opened here and never closed"),
    ("unterminated-quote-at-the-end", "a.csv", rows("x,y", '3,"4'), {}, None,
     "a.csv:12: a quote is opened here and never closed"),
    ("row-too-long", "a.csv", b'x,y\n1,2\n"' + b"a" * 6_000_000 + b'",3\n', {}, None,
     "a.csv:3: a row of more than 4,194,304 bytes; is a quote not closed?"),
    ("cells-too-long", "a.csv", rows("x,y", ",".join(["q" * 300_000] * 20)), {}, None,
     "a.csv:12: a row of more than 4,194,304 bytes; is a quote not closed?"),
    ("text-behind-quote", "a.csv", rows("x,y", '"1"5,3'), {}, None,
     "a.csv:12: text behind a closing quote; a quote within quotes is written twice"),
    ("blank-behind-quote", "a.csv", rows("x,y", '"a" ,3', before=90_000), {}, None,
     "a.csv:90002: text behind a closing quote; a quote within quotes is written twice"),
    ("unterminated-quotes", "a.csv", rows("x,y", '"3,4', '5,"6'), {}, None,
     "a.csv:12: text behind a closing quote; a quote within quotes is written twice"),
    ("one-row", "a.csv", b"x,y\n1,2\n", {}, None,
     "a.csv: expected two rows or more to split, got 1 row"),
    # Cells.
    ("text-in-numbers", "a.csv", rows("x,y", "n.a.,3"), {}, None,
     "a.csv:12: column 'x': expected a number, got 'n.a.'; add missing_values: ['n.a.'] if it means missing"),
    ("text-in-target", "a.csv", rows("x,y", "3,many"), {}, None,
     "a.csv:12: column 'y': expected a number, got 'many'; mend it, or "
     "add missing_values: ['many'] if it means missing"),
    ("text-far-behind", "a.csv", rows("x,y", "one,1", before=60_000), {}, None,
     "a.csv:60002: column 'x': expected a number, got 'one'; mend it, or "
     "add missing_values: ['one'] if it means missing"),
    ("text-after-quoted-lines", "a.csv", b'x,y,n\n1,2,"a\nb"\n\n2,3,b\nnone,4,a\n', {}, None,
     "a.csv:6: column 'x': expected a number, got 'none'; add missing_values: ['none'] if it means missing"),
    ("underscore", "a.csv", rows("x,y", "1_000,3"), {}, None,
     "a.csv:12: column 'x': expected a number, got '1_000'; add thousands: '_', or list the column in "
     "dataset.categorical"),
    ("comma-decimals", "a.csv", b"x;y\n1,5;2\n2,5;3\n3,5;4\n", {}, None,
     "a.csv:2: column 'x': expected a number, got '1,5'; add decimal: ',', or list the column in dataset.categorical"),
    ("thousands", "a.csv", rows("x,y", '"1,234",5'), {}, None,
     "a.csv:12: column 'x': expected a number, got '1,234'; add thousands: ',', or list the column in "
     "dataset.categorical"),
    ("hexadecimal", "a.csv", b"x,y\n" + b"1,2\n" * 9 + b"0x10,3\n", {}, None,
     "a.csv:11: column 'x': expected a number, got '0x10'; mend it, or "
     "add missing_values: ['0x10'] if it means missing"),
    ("hexadecimal-target", "a.csv", b"x,y\n" + b"1,2\n" * 9 + b"7,-0XF\n", {}, None,
     "a.csv:11: column 'y': expected a number, got '-0XF'; mend it, or "
     "add missing_values: ['-0XF'] if it means missing"),
    ("nan-of-c", "a.csv", rows("x,y", "nan(1),3"), {}, None,
     "a.csv:12: column 'x': expected a number, got 'nan(1)'; add missing_values: ['nan(1)'] if it means missing"),
    ("other-digits", "a.csv", rows("x,y", "٣,5"), {}, None,
     "a.csv:12: column 'x': expected a number, got '٣'; mend it, or "
     "add missing_values: ['٣'] if it means missing"),
    ("empty-cell", "a.csv", rows("x,y", ",3"), {}, None,
     "a.csv:12: column 'x': expected a number, got no value; missing: drop, mean or "
     "indicator handles such cells"),
    ("blank-cell", "a.csv", rows("x,y", "  ,3"), {}, None,
     "a.csv:12: column 'x': expected a number, got no value; missing: drop, mean or "
     "indicator handles such cells"),
    ("nan", "a.csv", rows("x,y", "nan,3"), {}, None,
     "a.csv:12: column 'x': expected a number, got no value; missing: drop, mean or "
     "indicator handles such cells"),
    ("question-mark", "a.csv", rows("x,y", "?,3"), {}, None,
     "a.csv:12: column 'x': expected a number, got no value; missing: drop, mean or "
     "indicator handles such cells"),
    ("minus-nan", "a.csv", rows("x,y", "-NaN,3"), {}, None,
     "a.csv:12: column 'x': expected a number, got no value; missing: drop, mean or "
     "indicator handles such cells"),
    ("infinite", "a.csv", rows("x,y", "inf,3"), {}, None,
     "a.csv:12: column 'x': expected a finite number, got inf; add missing_values: ['inf'] if it means missing"),
    ("too-large", "a.csv", rows("x,y", "1e999,3"), {}, None,
     "a.csv:12: column 'x': expected a finite number, got inf; add missing_values: ['inf'] if it means missing"),
    ("too-large-for-float32", "a.csv", rows("x,y", "1e300,3"), {"standardize": "none"}, None,
     "a.csv:12: column 'x': expected a number that float32 can hold, got 1e+300"),
    ("infinite-target", "a.csv", rows("x,y", "3,-inf"), {}, None,
     "a.csv:12: column 'y': expected a finite number, got -inf; add missing_values: ['-inf'] if it means missing"),
    ("missing-value-in-target", "a.csv", rows("x,y", "3,"), {}, None,
     "a.csv:12: column 'y': expected a number, got no value; missing: drop leaves such rows "
     "out"),
    ("missing-in-target-with-mean", "a.csv", rows("x,y", "3,NA"), {"missing": "mean"}, None,
     "a.csv:12: column 'y': expected a number, got no value; missing: drop leaves such rows "
     "out"),
    ("missing-class", "a.csv", GOOD + b"1,2,\n", {"target": "color"}, None,
     "a.csv:22: column 'color': expected a class, got no value; missing: drop leaves such "
     "rows out"),
    ("missing-category", "a.csv", GOOD + b"1,2,\n", {}, None,
     "a.csv:22: column 'color': expected a category, got no value; missing: drop, mean or "
     "indicator handles such cells"),
    ("missing-text-cell", "a.csv", GOOD + b"1,2,\n", {"text": ["color"]}, None,
     "a.csv:22: column 'color': expected text, got no value; missing: drop, mean or "
     "indicator handles such cells"),
    ("all-dropped", "a.csv", b"x,y,z\n1,,2\n,3,1\n4,5,\n", {"missing": "drop"}, None,
     "a.csv: expected two rows or more to split, got 0 rows"),
    ("all-missing", "a.csv", b"z,y\n,2\n,3\nNA,4\n", {"missing": "mean"}, None,
     "a.csv: no column is left to predict from: 'z' has no value in any row"),
    ("all-missing-category", "a.csv", b"z,y\n,2\n,3\n", {"categorical": ["z"]}, None,
     "a.csv: no column is left to predict from: 'z' has no value in any row"),
    ("all-missing-target", "a.csv", b"x,y\n1,\n2,\n3,\n", {}, None,
     "a.csv: column 'y' has no value in any row"),
    # Columns.
    ("constant", "a.csv", b"z,y\n7,2\n7,3\n7,4\n", {}, None,
     "a.csv: no column is left to predict from: 'z' is 7 in every row"),
    ("constants", "a.csv", b"z,t,c,y\n7,true,a,2\n7,true,a,3\n7,true,a,4\n", {}, None,
     "a.csv: no column is left to predict from: 'c' is 'a' in every row, 'z' is 7 in every row, 't' is 1 in every row"),
    ("constant-target", "a.csv", b"x,y\n1,2\n2,2\n3,2\n", {}, None,
     "a.csv: target 'y' is 2 in every row: nothing is left to learn"),
    ("too-many-categories", "a.csv", IDS.encode(), {}, None,
     "a.csv: column 'id': 300 different texts in 300 rows are not categories; add exclude: ['id'], "
     "or name it in text, or (to take each as one) in categorical"),
    ("too-many-classes", "a.csv", IDS.encode(), {"target": "id"}, None,
     "a.csv: column 'id': expected classes, got 300 different texts in 300 rows"),
    ("numbers-as-classes", "a.csv",
     ("x,y\n" + "".join(f"{i},{i}.5\n" for i in range(1500))).encode(),
     {"task": "classification"}, None,
     "a.csv: target 'y' has 1,500 different values; expected at most 1,000 classes (or "
     "task: regression)"),
    ("target-only", "a.csv", b"y\n1\n2\n3\n", {}, "dataset.inputs",
     "no column of a.csv is left to predict from"),
    ("all-excluded", "a.csv", b"x,y\n1,2\n2,3\n", {"exclude": ["x"]}, "dataset.exclude",
     "no column of a.csv is left to predict from"),
    ("text-target-regression", "a.csv", GOOD, {"target": "color", "task": "regression"}, None,
     "a.csv:2: column 'color': expected a number, got 'blue'"),
    ("several-with-text", "a.csv", GOOD, {"target": ["y", "color"]}, "dataset.target",
     "several targets have to be numbers, and 'color' is not"),
    ("no-input-but-text", "a.csv", GOOD, {"inputs": ["x"], "text": ["color"]}, "dataset.text",
     "column 'color' is not an input"),
    # Classes.
    ("one-class", "a.csv", b"x,y\n1,a\n2,a\n3,a\n", {}, None,
     "a.csv: target 'y' has the one class 'a'; expected two or more"),
    ("one-class-in-numbers", "a.csv", b"x,y\n1,3\n2,3\n3,3\n", {"task": "classification"}, None,
     "a.csv: target 'y' has the one class '3'; expected two or more"),
    ("single-sample", "a.csv", GOOD + b"3,4,green\n", {"target": "color"}, None,
     "a.csv: target 'color': expected two rows or more of each class, got one of 'green'"),
    ("weights-of-numbers", "a.csv", GOOD, {"class_weights": "balanced"},
     "dataset.class_weights",
     "expected none: the target is a number, so this is a regression (or task: "
     "classification)"),
    ("strata-of-numbers", "a.csv", GOOD, {"split": "stratified"}, "dataset.split",
     "stratified needs classes: the target is a number, so this is a regression (or task: "
     "classification)"),
    ("class-only-later", "a.csv",
     b"x,y\n" + b"".join(b"%d,%s\n" % (i, b"a" if i < 8 else b"b") for i in range(10)),
     {"split": "time"}, None,
     "a.csv: no row of class 'b' is left to learn from; expected some in the training part "
     "(split: stratified ensures it)"),
    # Splits.
    ("one-group", "a.csv", b"g,x,y\n" + b"a,1,2\na,2,3\na,3,4\n",
     {"split": "group", "split_by": "g"}, None,
     "a.csv: expected two groups or more to split by, got one"),
    ("missing-group-name", "a.csv", b"g,x,y\n" + b"a,1,2\n,2,3\nb,3,4\n",
     {"split": "group", "split_by": "g"}, None,
     "a.csv:3: column 'g': expected the name of a group, got no value; missing: drop leaves such "
     "rows out"),
    ("no-time", "a.csv", DAYS.replace("-05", "-50").encode(),
     {"inputs": ["y"], "target": "z"}, "dataset.target",
     "no column 'z' in a.csv; it has 'day', 'y'"),
    ("unsortable-time", "a.csv", b"t,x,y\n2024-01-01,1,2\nMonday,2,3\n2024-01-03,3,4\n",
     {"split": "time", "split_by": "t"}, None,
     "a.csv:3: column 't': expected a date or time such as 2024-12-31, got 'Monday'; write dates that way, give their "
     "format in dates, or name the column in categorical or exclude"),
    ("times-of-two-kinds", "a.csv", b"t,x,y\n1,1,2\n2,2,3\n2024-01-03,3,4\n",
     {"split": "time", "split_by": "t"}, None,
     "a.csv:4: column 't': expected a number, got '2024-01-03'"),
    ("missing-time", "a.csv", b"t,x,y\n2024-01-01,1,2\n,2,3\n2024-01-03,3,4\n",
     {"split": "time", "split_by": "t"}, None,
     "a.csv:3: column 't': expected a time, got no value"),
    ("one-time", "a.csv", b"t,x,y\n7,1,2\n7,2,3\n7,3,4\n",
     {"split": "time", "split_by": "t"}, None,
     "a.csv: all rows have the same time, so none is later than the others"),
    ("window-too-long", "a.csv", rows("x,y"), {"window": 10}, None,
     "a.csv: a window of 10 rows and a horizon of 1 need 12 rows or more, got 10"),
    ("horizon-too-long", "a.csv", rows("x,y"), {"window": 2, "horizon": 9}, None,
     "a.csv: a window of 2 rows and a horizon of 9 need 12 rows or more, got 10"),
    # Parquet.
    ("no-parquet", "a.parquet", GOOD, {}, None,
     "a.parquet: not readable as Parquet: ..."),
    ("empty-parquet", "a.parquet", b"", {}, None,
     "a.parquet: not readable as Parquet: ..."),
    ("parquet-cut", "a.parquet", parquet(x=NUMBERS, y=NUMBERS)[:-40], {}, None,
     "a.parquet: not readable as Parquet: ..."),
    ("parquet-damaged", "a.parquet",
     parquet(x=NUMBERS, y=NUMBERS)[:4] + b"\xff" * 40 + parquet(x=NUMBERS, y=NUMBERS)[44:],
     {}, None,
     "a.parquet: not readable as Parquet: ..."),
    ("nested", "a.parquet", parquet(x=[["a"] for _ in NUMBERS], y=NUMBERS), {}, None,
     "a.parquet: column 'x': expected numbers, truth values, dates or text, got cells of "
     "type list<element: string>; name it in exclude"),
    ("nested-struct", "a.parquet", parquet(x=[{"a": v} for v in NUMBERS], y=NUMBERS), {}, None,
     "a.parquet: column 'x': expected numbers, truth values, dates or text, got cells of "
     "type struct<a: double>; name it in exclude"),
    ("binary", "a.parquet", parquet(x=[b"\xff\0"] * 9, y=NUMBERS[:9]), {}, None,
     "a.parquet: column 'x': expected numbers, truth values, dates or text, got cells of "
     "type binary; name it in exclude"),
    ("parquet-without-rows", "a.parquet",
     parquet(x=pa.array([], pa.float64()), y=pa.array([], pa.float64())), {}, None,
     "a.parquet: the file has no rows"),
    ("parquet-duplicate", "a.parquet", parquet_of(["x", "y", "x"], NUMBERS, NUMBERS, NUMBERS),
     {}, None,
     "a.parquet: column 'x' is given more than once; rename all but one"),
    ("parquet-without-name", "a.parquet", parquet_of(["", "y"], NUMBERS, NUMBERS), {}, None,
     "a.parquet: column 1 of 2 has no name; give it one"),
    ("parquet-null", "a.parquet", parquet(x=[*NUMBERS[:9], None], y=NUMBERS), {}, None,
     "a.parquet: row 10: column 'x': expected a number, got no value; missing: drop, mean "
     "or indicator handles such cells"),
    ("parquet-nan", "a.parquet", parquet(x=[float("nan"), *NUMBERS[1:]], y=NUMBERS), {}, None,
     "a.parquet: row 1: column 'x': expected a number, got no value; missing: drop, mean or "
     "indicator handles such cells"),
    ("parquet-infinite", "a.parquet", parquet(x=[*NUMBERS[:9], float("inf")], y=NUMBERS),
     {}, None,
     "a.parquet: row 10: column 'x': expected a finite number, got inf; add missing_values: ['inf'] "
     "if it means missing"),
    ("parquet-all-null", "a.parquet", parquet(x=[None] * 10, y=NUMBERS), {}, None,
     "a.parquet: no column is left to predict from: 'x' has no value in any row"),
    ("names-of-inputs", "a.csv", b"x,c,c=a,y\n" + b"".join(b"%d,%s,%d,%d\n" % (k, b"ab"[k % 2 :][:1], k % 5, k)
                                                           for k in range(20)), {}, None,
     "a.csv: two inputs are called 'c=a'; rename a column"),
    ("parquet-missing-column", "a.parquet", parquet(x=NUMBERS, y=NUMBERS), {"target": "z"},
     "dataset.target",
     "no column 'z' in a.parquet; it has 'x', 'y'"),
    ("parquet-no-utf-8", "a.parquet", parquet(x=no_text(10), y=NUMBERS), {}, None,
     "a.parquet: column 'x': text that is not UTF-8"),
    ("parquet-no-utf-8-classes", "a.parquet", parquet(y=no_text(10), x=NUMBERS), {}, None,
     "a.parquet: column 'y': text that is not UTF-8"),
    # .npz
    ("no-npz", "a.npz", GOOD, {}, None,
     "a.npz: not readable as .npz"),
    ("empty-npz", "a.npz", npz(), {}, None,
     "a.npz: the file has no arrays"),
    ("npz-cut", "a.npz", npz(x=np.arange(9.0), y=np.arange(9.0))[:-50], {}, None,
     "a.npz: not readable as .npz"),
    ("npz-encrypted", "a.npz", npz_encrypted(), {}, None,
     "a.npz: array 'x': not readable as .npz"),
    ("npz-pickled", "a.npz", npz(x=np.array([{}, []], object), y=np.arange(2.0)), {}, None,
     "a.npz: array 'x': expected numbers or text, got pickled objects; save it as .astype(float) or .astype(str), "
     "or name it in exclude"),
    ("npz-lengths", "a.npz", npz(x=np.arange(9.0), y=np.arange(8.0)), {}, None,
     "a.npz: array 'y': expected 9 rows as 'x', got 8"),
    ("npz-dimensions", "a.npz", npz(x=np.zeros((2, 2**11, 2**10)), y=np.arange(2.0)), {}, None,
     "a.npz: array 'x': expected at most 1,048,576 numbers to a row, got 2,097,152"),
    ("npz-number", "a.npz", npz(x=np.float64(3), y=np.arange(9.0)), {}, None,
     "a.npz: array 'x': expected 1 dimension or more, got 0"),
    ("npz-complex", "a.npz", npz(x=np.arange(9) * 1j, y=np.arange(9.0)), {}, None,
     "a.npz: array 'x': expected numbers or text, got complex128; save it as .astype(float) or .astype(str), "
     "or name it in exclude"),
    ("npz-without-rows", "a.npz", npz(x=np.zeros(0), y=np.zeros(0)), {}, None,
     "a.npz: the file has no rows"),
    ("npz-same-name", "a.npz",
     npz(inputs=np.ones((9, 2)), inputs1=np.arange(9.0), y=np.arange(9.0)), {}, None,
     "a.npz: column 'inputs1' is given more than once"),
    ("npz-no-array", "a.npz", npz_with("x.npy", b"not an array"), {}, None,
     "a.npz: array 'x': not readable as .npz"),
    ("npz-bad-header", "a.npz", npz_with("x.npy", b"\x93NUMPY\x01\x00\x08\x00{'desc'\n"), {}, None,
     "a.npz: array 'x': not readable as .npz"),
    ("npz-no-columns", "a.npz", npz(x=np.zeros((9, 0))), {}, None,
     "a.npz: the file has no columns"),
    ("npz-surrogate", "a.npz", npz(x=np.array(["a", "\udc80"] * 5), y=np.arange(10.0)), {}, None,
     "a.npz: column 'x': cells of type <U1 are not readable"),
    ("npz-twice", "a.npz", npz_twice(), {}, None,
     "a.npz: array 'x' is given more than once"),
    ("npz-cut-header", "a.npz", npz_of_header({"descr": "<f8", "fortran_order": False,
                                               "shape": (10**12,)}, b"\0" * 80), {}, None,
     "a.npz: array 'x': not readable as .npz"),
    ("npz-nan", "a.npz", npz(x=np.array([1, np.nan, 3]), y=np.arange(3.0)), {}, None,
     "a.npz: row 2: column 'x': expected a number, got no value; missing: drop, mean or "
     "indicator handles such cells"),
]  # fmt: skip


TRAINED = (
    "area,city,sold,day,price\n"
    + "".join(
        f"{i * 1.5},{('Bonn', 'Köln', 'Ulm')[i % 3]},{'yes' if i % 2 else 'no'},2024-01-{i + 1:02d},{i % 7}\n"
        for i in range(20)
    )
).encode()
HEADER = "area,city,sold,day\n"
ROW = "1,Ulm,yes,2024-02-01\n"
CITIES = "one of the 3 categories that training had ('Bonn', 'Köln', 'Ulm')"

# Predicted by what was trained on TRAINED: a name, the file's name, its bytes, and what is told.
BAD_TO_PREDICT = [
    ("unseen", "new.csv", f"{HEADER}{ROW}2,Paris,no,2024-02-01\n",
     f"new.csv:3: column 'city': expected {CITIES}, got 'Paris'"),
    ("unseen-behind-lines", "new.csv", f'n,{HEADER}"a\n\nb",{ROW}\n   \n1,2,Paris,no,2024-02-01\n',
     f"new.csv:7: column 'city': expected {CITIES}, got 'Paris'"),
    ("missing-category", "new.csv", f"{HEADER}{ROW}2,NA,no,2024-02-01\n",
     f"new.csv:3: column 'city': expected {CITIES}, got no value"),
    ("text", "new.csv", f"{HEADER}{ROW}n.a.,Ulm,no,2024-02-01\n",
     "new.csv:3: column 'area': expected a number, got 'n.a.'"),
    ("missing", "new.csv", f"{HEADER}{ROW},Ulm,no,2024-02-01\n",
     "new.csv:3: column 'area': expected a number, got no value"),
    ("infinite", "new.csv", f"{HEADER}{ROW}inf,Ulm,no,2024-02-01\n",
     "new.csv:3: column 'area': expected a finite number, got inf"),
    ("no-date", "new.csv", f"{HEADER}{ROW}1,Ulm,no,tomorrow\n",
     "new.csv:3: column 'day': expected a date or time such as 2024-12-31, got 'tomorrow'"),
    ("no-such-day", "new.csv", f"{HEADER}{ROW}1,Ulm,no,2024-02-31\n",
     "new.csv:3: column 'day': expected a date or time such as 2024-12-31, got '2024-02-31'"),
    ("no-column", "new.csv", "aera,city,sold,day\n1,Ulm,no,2024-02-01\n",
     "new.csv:1: no column 'area' in new.csv; did you mean 'aera'?"),
    ("ragged", "new.csv", f"{HEADER}{ROW}{ROW}1,Ulm\n",
     "new.csv:4: expected 4 cells, found 2"),
    ("header-only", "new.csv", HEADER, "new.csv: the file has a header but no rows"),
    ("no-utf-8", "new.csv", f"{HEADER}{ROW}1,Köln,no,2024-02-01\n".encode("latin-1"),
     "new.csv:3: not utf-8 (byte 0xf6); name the file's own, such as encoding: cp1252"),
    ("quote", "new.csv", f'{HEADER}{ROW}1,"Ulm,no,2024-02-01\n',
     "new.csv:3: a quote is opened here and never closed"),
    ("text-behind-quote", "new.csv", f'{HEADER}{ROW}"1"5,Ulm,no,2024-02-01\n',
     "new.csv:3: text behind a closing quote; a quote within quotes is written twice"),
    ("hexadecimal", "new.csv", f"{HEADER}{ROW}0x10,Ulm,no,2024-02-01\n",
     "new.csv:3: column 'area': expected a number, got '0x10'"),
    ("nan-of-c", "new.csv", f"{HEADER}{ROW}nan(1),Ulm,no,2024-02-01\n",
     "new.csv:3: column 'area': expected a number, got 'nan(1)'"),
    ("row-too-long", "new.csv", f"{HEADER}{ROW}1,{'Ulm' * 2_000_000},no,2024-02-01\n",
     "new.csv:3: a row of more than 4,194,304 bytes; is a quote not closed?"),
    ("dates-as-numbers", "new.parquet",
     parquet(area=[1.0], city=["Ulm"], sold=["yes"], day=[20240201]),
     "new.parquet: row 1: column 'day': expected a date or time such as 2024-12-31, "
     "got 'cells of type int64'"),
    ("parquet-unseen", "new.parquet",
     parquet(area=[1.0, 2.0], city=["Ulm", "Rom"], sold=["yes"] * 2, day=["2024-02-01"] * 2),
     f"new.parquet: row 2: column 'city': expected {CITIES}, got 'Rom'"),
    ("parquet-no-utf-8-besides", "new.parquet",
     parquet(area=[1.0], city=["Ulm"], sold=["yes"], day=["2024-02-01"], note=no_text(1)),
     "new.parquet: column 'note': text that is not UTF-8"),
    ("npz-without-column", "new.npz", npz(area=np.arange(3.0)),
     "new.npz: no column 'city' in new.npz; it has 'area'"),
]  # fmt: skip
