"""Files that are no table of a run's inputs, each with the one line that says why."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

LONG = 1 << 22


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npz_packed(**arrays):
    """A .npz in LZMA, the first member damaged."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", npy(array))
    data = bytearray(file.getvalue())
    start = 30 + len(f"{next(iter(arrays))}.npy") + 9  # behind the headers of ZIP and LZMA
    data[start : start + 20] = b"\xff" * 20
    return bytes(data)


def npy_saying(header, data=b""):
    """A .npy whose header is this text."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def saying(shape, descr="<f8", data=b""):
    return npy_saying(f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}}}", data)


# A name, the run, the file's name, its bytes, and what is told.
PREDICT = [
    ("empty", "curve", "a.csv", b"", "a.csv: the file is empty"),
    ("mark-only", "curve", "a.csv", b"\xef\xbb\xbf", "a.csv: the file is empty"),
    ("blank-lines-only", "curve", "a.csv", b"\n \r\n\n", "a.csv: the file is empty"),
    ("header-only", "curve", "a.csv", b"x\n", "a.csv: the file has a header but no rows"),
    ("header-only-tsv", "blobs", "a.tsv", b"x1\tx2", "a.tsv: the file has a header but no rows"),
    ("header-and-blank", "curve", "a.csv", b"x\n\n\n", "a.csv: the file has a header but no rows"),
    ("other-column", "curve", "a.csv", b"z\n1\n",
     "a.csv:1: column 'x' is missing in the header (a first row that is not all numbers is taken "
     "for one); found 'z'"),
    ("capital", "curve", "a.csv", b"X\n1\n",
     "a.csv:1: column 'x' is missing in the header (a first row that is not all numbers is taken "
     "for one); found 'X'"),
    ("several-missing", "blobs", "a.csv", b"\n\na,b,c,d,e,f,g,h,i,j\n",
     "a.csv:3: columns 'x1', 'x2' are missing in the header (a first row that is not all numbers "
     "is taken for one); found 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', and 2 more"),
    ("twice", "blobs", "a.csv", b"x1,x2,x1\n1,2,3\n",
     "a.csv:1: column 'x1' is given more than once; rename all but one"),
    ("other-twice", "curve", "a.csv", b"x,a,b,b,a\n1,2,3,4,5\n",
     "a.csv:1: columns 'a', 'b' are given more than once; rename all but one"),
    ("taken", "curve", "a.csv", b"prediction,x\n1,2\n",
     "a.csv:1: column 'prediction' has the name of a prediction; rename it"),
    ("taken-probability", "moons", "a.csv", b"x1,x2,probability_1\n1,2,3\n",
     "a.csv:1: column 'probability_1' has the name of a prediction; rename it"),
    ("too-few-columns", "blobs", "a.csv", b"1\n2\n",
     "a.csv:1: expected 2 columns (x1, x2), found 1"),
    ("too-many-columns", "curve", "a.csv", b"1,2\n", "a.csv:1: expected 1 column (x), found 2"),
    ("comma-decimals", "curve", "a.csv", b"1,5\n", "a.csv:1: expected 1 column (x), found 2"),
    ("too-few-cells", "blobs", "a.csv", b"x1,x2,n\n1,2,a\n3,4\n",
     "a.csv:3: expected 3 cells, found 2"),
    ("too-many-cells", "curve", "a.csv", b"x\n1\n2\n3,4\n", "a.csv:4: expected 1 cell, found 2"),
    ("no-header-cells", "blobs", "a.csv", b"1,2\n3,4,5\n", "a.csv:2: expected 2 cells, found 3"),
    ("text", "blobs", "a.csv", b"x1,x2\n1,2\n3,n/a\n",
     "a.csv:3: column 'x2': expected a number, got 'n/a'"),
    ("text-after-blank-lines", "curve", "a.csv", b"x,n\n1,\n\n\n  \nn/a,\n",
     "a.csv:6: column 'x': expected a number, got 'n/a'"),
    ("blanks-in-an-only-column", "curve", "a.csv", b"x\n1\n\n\n  \n2\n",
     "a.csv:5: column 'x': expected a number, got no value"),
    ("text-after-lines-in-quotes", "curve", "a.csv", b'x,n\n1,"a\nb\r\nc"\nn/a,b\n',
     "a.csv:5: column 'x': expected a number, got 'n/a'"),
    ("text-far-down", "curve", "a.csv", b"x\n" + b"1\n" * 100_000 + b"one\n1\n",
     "a.csv:100002: column 'x': expected a number, got 'one'"),
    ("first-of-two", "curve", "a.csv", b"x\none\n\xff\n",
     "a.csv:3: not utf-8 (byte 0xff); save the file as UTF-8"),
    ("empty-cell", "blobs", "a.csv", b"x1,x2\n1,\n",
     "a.csv:2: column 'x2': expected a number, got no value"),
    ("empty-quotes", "curve", "a.csv", b'x\n1\n""\n',
     "a.csv:3: column 'x': expected a number, got no value"),
    ("nan", "curve", "a.csv", b"1\nnan\n",
     "a.csv:2: column 'x': expected a finite number, got 'nan'"),
    ("infinite", "curve", "a.csv", b"x\n-inf\n",
     "a.csv:2: column 'x': expected a finite number, got '-inf'"),
    ("underscore", "curve", "a.csv", b"x\n1_000\n",
     "a.csv:2: column 'x': expected a number, got '1_000'"),
    ("underscore-first", "curve", "a.csv", b"1_000\n",
     "a.csv:1: column 'x': expected a number, got '1_000'"),
    ("other-digits", "curve", "a.csv", "x\n١٢\n".encode(),
     "a.csv:2: column 'x': expected a number, got '١٢'"),
    ("hexadecimal", "curve", "a.csv", b"x\n0x10\n",
     "a.csv:2: column 'x': expected a number, got '0x10'"),
    ("long-text", "curve", "a.csv", b"x\n" + b"q" * 1000 + b"\n",
     f"a.csv:2: column 'x': expected a number, got '{'q' * 57}...'"),
    ("beyond-float32", "curve", "a.csv", b"x\n1e30\n-1e300\n",
     "a.csv:3: column 'x': expected a number that float32 can hold (at most 3.4e+38), "
     "got '-1e300'"),
    ("beyond-float64", "exact", "a.csv", b"x\n1e300\n1e999\n",
     "a.csv:3: column 'x': expected a number that float64 can hold (at most 1.8e+308), "
     "got '1e999'"),
    ("nul", "curve", "a.csv", b"x\n1\n2\x003\n",
     "a.csv:3: expected text, got a NUL byte"),
    ("utf-16", "curve", "a.csv", "x\n1\n".encode("utf-16"),
     "a.csv: the text is in UTF-16; save the file as UTF-8"),
    ("noise", "curve", "a.csv", bytes(range(255, 0, -1)),
     "a.csv: the text is in UTF-16; save the file as UTF-8"),
    ("latin-1", "curve", "a.csv", "x,n\n1,a\n2,ü\n".encode("latin-1"),
     "a.csv:3: not utf-8 (byte 0xfc); save the file as UTF-8"),
    ("cut-character", "curve", "a.csv", b"x,n\r\n1,a\r\n2,\xc3",
     "a.csv:3: not utf-8 (byte 0xc3); save the file as UTF-8"),
    ("not-utf-8-far-down", "curve", "a.csv", b"x,n\n" + "1,ü\n".encode() * 60_000 + b"1,\xfc\n",
     "a.csv:60002: not utf-8 (byte 0xfc); save the file as UTF-8"),
    ("open-quote", "curve", "a.csv", b'x,n\n1,a\n2,"b\n3,c\n',
     "a.csv:3: a quote is opened here and never closed"),
    ("text-behind-quote", "curve", "a.csv", b'x,n\n1,"a"b\n',
     "a.csv:2: text behind a closing quote; a quote within quotes is written twice"),
    ("text-behind-number", "blobs", "a.csv", b'x1,x2\n1,2\n"1"0,2\n',
     "a.csv:3: text behind a closing quote; a quote within quotes is written twice"),
    ("quote-in-header", "blobs", "a.csv", b'x1,"x2\n1,2\n',
     "a.csv:1: a quote is opened here and never closed"),
    ("nan-of-c", "curve", "a.csv", b"x\n1\nnan(1)\n",
     "a.csv:3: column 'x': expected a number, got 'nan(1)'"),
    ("no-header-no-value", "blobs", "a.csv", b"1,\n3,4\n",
     "a.csv:1: column 'x2': expected a number, got no value"),
    ("no-header-trailing", "blobs", "a.csv", b"1,2,\n3,4,\n",
     "a.csv:1: expected 2 columns (x1, x2), found 3"),
    ("parquet", "curve", "a.csv", b"PAR1\0",
     "a.csv: expected text, got what looks like a file of kind .parquet"),
    ("enormous-cell", "curve", "a.csv", b"x,n\n1,a\n2," + b"q" * (LONG + 200_000) + b"\n",
     "a.csv:3: a row of more than 4,194,304 bytes; is a quote not closed?"),
    ("enormous-line", "curve", "a.csv", b"x\n1\n" + b"1" * (LONG + 200_000),
     "a.csv:3: a row of more than 4,194,304 bytes; is a quote not closed?"),
    ("suffix", "curve", "a.dat", b"x\n1\n",
     "a.dat: expected a file that ends in .csv, .tsv, .txt or .npy, or - for CSV on stdin"),
    ("npy-empty", "curve", "a.npy", b"", "a.npy: the file is empty"),
    ("npy-text", "curve", "a.npy", b"x\n1\n2\n3\n4\n", "a.npy: not a .npy file"),
    ("npy-archive", "curve", "a.npy", npz(a=np.zeros(3)), "a.npy: not a .npy file"),
    ("npy-half-a-header", "curve", "a.npy", npy(np.zeros(3))[:20],
     "a.npy: the header of this .npy file cannot be read"),
    ("npy-odd-header", "curve", "a.npy", npy_saying("__import__('os')"),
     "a.npy: the header of this .npy file cannot be read"),
    ("npy-deep-header", "curve", "a.npy", npy_saying("(" * 5000),
     "a.npy: the header of this .npy file cannot be read"),
    ("npy-negative", "curve", "a.npy", saying("(-1, 1)"),
     "a.npy: the header of this .npy file cannot be read"),
    ("npy-version", "curve", "a.npy", b"\x93NUMPY\x09\x00" + bytes(50),
     "a.npy: the header of this .npy file cannot be read"),
    ("npy-cut", "curve", "a.npy", npy(np.zeros(3))[:-1],
     "a.npy: the file is cut short: an array of shape (3,) takes 24 bytes, 23 are there"),
    ("npy-huge", "curve", "a.npy", saying("(1000000000000, 1)", data=bytes(80)),
     "a.npy: the file is cut short: an array of shape (1000000000000, 1) takes "
     "8,000,000,000,000 bytes, 80 are there"),
    ("npy-scalar", "curve", "a.npy", npy(np.array(1.0)),
     "a.npy: expected an array of shape (n,) or (n, 1), found ()"),
    ("npy-flat", "blobs", "a.npy", npy(np.zeros(4)),
     "a.npy: expected an array of shape (n, 2), found (4,)"),
    ("npy-wide", "blobs", "a.npy", npy(np.zeros((4, 3))),
     "a.npy: expected an array of shape (n, 2), found (4, 3)"),
    ("npy-cube", "blobs", "a.npy", npy(np.zeros((4, 2, 1))),
     "a.npy: expected an array of shape (n, 2), found (4, 2, 1)"),
    ("npy-objects", "curve", "a.npy", npy(np.array([1, None]), allow_pickle=True),
     "a.npy: expected an array of real numbers, found Python objects"),
    ("npy-complex", "curve", "a.npy", npy(np.array([1j])),
     "a.npy: expected an array of real numbers, found complex numbers"),
    ("npy-strings", "curve", "a.npy", npy(np.array(["1"])),
     "a.npy: expected an array of real numbers, found text"),
    ("npy-structure", "curve", "a.npy", npy(np.zeros(2, dtype=[("x", float)])),
     "a.npy: expected an array of real numbers, found a structure"),
    ("npy-dates", "curve", "a.npy", npy(np.array(["2020-01-01"], dtype="M8[D]")),
     "a.npy: expected an array of real numbers, found datetime64[D]"),
    ("npy-no-rows", "blobs", "a.npy", npy(np.zeros((0, 2))),
     "a.npy: the array has no rows"),
    ("npy-nan", "blobs", "a.npy", npy(np.array([[1, 2], [3, np.nan]])),
     "a.npy[1, 1]: column 'x2': expected a finite number, got nan"),
    ("npy-infinite", "curve", "a.npy", npy(np.array([0.5] * 70_000 + [-np.inf])),
     "a.npy[70000]: column 'x': expected a finite number, got -inf"),
    ("npy-beyond-float32", "curve", "a.npy", npy(np.array([[0.5], [1e39]])),
     "a.npy[1, 0]: column 'x': expected a number that float32 can hold (at most 3.4e+38), "
     "got 1e+39"),
]  # fmt: skip

EVALUATE = [
    ("empty", "curve", "a.csv", b"", "a.csv: the file is empty"),
    ("no-targets", "curve", "a.csv", b"x\n1\n",
     "a.csv:1: column 'y' is missing in the header (a first row that is not all numbers is taken "
     "for one); found 'x'"),
    ("one-target-of-two", "vector", "a.csv", b"x1,x2,x3,y1\n1,2,3,4\n",
     "a.csv:1: column 'y2' is missing in the header (a first row that is not all numbers is taken "
     "for one); found 'x1', 'x2', 'x3', 'y1'"),
    ("no-header", "curve", "a.csv", b"1\n2\n", "a.csv:1: expected 2 columns (x, y), found 1"),
    ("text-target", "curve", "a.csv", b"x,y\n1,2\n3,high\n",
     "a.csv:3: column 'y': expected a number, got 'high'"),
    ("target-beyond", "curve", "a.csv", b"x,y\n1,2\n3,1e40\n",
     "a.csv:3: column 'y': expected a number that float32 can hold (at most 3.4e+38), "
     "got '1e40'"),
    ("class-name", "blobs", "a.csv", b"x1,x2,y\n1,2,red\n",
     "a.csv:2: column 'y': expected a number, got 'red'"),
    ("class-too-large", "blobs", "a.csv", b"x1,x2,y\n1,2,2\n\n1,2,3\n",
     "a.csv:4: column 'y': expected a class number from 0 to 2, got '3'"),
    ("class-negative", "moons", "a.csv", b"x1,x2,y\n1,2,-1\n",
     "a.csv:2: column 'y': expected a class number from 0 to 1, got '-1'"),
    ("class-not-whole", "blobs", "a.csv", b"y,x1,x2\n0.5,1,2\n",
     "a.csv:2: column 'y': expected a class number from 0 to 2, got '0.5'"),
    ("suffix", "curve", "a.parquet", b"PAR1",
     "a.parquet: expected a file that ends in .csv, .tsv, .txt, .npy, .npz or .yaml, or - for CSV on "
     "stdin"),
    ("npy-columns", "blobs", "a.npy", npy(np.zeros((5, 2))),
     "a.npy: expected an array of shape (n, 3), found (5, 2)"),
    ("npy-class", "blobs", "a.npy", npy(np.array([[1, 2, 0], [3, 4, 7]])),
     "a.npy[1, 2]: column 'y': expected a class number from 0 to 2, got 7"),
    ("npz-text", "curve", "a.npz", b"x,y\n1,2\n", "a.npz: not a readable .npz file"),
    ("npz-empty", "curve", "a.npz", b"", "a.npz: not a readable .npz file"),
    ("npz-cut", "curve", "a.npz", npz(inputs=np.zeros(3), targets=np.zeros(3))[:-9],
     "a.npz: not a readable .npz file"),
    ("npz-damaged", "curve", "a.npz",
     npz(inputs=np.full(3, 7.0), targets=np.zeros(3)).replace(np.float64(7).tobytes(), b"x" * 8),
     "a.npz: not a readable .npz file"),
    ("npz-lzma", "curve", "a.npz", npz_packed(inputs=np.arange(3.0), targets=np.zeros(3)),
     "a.npz: not a readable .npz file"),
    ("npz-names", "curve", "a.npz", npz(x=np.zeros(3), y=np.zeros(3)),
     "a.npz: array 'inputs' is missing; found 'x', 'y'"),
    ("npz-nothing", "curve", "a.npz", npz(), "a.npz: array 'inputs' is missing; found nothing"),
    ("npz-shape", "blobs", "a.npz", npz(inputs=np.zeros((3, 4)), targets=np.zeros(3)),
     "a.npz: inputs: expected an array of shape (n, 2), found (3, 4)"),
    ("npz-objects", "curve", "a.npz", npz(inputs=np.array([1, None]), targets=np.zeros(2)),
     "a.npz: inputs: expected an array of real numbers, found Python objects"),
    ("npz-lengths", "curve", "a.npz", npz(inputs=np.zeros(3), targets=np.zeros(4)),
     "a.npz: expected as many of each, found 3 rows of inputs and 4 of targets"),
    ("npz-nan", "curve", "a.npz", npz(inputs=np.zeros(2), targets=np.array([0, np.nan])),
     "a.npz: targets[1]: column 'y': expected a finite number, got nan"),
    ("npz-class", "moons", "a.npz", npz(inputs=np.zeros((2, 2)), targets=np.array([0, 2])),
     "a.npz: targets[1]: column 'y': expected a class number from 0 to 1, got 2"),
]  # fmt: skip
