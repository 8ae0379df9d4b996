"""Write input rows with their predictions appended (CSV, TSV, JSON Lines), or predictions alone (.npy)."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np

from nnintro.datasets.tables.cells import is_numeral
from nnintro.errors import DataError
from nnintro.files import as_csv, require_place, write_whole
from nnintro.models.standardized import Array
from nnintro.wording import cause


class Written(Protocol):
    """Rows of a file, as they are written before their predictions."""

    def texts(self) -> list[list[str]]:
        """Column by column, the text of every cell."""

    def values(self) -> Sequence[Iterable[Any]]:
        """Column by column, what JSON has for it: numbers, truth values, texts, or None."""


Predicted = Iterable[tuple[Written, Sequence[Array]]]
"""Blocks of rows in their order, with their predictions: one (rows,) array per predicted column."""


def write_predictions(
    format_: str,
    file: IO[bytes],
    names: Sequence[str],
    predicted: Sequence[str],
    dtype: np.dtype[Any],
    blocks: Predicted,
    *,
    spreadsheet_safe: bool = False,
) -> None:
    """Write to a binary file in a format: csv, tsv, npy or jsonl.

    Args:
        names: of the columns that were read.
        predicted: of the predictions' columns.
        dtype: of an array of predictions.
        spreadsheet_safe: of csv and tsv, put ' in front of texts that a spreadsheet would compute.
    """
    if format_ == "npy":
        _write_npy(file, len(predicted), dtype, blocks)
    elif format_ == "jsonl":
        _write_json_lines(file, [*names, *predicted], blocks)
    else:
        _write_csv(file, [*names, *predicted], "\t" if format_ == "tsv" else ",", blocks, safe=spreadsheet_safe)


def _write_csv(file: IO[bytes], names: Sequence[str], delimiter: str, blocks: Predicted, *, safe: bool) -> None:
    """The columns as they were, then the predictions; UTF-8, lines end in a line feed."""
    header = [tuple(map(_uncomputed, names) if safe else names)]
    for rows, predictions in blocks:
        columns = [*rows.texts(), *map(texts, predictions)]
        lines = zip(*([[_uncomputed(cell) for cell in column] for column in columns] if safe else columns), strict=True)
        file.write(as_csv([*header, *lines], delimiter).encode())
        header = []


def _uncomputed(cell: str) -> str:
    """A text that no spreadsheet takes for a formula; numbers, whatever their sign, stay as they are."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_numeral(cell) else cell


def _write_json_lines(file: IO[bytes], names: Sequence[str], blocks: Predicted) -> None:
    """One object per row; JSON has no infinity: a prediction that is not finite is null."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    for rows, predictions in blocks:
        columns = [*rows.values(), *map(values_of, predictions)]
        objects = (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        file.write("".join(f"{encode(value)}\n" for value in objects).encode())


def _write_npy(file: IO[bytes], columns: int, dtype: np.dtype[Any], blocks: Predicted) -> None:
    """The predictions alone, (rows, columns) in the run's precision."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (0, columns)}
    np.lib.format.write_array_header_1_0(file, header)
    count = 0
    for _, predictions in blocks:
        rows = np.stack(predictions, axis=1).astype(dtype)
        file.write(rows.tobytes())
        count += len(rows)
    # Only the end of the input gives the number of rows; numpy leaves room in the header for any.
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {**header, "shape": (count, columns)})


def texts(column: Array) -> list[str]:
    """Each number as the shortest text that reads back as the same number of its type; texts as they are."""
    if column.dtype.kind == "U":
        return cast(list[str], column.tolist())
    if column.dtype == np.float64:
        return list(map(repr, column.tolist()))  # the same texts as numpy's, three times as fast
    return cast(list[str], column.astype(np.str_).tolist())


def values_of(column: Array) -> Iterable[int | float | str | None]:
    """Python's values, None for an empty text and for what is not finite.

    Of a float32 the number with the shortest text, not its float64 digits.
    """
    if column.dtype.kind != "f":
        return (None if value == "" else value for value in column.tolist())
    plain = map(float, texts(column)) if column.dtype != np.float64 else iter(column.tolist())
    return (value if math.isfinite(value) else None for value in plain)


def write_output(output: Path | None, fill: Callable[[IO[bytes]], object]) -> None:
    """Let ``fill`` write to the file, or to stdout for None.

    A file takes its name when all of it is on the disk; until then, and for good if anything goes
    wrong, what was there before stays.

    Raises:
        UsageError: no file can be there.
        DataError: it cannot be written, or ``fill`` says so.
    """
    place = "to stdout" if output is None else require_place(output)
    try:
        if isinstance(place, Path):
            write_whole(place, fill)
        elif sys.stdout is None:
            raise DataError(f"cannot write {place}: it is closed")
        else:
            # A reader that has seen enough (`| head`) closes the pipe, which is not a fault.
            with contextlib.suppress(BrokenPipeError):
                fill(sys.stdout.buffer)
                sys.stdout.buffer.flush()
    except OSError as error:
        raise DataError(f"cannot write {place}: {cause(error)}") from error
