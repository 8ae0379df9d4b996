"""Read dates and times of day as seconds: ISO 8601 by itself, others by a format that a config gives."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Sequence

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])", re.ASCII)
_YEAR = re.compile(r"[12]\d{3}", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d.*|\d{4}-?W\d\d(-?[1-7])?", re.ASCII)
_ISO_CLOCK = re.compile(r"\d\d:\d\d.*", re.ASCII)
_DURATION = re.compile(r"(\d+):[0-5]\d(:[0-5]\d([.,]\d+)?)?", re.ASCII)
_NAMED_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE_LIKE = re.compile(
    r"(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|(19|20)\d\d[./-](0?[1-9]|1[0-2])|\d{1,2}[:.]\d\d[:.]\d\d"
    rf"|\d{{1,2}}\.?[ /-]{_NAMED_MONTH}[ /-]\d{{2,4}}|{_NAMED_MONTH}( \d{{1,2}},)?[ -](\d\d)?\d\d)([ T].*)?",
    re.ASCII | re.I,
)
"""Dates of any order, years with months (but not 18-25), and times with seconds."""


def seconds(cell: str) -> float | None:
    """Seconds since 1970 in UTC of an ISO date; since midnight of a time alone.

    A month, a quarter (2024-Q1), a week (2024-W05) and a year are their first day.
    """
    cell = cell.strip()
    for read in (_of_period, _of_date, _of_time):
        try:
            value = read(cell)
        except (ValueError, OverflowError):
            continue
        if value is not None:
            return value
    return None


def _of_period(cell: str) -> float | None:
    if month := _MONTH.fullmatch(cell):
        return _since_1970(datetime.datetime(int(month[1]), int(month[2]), 1))
    if quarter := _QUARTER.fullmatch(cell):
        return _since_1970(datetime.datetime(int(quarter[1]), 3 * int(quarter[2]) - 2, 1))
    return _since_1970(datetime.datetime(int(cell), 1, 1)) if _YEAR.fullmatch(cell) else None


def _of_date(cell: str) -> float:
    return _since_1970(datetime.datetime.fromisoformat(cell))


def _since_1970(date: datetime.datetime) -> float:
    passed = date.replace(tzinfo=date.tzinfo or datetime.UTC) - _EPOCH
    return passed.days * 86400 + passed.seconds + passed.microseconds / 1e6


def _of_time(cell: str) -> float | None:
    # Python would take 2023 for 20:23, and 2023-13 for that in a time zone.
    return _since_midnight(datetime.time.fromisoformat(cell)) if ":" in cell else None


def _since_midnight(time: datetime.time | datetime.datetime) -> float:
    return time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6


def has_date(form: str) -> bool:
    """Whether a format of strptime is of dates, and not of times of day alone."""
    return re.search(r"%[YymdjbBGVuUWwaAcxDF]", form.replace("%%", "")) is not None


def reader(form: str) -> Callable[[str], float | None]:
    """What reads cells of a format as seconds since 1970, or since midnight where it has no date."""
    of_date = has_date(form)

    def read(cell: str) -> float | None:
        try:
            date = datetime.datetime.strptime(cell.strip(), form)
        except (ValueError, OverflowError):
            return None
        return _since_1970(date) if of_date else _since_midnight(date)

    return read


def is_iso_date(cell: str) -> bool:
    """A day (with a time or not), a month, a quarter or a week."""
    form = (_ISO_DATE, _MONTH, _QUARTER)
    return any(kind.fullmatch(cell) for kind in form) and seconds(cell) is not None


def is_iso_clock(cell: str) -> bool:
    """A time of day alone."""
    return _ISO_CLOCK.fullmatch(cell) is not None and seconds(cell) is not None


def is_date_like(cell: str) -> bool:
    """Whether a cell looks like a date or a time, of whatever format."""
    return _DATE_LIKE.fullmatch(cell) is not None


def long_duration(cells: Iterable[str]) -> str | None:
    """A cell of 24 hours or more, where all are hours, minutes and seconds; else None."""
    longest = None
    for cell in cells:
        duration = _DURATION.fullmatch(cell)
        if duration is None:
            return None
        if longest is None and int(duration[1]) >= 24:
            longest = cell
    return longest


_DAYS = [
    *(order.replace(" ", mark) for mark in "./-" for order in ("%d %m %Y", "%m %d %Y", "%Y %m %d")),
    *(order.replace(" ", mark) for mark in "./-" for order in ("%d %m %y", "%m %d %y", "%m %Y", "%Y %m")),
    *("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%b/%Y"),
    *("%b %Y", "%b-%Y", "%b-%y", "%B %Y"),
]
_CLOCKS = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H.%M", "%H.%M.%S"]
_FORMATS = [*_DAYS, *_CLOCKS, *(f"{day}{joint}{clock}" for day in _DAYS for clock in _CLOCKS for joint in (" ", "T"))]


def formats_of(cells: Sequence[str]) -> list[str]:
    """The usual formats that read every one of these cells; more than one where day and month could be either."""
    # A zone that all name is a part of the format.
    zone = next((zone for zone in (" UTC", " GMT", "Z") if all(cell.endswith(zone) for cell in cells)), "")
    days = [cell.removesuffix(zone) for cell in cells]
    return [form + zone for form in _FORMATS if days and all(reader(form)(day) is not None for day in days)]
