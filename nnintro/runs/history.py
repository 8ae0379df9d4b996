"""history.csv: step, epoch, samples, seconds, then one column per scalar tag."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nnintro.errors import CheckpointError
from nnintro.files import write_text
from nnintro.runs.folder import explained
from nnintro.wording import cause

COUNTS = ("step", "epoch", "samples", "seconds")
WHOLE = ("step", "samples")
"""Those of them that are whole numbers."""


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
    return int(text) if column in WHOLE else float(text)
