"""history.csv: step, epoch, samples, seconds, then one column per scalar tag."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from nnintro.errors import CheckpointError
from nnintro.files import open_regular, write_text
from nnintro.runs.folder import explained
from nnintro.wording import cause, shown, shown_key

COUNTS = ("step", "epoch", "samples", "seconds")
WHOLE = ("step", "samples")
"""Those of them that are whole numbers."""
LARGEST, LONGEST_LINE = 1 << 28, 1 << 20
"""Bytes of a history that is read, and characters of a line."""


class History:
    """Rows of scalars, kept and written to the file as they come; NaN is a value not measured.

    Args:
        earlier: column name -> values, of a run that goes on: the file is made anew from them.

    Raises:
        CheckpointError: the file cannot be written.
    """

    def __init__(self, path: Path, tags: Sequence[str], earlier: Mapping[str, Sequence[float]] | None = None) -> None:
        self.error: str | None = None
        self.path = path
        kept = earlier or {}
        unknown = [math.nan] * max(map(len, kept.values()), default=0)
        self.columns = {name: list(kept.get(name, unknown)) for name in [*COUNTS, *tags, *kept]}
        with explained(f"cannot write {path}"):
            if earlier is not None:
                write_text(path, _as_csv(self.columns))
            self._file = path.open("w" if earlier is None else "a", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        if earlier is None:
            self._guarded(lambda: self._writer.writerow(self.columns))

    def append(self, row: Mapping[str, float]) -> None:
        for name, values in self.columns.items():
            values.append(row.get(name, math.nan))
        cells = [_cell(values[-1]) for values in self.columns.values()]
        self._guarded(lambda: self._writer.writerow(cells))

    def flush(self) -> None:
        self._guarded(self._file.flush)

    def close(self) -> None:
        earlier, self.error = self.error, None  # the file is let go of in any case
        self._guarded(self._file.close)
        self.error = earlier or self.error

    def write_again_if_gone(self) -> None:
        """Of a file that somebody removed while it was written."""
        if self.error is None and not self.path.exists():
            self._guarded(lambda: write_text(self.path, _as_csv(self.columns)))

    def _guarded(self, action: Callable[[], object]) -> None:
        """A full disk must not end the training; it is reported at the end."""
        if self.error is not None:
            return
        try:
            action()
        except OSError as error:
            self.error = f"history.csv: {cause(error)}"


def _as_csv(columns: Mapping[str, Sequence[float]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*(map(_cell, values) for values in columns.values()), strict=True))
    return text.getvalue()


def _cell(value: float) -> str:
    return "" if isinstance(value, float) and math.isnan(value) else repr(value)


def read_history(path: Path) -> dict[str, list[float | None]]:
    """Column name -> values; None where a cell is empty.

    Raises:
        CheckpointError: the file is missing or not such a table.
    """
    try:
        with open_regular(path) as plain, io.TextIOWrapper(plain, encoding="utf-8", newline="") as file:
            if os.fstat(file.fileno()).st_size > LARGEST:
                raise ValueError(f"it has more than {LARGEST:,} bytes")
            rows = csv.reader(_lines(file))
            names = next(rows, [])
            if missing := [name for name in COUNTS if name not in names]:
                raise ValueError(f"it has no column {missing[0]}")
            columns: list[list[float | None]] = [[] for _ in names]
            if len(set(names)) < len(names):
                raise ValueError("two columns have one name")
            for row in rows:
                if len(row) != len(names):
                    raise ValueError(f"line {rows.line_num}: expected {len(names)} cells, got {len(row)}")
                for name, values, text in zip(names, columns, row, strict=True):
                    values.append(_number(text, name, rows.line_num))
        return dict(zip(names, columns, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise CheckpointError(f"cannot read {path}: {cause(error)}") from error


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a file, none of which may fill the memory."""
    read = 0
    while line := file.readline(LONGEST_LINE):
        read += len(line)
        if len(line) == LONGEST_LINE or read > LARGEST:
            raise ValueError("it is no table of numbers")
        yield line


def _number(text: str, column: str, line: int) -> float | None:
    if text == "":
        return None
    try:
        return int(text) if column in WHOLE else float(text)
    except ValueError:
        wanted = "a whole number" if column in WHOLE else "a number"
        raise ValueError(f"line {line}, column {shown_key(column)}: expected {wanted}, got {shown(text)}") from None
