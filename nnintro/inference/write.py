"""Predictions behind the rows that they are for: CSV, TSV, JSON Lines, or an array alone."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal, Protocol

import numpy as np

from nnintro.inference.block import Array, Block, texts


@dataclass(frozen=True)
class Columns:
    """The names of what is written."""

    names: Sequence[str]
    """Of the columns that were read."""
    positions: Sequence[int]
    """Which of them are the inputs."""
    predicted: Sequence[str]


class Writer(Protocol):
    """Takes blocks in their order; ``close`` once after the last."""

    def write(self, block: Block, predictions: Sequence[Array], /) -> None:
        """A block's rows with their predictions, one (rows,) array per predicted column."""

    def close(self) -> None: ...


class CsvWriter:
    """The columns as they were, then the predictions; UTF-8, lines end in a line feed."""

    def __init__(self, file: IO[bytes], columns: Columns, delimiter: str = ",") -> None:
        self._file, self._columns, self._delimiter = file, columns, delimiter
        self._begun = False

    def write(self, block: Block, predictions: Sequence[Array]) -> None:
        behind = map(list, zip(*map(texts, predictions), strict=True))
        rows = list(map(list.__add__, block.cells(), behind))
        if not self._begun:
            rows.insert(0, [*self._columns.names, *self._columns.predicted])
            self._begun = True
        self._file.write(as_csv(rows, self._delimiter).encode())

    def close(self) -> None:
        """Nothing is left to be written."""


def as_csv(rows: list[list[str]], delimiter: str) -> str:
    """Rows of two cells or more, and of the same number, as a CSV that reads back."""
    plain = "\n".join(map(delimiter.join, rows)) + "\n"
    # Where no cell needs quotes, joining is all there is to it, and eight times as fast.
    needs_quotes = (
        '"' in plain
        or "\r" in plain
        or plain.count("\n") != len(rows)
        or plain.count(delimiter) != len(rows) * (len(rows[0]) - 1)
    )
    if not needs_quotes:
        return plain
    # The csv module puts a carriage return into quotes only where it ends lines.
    quoting: Literal[0, 1] = csv.QUOTE_ALL if "\r" in plain else csv.QUOTE_MINIMAL
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerows(rows)
    return text.getvalue()


class JsonLinesWriter:
    """One object per row: inputs and predictions are numbers, other columns text.

    JSON has no infinity: a prediction that is not finite is null.
    """

    def __init__(self, file: IO[bytes], columns: Columns) -> None:
        self._file, self._columns = file, columns
        self._encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

    def write(self, block: Block, predictions: Sequence[Array]) -> None:
        columns = self._columns
        inputs = [columns.names[position] for position in columns.positions]
        lines = []
        for cells, numbers, found in zip(
            block.cells(),
            zip(*map(values_of, block.numbers.T), strict=True),
            zip(*map(values_of, predictions), strict=True),
            strict=True,
        ):
            row: dict[str, Any] = dict(zip(columns.names, cells, strict=True))
            row.update(zip(inputs, numbers, strict=True))
            row.update(zip(columns.predicted, found, strict=True))
            lines.append(self._encode(row) + "\n")
        self._file.write("".join(lines).encode())

    def close(self) -> None:
        """Nothing is left to be written."""


class NpyWriter:
    """The predictions alone, (rows, columns) in the run's precision.

    The header comes first and names the number of rows, which only the end of the input tells;
    numpy leaves room in it for any.
    """

    def __init__(self, file: IO[bytes], columns: Columns, dtype: np.dtype[Any]) -> None:
        self._file, self._dtype = file, dtype
        self._rows, self._width = 0, len(columns.predicted)
        self._offset = self._header()

    def write(self, _: Block, predictions: Sequence[Array], /) -> None:
        rows = np.stack(predictions, axis=1).astype(self._dtype)
        self._file.write(rows.tobytes())
        self._rows += len(rows)

    def close(self) -> None:
        self._file.seek(0)
        assert self._header() == self._offset

    def _header(self) -> int:
        descr = np.lib.format.dtype_to_descr(self._dtype)
        shape = (self._rows, self._width)
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        return self._file.tell()


def writer_for(format_: str, file: IO[bytes], columns: Columns, dtype: np.dtype[Any]) -> Writer:
    """The writer of a format (see ``formats.prediction_format``) into a binary file."""
    if format_ == "npy":
        return NpyWriter(file, columns, dtype)
    if format_ == "jsonl":
        return JsonLinesWriter(file, columns)
    return CsvWriter(file, columns, "\t" if format_ == "tsv" else ",")


def values_of(column: Array) -> Iterator[int | float | None]:
    """Python's numbers; of a float32 the one with the shortest text, not its float64 digits."""
    if column.dtype.kind != "f":
        return iter(column.tolist())
    plain = map(float, texts(column)) if column.dtype != np.float64 else iter(column.tolist())
    return (value if math.isfinite(value) else None for value in plain)
