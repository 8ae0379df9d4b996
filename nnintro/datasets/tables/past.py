"""The past of each series of a table that is read block by block, and the windows that it makes with new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnintro.datasets.tables.cells import Array, exactly
from nnintro.datasets.tables.columns.column import Policy
from nnintro.datasets.tables.encoding import Encoding
from nnintro.datasets.tables.files.places import Places
from nnintro.datasets.tables.series import required_codes, window_positions
from nnintro.errors import DataError


@dataclass(frozen=True)
class Encoded:
    """The samples of some consecutive rows."""

    inputs: Array
    """(n, features), raw."""
    rows: Array
    """(n,) the rows that they are of; those without a whole window before them have none."""
    series: Array
    """(all rows,) the number of each row's series."""


class Past:
    """What earlier rows of a table leave for later ones: nothing, but with a window.

    Attributes:
        encoding: of the training's table.
        unseen: column -> how many of its categories so far training did not have.
    """

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.unseen: dict[str, int] = {}
        self._numbers: dict[tuple[str, ...], int] = {}
        # The latest rows of each series, one less than a window has; in the order of time.
        self._rows = np.zeros((0, len(encoding.row_features)))
        self._series = np.zeros(0, np.int64)
        self._last: dict[int, Any] = {}
        self._sizes = np.zeros(0, np.int64)

    def samples(self, columns: Mapping[str, Any], places: Places) -> Encoded:
        """The samples of the next rows.

        Raises:
            DataError: a cell cannot be used, or a row is not later than the one before it in its series.
        """
        encoded, window = self.encoding.encode(columns, places, self.unseen), self.encoding.window
        if window is None:
            return Encoded(encoded, np.arange(len(encoded)), np.zeros(len(encoded), np.int64))
        series = np.zeros(len(encoded), np.int64)
        if window.series:
            series = required_codes(
                {name: self.encoding.known(name, columns) for name in window.series}, self._numbers, places
            )
        self._require_order(columns, series, places)
        rows, codes = np.concatenate([self._rows, encoded]), np.concatenate([self._series, series])
        ends, positions = window_positions(codes, window.rows)
        inputs = rows[positions].reshape(len(positions), window.rows * rows.shape[1])
        kept = self._latest(codes, window.rows - 1)
        ends -= len(self._rows)
        self._rows, self._series = rows[kept], codes[kept]
        self._count(series)
        return Encoded(inputs, ends, series)

    def require_samples(self, name: str) -> None:
        """Raise DataError where no series of the table had a whole window."""
        window = self.encoding.window
        most = int(self._sizes.max(initial=0))
        if window is not None and most < window.rows:
            got = f"the longest series has {most:,}" if len(self._sizes) > 1 else f"got {most:,}"
            raise DataError(f"{name}: expected {window.rows:,} rows or more for a window, {got}")

    def _count(self, series: Array) -> None:
        counts = np.bincount(series, minlength=len(self._sizes))
        counts[: len(self._sizes)] += self._sizes
        self._sizes = counts

    def _latest(self, codes: Array, most: int) -> Array:
        """The last ``most`` rows of each series; positions, rising."""
        order, sizes = np.argsort(codes, kind="stable"), np.bincount(codes)
        behind = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(order))  # 1 for the last row of a series
        return np.sort(order[behind <= most])

    def _require_order(self, columns: Mapping[str, Any], series: Array, places: Places) -> None:
        window = self.encoding.window
        if window is None or window.order is None:
            return
        column = window.order
        cells = self.encoding.cells_of(column, columns, places)
        times = column.usable(cells, Policy(), places)
        if window.clock is not None:
            clock = self.encoding.cells_of(window.clock, columns, places)
            times = times + window.clock.usable(clock, Policy(), places)
        elif column.form is None:
            times = exactly(cells, times)
        order = np.argsort(series, kind="stable")
        codes, sorted_times = series[order], times[order]
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        before = np.roll(sorted_times, 1).astype(object)
        before[starts] = [self._last.get(code, -np.inf) for code in codes[starts].tolist()]
        late = sorted_times <= before
        if late.any():
            row = int(order[late].min())
            got = " ".join(str(columns[time.name][row]) for time in window.times)
            of = "the row before has" if not window.series else "the row before in its series has"
            error = places.refusal(row, column.name, f"a time later than {of}", got)
            raise DataError(f"{error}; sort the rows by it, one for each time")
        ends = np.append(starts[1:], len(codes)) - 1
        self._last |= dict(zip(codes[ends].tolist(), sorted_times[ends].tolist(), strict=True))
