"""Notice where lines that the config leaves out are rows, in a file without the titles or totals of the training's."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from nnintro.config.datasets.text_keys import TextKeys
from nnintro.datasets.tables.columns.number import Number, NumberTarget
from nnintro.datasets.tables.encoding import Encoding
from nnintro.datasets.tables.files import Table, open_table
from nnintro.datasets.tables.files.csv import CsvTable
from nnintro.datasets.tables.files.text import STDIN
from nnintro.errors import DataError


def skips_rows(table: Table, encoding: Encoding) -> bool:
    """Whether a line that was left out up to here looks like a row."""
    return _first_row(table, encoding) is not None


def require_no_row_skipped(table: Table, encoding: Encoding) -> None:
    """Raise DataError where a line that was left out looks like a row, and no such line of the training's file did."""
    place = None if encoding.skips_rows else _first_row(table, encoding)
    if place is not None:
        why = (
            "it would be left out by dataset.skip_rows or skip_footer, as in the training's file, but looks like a row"
        )
        raise DataError(f"{place}: {why}; give the file such lines as that one has there")


def open_like_the_training_file(source: str, keys: TextKeys, needed: Sequence[str]) -> Table:
    """The table, with no line skipped where only then its header is found: it lacks the training's titles.

    Raises:
        ConfigError, DataError: as ``open_table``.
    """
    if source == STDIN or not keys.skip_lines:
        return open_table(source, keys, needed)
    table = error = None
    try:
        table = open_table(source, keys, needed)
    except DataError as problem:
        error = problem
    if table is not None and set(needed).issubset(table.names):
        return table
    with contextlib.suppress(DataError):  # the first problem is the one to report
        whole = open_table(source, replace(keys, skip_lines=0), needed)
        if set(needed).issubset(whole.names):
            return whole
    if table is None:
        assert error is not None
        raise error
    return table


def _first_row(table: Table, encoding: Encoding) -> str | None:
    if not isinstance(table, CsvTable):
        return None
    return next((place for place, cells in table.left_out() if _is_row(cells, table.names, encoding)), None)


def _is_row(cells: Sequence[str], names: Sequence[str], encoding: Encoding) -> bool:
    """Whether there is a number in each column of numbers; where there is no such column nothing can be said."""
    numbers = {
        column.name
        for column in (*encoding.columns, *encoding.targets)
        if isinstance(column, Number | NumberTarget) and column.reading == "number" and column.name in names
    }
    if len(cells) != len(names) or not numbers:
        return False
    return all(
        encoding.spelling.marks(name).numeral(cell) is not None
        for name, cell in zip(names, cells, strict=True)
        if name in numbers
    )
