"""history.csv: step, epoch, samples, seconds, then one column per scalar tag."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nnintro.errors import CheckpointError

COUNTS = ("step", "epoch", "samples", "seconds")


class History:
    """Rows of scalars, written to the file as they come; an empty cell is a value not measured."""

    def __init__(self, path: Path, tags: Sequence[str]) -> None:
        self.columns = [*COUNTS, *tags]
        self.error: str | None = None
        try:
            self._file = path.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise CheckpointError(f"cannot write {path}: {error.strerror}") from error
        self._writer = csv.DictWriter(self._file, self.columns, restval="")
        self._guarded(self._writer.writeheader)

    def append(self, row: Mapping[str, float | int]) -> None:
        self._guarded(lambda: self._writer.writerow({k: _cell(v) for k, v in row.items()}))

    def flush(self) -> None:
        self._guarded(self._file.flush)

    def close(self) -> None:
        earlier, self.error = self.error, None  # the file is let go of in any case
        self._guarded(self._file.close)
        self.error = earlier or self.error

    def _guarded(self, action: Callable[[], object]) -> None:
        """A full disk must not end the training; it is told at the end."""
        if self.error is not None:
            return
        try:
            action()
        except OSError as error:
            self.error = f"history.csv: {error.strerror}"


def _cell(value: float | int) -> str:
    if isinstance(value, float) and math.isnan(value):
        return ""
    return repr(value)


def read_history(path: Path) -> dict[str, list[float | None]]:
    """Column name -> values; None where a cell is empty.

    Raises:
        CheckpointError: the file is missing or no such table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            names = reader.fieldnames or []
        return {name: [_number(row[name], name) for row in rows] for name in names}
    except (OSError, ValueError, csv.Error, TypeError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error


def _number(text: str, column: str) -> float | None:
    if text == "":
        return None
    return int(text) if column in ("step", "samples") else float(text)
