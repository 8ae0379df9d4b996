"""See from a file's first bytes what it is: a table of another kind, or text of another encoding."""

from __future__ import annotations

import re

_OFFICE = re.compile(rb"xl/workbook|\[Content_Types\]\.xml")
_OTHERS: list[tuple[bytes, str]] = [
    (rb"PAR1", "a file of kind .parquet"),
    (rb"\x1f\x8b", "a file of kind .csv.gz; if it is, let its name end so"),
    (
        rb"\xfd7zXZ\0|BZh|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!",
        "a compressed file; unpack it, or pack it with gzip (.csv.gz)",
    ),
    (rb"\xd0\xcf\x11\xe0", "an Excel file (.xls); save the sheet as CSV"),
    (rb"SQLite format 3\0", "an SQLite database; export the table as CSV"),
    (rb"ARROW1|FEA1", "a Feather file; save it as Parquet"),
    (rb"\x93NUMPY", ".npy; save it with np.savez"),
    (rb"\x80[\x02-\x05]", "a Python pickle; save it as CSV or Parquet"),
    (rb"\x89HDF|MATLAB", "HDF5 or MATLAB; save it as CSV or Parquet"),
    (rb"\$FL[23]@", "an SPSS file; save it as CSV"),
    (rb"<stata_dta>", "a Stata file; save it as CSV"),
    (rb"version https://git-lfs", "a pointer that Git LFS left; git lfs pull fetches the file itself"),
    (rb"\s*@relation\s", "an ARFF file (Weka); save it as CSV"),
    (rb"\s*<(!doctype html|html)", "a web page; download the file itself"),
    (rb"\s*<[a-z?!]", "XML; save it as CSV"),
    (rb"\s*(\{\s*\"|\[\s*\{)", "JSON; save it as CSV"),
]
"""How files of other kinds begin, and what they are."""
_OTHER_KINDS = [(re.compile(start, re.I | re.S), kind) for start, kind in _OTHERS]
_LETTERS = re.compile(rb"[\x80-\xff]{3,}")


def other_kind(start: bytes) -> str | None:
    """``an SQLite database; export the table as CSV``; None of text, as far as its first bytes say."""
    if start.startswith(b"PK\x03\x04"):
        if _OFFICE.search(start):
            return "a file of kind .xlsx (Excel); save the sheet as CSV"
        return "a file of kind .npz" if b".npy" in start else "a ZIP archive; unpack it"
    return next((kind for pattern, kind in _OTHER_KINDS if pattern.match(start)), None)


def likely_encoding(text: bytes) -> str:
    """An encoding that such text may have, which is not UTF-8: of words of Chinese or Cyrillic letters theirs."""
    high = [byte for byte in text if byte >= 0x80]
    words = b"".join(_LETTERS.findall(text))
    if 2 * len(words) <= len(high):
        return "cp1252"
    if 2 * sum(byte >= 0xE0 for byte in words) >= len(words):
        return "cp1251"
    try:
        text[: text.rfind(b"\n") + 1 or None].decode("gbk")
    except UnicodeDecodeError:
        return "koi8-r"
    return "gbk"
