"""Predictions behind the rows that they are for: CSV, TSV, JSON Lines, or an array alone."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from nnintro.errors import DataError
from nnintro.files import as_csv, require_place, write_whole
from nnintro.models.standardized import Array
from nnintro.wording import cause


class Written(Protocol):
    """Rows of a file, as they are written before their predictions."""

    def texts(self) -> list[list[str]]:
        """Column by column, the text of every cell."""

    def values(self) -> list[Iterable[Any]]:
        """Column by column, what JSON has for it: numbers, truth values, texts, or None."""


class Writer(Protocol):
    """Takes blocks of rows in their order; ``close`` once after the last."""

    def write(self, rows: Written, predictions: Sequence[Array], /) -> None:
        """Rows with their predictions, one (rows,) array per predicted column."""

    def close(self) -> None: ...


class CsvWriter:
    """The columns as they were, then the predictions; UTF-8, lines end in a line feed."""

    def __init__(self, file: IO[bytes], names: Sequence[str], delimiter: str) -> None:
        self._file, self._delimiter = file, delimiter
        self._header = [tuple(names)]

    def write(self, rows: Written, predictions: Sequence[Array]) -> None:
        lines = zip(*rows.texts(), *map(texts, predictions), strict=True)
        self._file.write(as_csv([*self._header, *lines], self._delimiter).encode())
        self._header = []

    def close(self) -> None:
        """Nothing is left to be written."""


class JsonLinesWriter:
    """One object per row.

    JSON has no infinity: a prediction that is not finite is null.
    """

    def __init__(self, file: IO[bytes], names: Sequence[str]) -> None:
        self._file, self._names = file, names
        self._encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

    def write(self, rows: Written, predictions: Sequence[Array]) -> None:
        columns = [*rows.values(), *map(values_of, predictions)]
        objects = (dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True))
        self._file.write("".join(f"{self._encode(value)}\n" for value in objects).encode())

    def close(self) -> None:
        """Nothing is left to be written."""


class NpyWriter:
    """The predictions alone, (rows, columns) in the run's precision.

    The header comes first and names the number of rows, which only the end of the input tells;
    numpy leaves room in it for any.
    """

    def __init__(self, file: IO[bytes], columns: int, dtype: np.dtype[Any]) -> None:
        self._file, self._dtype = file, dtype
        self._rows, self._columns = 0, columns
        self._offset = self._header()

    def write(self, _: Written, predictions: Sequence[Array], /) -> None:
        rows = np.stack(predictions, axis=1).astype(self._dtype)
        self._file.write(rows.tobytes())
        self._rows += len(rows)

    def close(self) -> None:
        self._file.seek(0)
        assert self._header() == self._offset

    def _header(self) -> int:
        descr = np.lib.format.dtype_to_descr(self._dtype)
        shape = (self._rows, self._columns)
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        return self._file.tell()


def writer_for(
    format_: str, file: IO[bytes], names: Sequence[str], predicted: Sequence[str], dtype: np.dtype[Any]
) -> Writer:
    """The writer of a format (csv, tsv, npy or jsonl) into a binary file.

    Args:
        names: of the columns that were read.
        predicted: of the predictions' columns.
        dtype: of an array of predictions.
    """
    if format_ == "npy":
        return NpyWriter(file, len(predicted), dtype)
    if format_ == "jsonl":
        return JsonLinesWriter(file, [*names, *predicted])
    return CsvWriter(file, [*names, *predicted], "\t" if format_ == "tsv" else ",")


def texts(column: Array) -> list[str]:
    """Each number as the shortest text that reads back as the same number of its type."""
    found: list[str] = column.astype(np.str_).tolist()
    return found


def values_of(column: Array) -> Iterable[int | float | str | None]:
    """Python's values, None for an empty text and for what is not finite.

    Of a float32 the number with the shortest text, not its float64 digits.
    """
    if column.dtype.kind != "f":
        return (None if value == "" else value for value in column.tolist())
    plain = map(float, texts(column)) if column.dtype != np.float64 else iter(column.tolist())
    return (value if math.isfinite(value) else None for value in plain)


Fill = Callable[[IO[bytes]], object]


def write_output(output: Path | None, fill: Fill) -> None:
    """Let ``fill`` write to the file, or to stdout for None.

    A file takes its name when all of it is on the disk; until then, and for good if anything goes
    wrong, what was there before stays.

    Raises:
        UsageError: no file can be there.
        DataError: it cannot be written, or ``fill`` says so.
    """
    if output is None:
        _to_stdout(fill)
        return
    place = require_place(output)
    try:
        write_whole(place, fill)
    except OSError as error:
        raise DataError(f"cannot write {place}: {cause(error)}") from error


def _to_stdout(fill: Fill) -> None:
    if sys.stdout is None:
        raise DataError("cannot write to stdout: it is closed")
    file = sys.stdout.buffer
    try:
        # A reader that has seen enough (`| head`) closes the pipe, which is no fault.
        with contextlib.suppress(BrokenPipeError):
            fill(file)
            file.flush()
    except OSError as error:
        raise DataError(f"cannot write to stdout: {cause(error)}") from error
