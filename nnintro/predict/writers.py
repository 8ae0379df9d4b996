"""Predictions behind the rows that they are for: CSV, TSV, JSON Lines, or an array alone."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import numpy as np

from nnintro.datasets.tables import Block as TableBlock
from nnintro.datasets.tables import Encoding
from nnintro.errors import DataError
from nnintro.files import require_place, write_whole
from nnintro.models.standardized import Array
from nnintro.predict.block import Block, texts
from nnintro.predict.numerals import is_numeral
from nnintro.wording import cause


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
    """The writer of a format (csv, tsv, npy or jsonl) into a binary file."""
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


_WHOLE = re.compile(r"[+-]?\d{1,300}", re.ASCII)


class TableLines:
    """One object per row.

    Of a text file cells of the columns that training took as numbers are numbers, and empty ones
    null; other cells are texts as they stand.  Of other files numbers, truth values and texts stay
    what they are, and whatever else there is becomes text.  JSON has no infinity: null.
    """

    def __init__(self, file: IO[bytes], encoding: Encoding, predicted: Sequence[str]) -> None:
        self._file, self._predicted = file, predicted
        self._numbers = {c.name for c in encoding.columns if c.kind == "number"}
        self._numbers |= {t.name for t in encoding.targets if t.kind == "number"}
        if encoding.window is not None and encoding.window.order is not None:
            self._numbers.add(encoding.window.order.name)
        self._encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

    def write(self, block: TableBlock, predictions: Sequence[Array]) -> None:
        """A block's rows with their predictions, one (rows,) array per predicted column."""
        columns = block.columns
        cells = [
            self._column(name, values)
            for name, values in zip(columns.schema.names, block.values(), strict=True)
        ]
        found = [[value or None for value in column.tolist()] if column.dtype.kind == "U"
                 else list(values_of(column)) for column in predictions]  # fmt: skip
        names = [*columns.schema.names, *self._predicted]
        rows = zip(*cells, *found, strict=True)
        lines = [self._encode(dict(zip(names, row, strict=True))) + "\n" for row in rows]
        self._file.write("".join(lines).encode())

    def close(self) -> None:
        """Nothing is left to be written."""

    def _column(self, name: str, values: list[Any]) -> Iterator[Any]:
        as_number = name in self._numbers
        return (_json(value, as_number=as_number) for value in values)


def _json(value: Any, *, as_number: bool) -> Any:
    if isinstance(value, str):
        if as_number and _WHOLE.fullmatch(value):
            return int(value)
        if as_number and is_numeral(value):
            return _json(float(value), as_number=False)
        return None if as_number and not value.strip() else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)


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
