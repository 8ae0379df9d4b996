"""Find numbers that stand far outside of a column's others and may mean no value: -999, -200, 99999."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nnintro.datasets.tables.cells import Array
from nnintro.wording import MOST_NAMED, counted, listed

FEWEST = 2
"""Rows that hold the number."""
FEWEST_OTHERS = 5
"""Different values beside it."""
SMALLEST = 9
"""Absolute value from which on a number is suspected."""


def sentinel_of(values: Array) -> float | None:
    """The number among these, NaN for none, that may stand for no value; None where none does.

    It is whole and repeated. If negative, the others are not, or lie farther from it than they are spread; if positive,
    it is written with nines alone, and lies that far above them.
    """
    if not len(values):
        return None
    for extreme in (np.nanmin, np.nanmax):
        with np.errstate(all="ignore"):
            number = float(extreme(values)) if not np.isnan(values).all() else 0.0
        if not _is_suspected(number, of_smallest=extreme is np.nanmin):
            continue
        held = values == number
        others = values[~held & ~np.isnan(values)]
        if held.sum() < FEWEST or len(others) < FEWEST_OTHERS or len(np.unique(others)) < FEWEST_OTHERS:
            continue
        low, high = float(others.min()), float(others.max())
        gap = low - number if extreme is np.nanmin else number - high
        if gap > high - low or (number < 0 <= low and _is_usual(number)):
            return number
    return None


def _is_suspected(number: float, *, of_smallest: bool) -> bool:
    if not np.isfinite(number) or not number.is_integer() or abs(number) < SMALLEST:
        return False
    return number < 0 if of_smallest else number >= 999 and set(f"{number:.0f}") == {"9"}


def _is_usual(number: float) -> bool:
    """Whether it is in use for no value: -9, -99, -999, ..., -200."""
    return set(f"{-number:.0f}") == {"9"} or number == -200


@dataclass
class Sentinels:
    """The suspicious numbers of a table, by what they are."""

    columns: dict[float, list[str]] = field(default_factory=dict)
    rows: dict[float, int] = field(default_factory=dict)

    def look_at(self, name: str, values: Array) -> None:
        """Note the suspicious number of a column, if it has one."""
        number = sentinel_of(values)
        if number is not None:
            self.columns.setdefault(number, []).append(name)
            self.rows[number] = self.rows.get(number, 0) + int((values == number).sum())

    def notes(self, table: str) -> Iterator[str]:
        """A sentence for each of them."""
        for number, names in self.columns.items():
            more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
            yield (
                f"{table}: {number:.0f} is far from all other values of {listed(names[:MOST_NAMED])}{more} "
                f"({counted(self.rows[number], 'cell')}); if it stands for no value, add missing_values: [{number:.0f}]"
            )
