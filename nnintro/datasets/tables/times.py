"""Read the column of time, and check the order and the even spacing of the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.cells import Array, Reading, exactly, is_numeral
from nnintro.datasets.tables.columns.coded import coded
from nnintro.datasets.tables.columns.column import FileColumn, training_file
from nnintro.datasets.tables.columns.number import Number, are_times, reading_of
from nnintro.datasets.tables.dates import has_date, is_iso_clock
from nnintro.datasets.tables.files import Table
from nnintro.errors import ConfigError, DataError
from nnintro.wording import counted, quoted

DAY = 86400.0
MONTHS = ((28, 31), (59, 62), (90, 92), (181, 184), (365, 366))
"""Days of one, two, three, six and twelve months: calendars count them as one step."""
TWO_WEEKS = 14
"""Days from which on the days of the week that never occur are days without business."""


@dataclass(frozen=True)
class Times:
    """The column that a series is ordered by, and when each row of the file was."""

    column: Number
    values: Array
    """(rows,) numbers, seconds, or (where float64 rounds them) ranks, in float64; NaN where missing."""
    clock: Number | None = None
    """The column of the time of day, which is in the values too."""

    @property
    def named(self) -> str:
        """The column in a message, or both."""
        return f"column {quoted(self.column.name)}" + (f" with {quoted(self.clock.name)}" if self.clock else "")


def read_times(dataset: TableDataset, table: Table) -> Times:
    """The time of each row: of a column of numbers or dates, or of one of days and one of times of day.

    Raises:
        DataError: a cell is not a time, or missing without ``missing: drop``.
        ConfigError: of two columns the first has no dates, or the second no times of day.
    """
    first, *second = dataset.split_names
    times = _of_column(first, dataset, table)
    if not second:
        return times
    clock = _of_column(second[0], dataset, table)
    if times.column.reading != "time" or clock.column.reading != "time" or not _is_of_day(clock.values):
        wanted = f"dates in {quoted(first)} and times of day in {quoted(second[0])}"
        raise ConfigError.at("dataset.split_by", f"expected {wanted}, as two columns are named")
    return Times(times.column, times.values + clock.values, clock.column)


def _is_of_day(seconds: Array) -> bool:
    known = seconds[~np.isnan(seconds)]
    return bool((known >= 0).all() and (known < DAY).all())


def times_of_day(dataset: TableDataset) -> str:
    """What to do where several rows have the same day: the column of the time of day, if there is one."""
    from pyarrow import types

    if len(dataset.split_names) != 1:
        return ""
    table = training_file(dataset)
    others = [name for name in table.names if name not in {*dataset.split_names, *dataset.targets}]
    table.load(others, {*dataset.dates}.intersection(others))
    for name in others:
        source, form = FileColumn(name, dataset, table), dataset.dates.get(name)
        texts = coded(source.cells).values if source.is_text else []
        is_clock = types.is_time(source.type) or (bool(texts) and all(map(is_iso_clock, texts)))
        if is_clock if form is None else not has_date(form):
            return f"; with times of day in {quoted(name)}: split_by: [{dataset.split_names[0]}, {name}]"
    return ""


def _of_column(name: str, dataset: TableDataset, table: Table) -> Times:
    source = FileColumn(name, dataset, table)
    form = dataset.dates.get(name)
    if form is None and source.is_text:
        values = coded(source.cells).values
        reading: Reading = "number" if values and is_numeral(values[0]) else "time"
        if reading == "time":
            are_times(source)  # which says how other dates can be read
    else:
        reading = "time" if form is not None else reading_of(source.type)
    column = Number(name, reading, form=form)
    times = column.read_file(source)
    absent = np.isnan(times)
    if absent.any() and dataset.missing != "drop":
        raise table.places.refusal(int(absent.argmax()), name, "a time", None)
    if form is not None:
        return Times(column, times)
    exact = exactly(source.cells, times)
    if exact.dtype == object:
        _, ranks = np.unique(exact[~absent], return_inverse=True)
        times = np.full(len(times), np.nan)
        times[~absent] = ranks
    return Times(column, times)


@dataclass(frozen=True)
class Holes:
    """Steps of a series that are longer than its usual step."""

    pairs: Array
    """(n, 2) the rows before and after each hole, positions in the file."""
    usual: str
    """The usual step, in words."""


def holes_in(times: Times, rows: Array, codes: Array | None) -> Holes:
    """The holes in the times of rows that are sorted by series and time."""
    values = times.values[rows]
    inside = np.diff(values) > 0
    if codes is not None:
        inside &= np.diff(codes[rows]) == 0
    pairs = np.stack([rows[:-1], rows[1:]], 1)[inside]
    if len(pairs) < 2:
        return Holes(pairs[:0], "")
    before, after = values[:-1][inside], values[1:][inside]
    steps, usual, word = _steps(before, after, is_date=times.column.reading == "time")
    return Holes(pairs[steps > usual], word)


def _steps(before: Array, after: Array, *, is_date: bool) -> tuple[Array, int, str]:
    """The steps as whole numbers of a unit, how many of it are usual, and the usual step in words."""
    lengths = after - before
    usual = _most_frequent(np.round(lengths, 6))
    if not is_date:
        return np.round(lengths / usual), 1, f"{usual:g}"
    days = usual / DAY
    if any(least <= days <= most for least, most in MONTHS):
        first, last = (values.astype("datetime64[s]").astype("datetime64[M]") for values in (before, after))
        months = (last - first).astype(np.int64)
        common = int(_most_frequent(months))
        return months, common, counted(common, "month")
    if days == 1 and after.max() - before.min() >= TWO_WEEKS * DAY:
        first, last = (values.astype("datetime64[s]").astype("datetime64[D]") for values in (before, after))
        # Day 0, 1970-01-01, was a Thursday.
        there = np.isin(np.arange(7), (np.concatenate([first, last]).astype(np.int64) + 3) % 7)
        return np.busday_count(first, last, there.tolist()), 1, "1 day" if there.all() else "1 working day"
    return np.round(lengths / usual), 1, _seconds_in_words(usual)


def _most_frequent(values: Array) -> float:
    different, counts = np.unique(values, return_counts=True)
    return float(different[counts.argmax()])


def _seconds_in_words(seconds: float) -> str:
    for unit, size in (("day", DAY), ("hour", 3600.0), ("minute", 60.0)):
        if seconds % size == 0:
            return counted(int(seconds / size), unit)
    return f"{seconds:g} seconds"


def notes_on_holes(dataset: TableDataset, times: Times, rows: Array, codes: Array | None, table: Table) -> list[str]:
    """A sentence about the holes in the times, where a window takes the rows as evenly spaced.

    Raises:
        DataError: there is a hole, and the section says ``gaps: error``.
    """
    if dataset.gaps == "allow":
        return []
    holes = holes_in(times, rows, codes)
    if not len(holes.pairs):
        return []
    before, after = (table.places.at(int(row)) for row in holes.pairs[0])
    count = counted(len(holes.pairs), "hole")
    text = (
        f"{times.named} has {count}: steps longer than the usual {holes.usual}, the first before {after} "
        f"(the row before it is {before}); a window takes rows as evenly spaced"
    )
    if dataset.gaps == "error":
        raise DataError(f"{table.name}: {text} (gaps: allow trains all the same)")
    return [f"{table.name}: {text}; gaps: error refuses that, gaps: allow omits this note"]
