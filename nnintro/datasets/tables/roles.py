"""Which columns of a table are inputs and targets, and what kind each is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.categories import Coded, coded
from nnintro.datasets.tables.cells import (
    EXPECTED,
    Reading,
    is_meant_as_number,
    is_numeral,
    is_text,
    seconds,
)
from nnintro.datasets.tables.files.places import no_column
from nnintro.datasets.tables.files.source import Table
from nnintro.errors import ConfigError, DataError
from nnintro.wording import quoted

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CATEGORIES = 200
"""Distinct texts that are taken for categories without being asked to, in a table of few rows."""
SHARE_OF_CATEGORIES = 0.1
"""In a table of many rows: distinct texts to a row."""
_ISO = re.compile(r"\d{4}-\d\d-\d\d.*|\d\d:\d\d.*", re.ASCII)
_DATE = re.compile(
    r"(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|(19|20)\d\d[./-](0?[1-9]|1[0-2]))( .*)?", re.ASCII
)
"""Dates of any order and years with months, but not 18-25."""


@dataclass(frozen=True)
class Roles:
    """Names of columns by what they are for."""

    inputs: list[str]
    """With a window, the targets too: their past is known."""
    targets: list[str]
    split_by: str | None

    @property
    def needed(self) -> list[str]:
        by = [] if self.split_by is None else [self.split_by]
        return list(dict.fromkeys([*self.inputs, *self.targets, *by]))


def roles_of(dataset: TableDataset, table: Table) -> Roles:
    """The columns that the section names or implies.

    Raises:
        ConfigError: a column is not there, or is named for something that it is not.
    """
    for key, names in _named(dataset):
        for name in names:
            if name not in table.names:
                raise ConfigError.at(f"dataset.{key}", no_column(name, table.names, table.name))
    aside = {*dataset.targets, *dataset.exclude, dataset.split_by}
    inputs = dataset.inputs
    if inputs is None:
        inputs = [name for name in table.names if name not in aside]
    if dataset.window is not None:
        inputs = [*inputs, *dataset.targets]
    if not inputs:
        key = "exclude" if dataset.exclude else "inputs"
        message = f"no column of {table.name} is left to predict from"
        raise ConfigError.at(f"dataset.{key}", message)
    for key, names, known in (
        ("text", dataset.text, inputs),
        ("categorical", dataset.categorical, [*inputs, *dataset.targets]),
    ):
        for name in names:
            if name not in known:
                raise ConfigError.at(f"dataset.{key}", f"column {quoted(name)} is not an input")
    return Roles(list(inputs), dataset.targets, dataset.split_by)


def _named(dataset: TableDataset) -> Iterator[tuple[str, list[str]]]:
    yield "target", dataset.targets
    yield "inputs", dataset.inputs or []
    yield "exclude", dataset.exclude
    yield "categorical", dataset.categorical
    yield "text", dataset.text
    yield "split_by", [dataset.split_by] if dataset.split_by is not None else []


@dataclass(frozen=True)
class Kind:
    """What a column holds."""

    kind: Literal["number", "category", "words"]
    reading: Reading = "number"
    coded: Coded | None = None
    """Of categories: which of them each row has."""


def kind_of(name: str, dataset: TableDataset, table: Table) -> Kind:
    """Seen from its type, and from its cells where they are text.

    Raises:
        DataError: nearly all cells are numbers and one is not; or there are too many categories.
    """
    from pyarrow import types

    column = table.column(name)
    if name in dataset.text:
        return Kind("words")
    if name in dataset.categorical:
        return Kind("category", coded=_counted(coded(column), name, table))
    of_text = types.is_dictionary(column.type) and is_text(column.type.value_type)
    if not (of_text or is_text(column.type)):
        return Kind("number", kind_reading(column.type))
    found = _counted(coded(column), name, table)
    if not of_text and _is_numeric(found, name, table):
        return Kind("number")
    if name not in dataset.targets and _is_time(found, name, table):
        return Kind("number", "time")
    count, rows = len(found.values), len(found.codes)
    if count > MOST_CATEGORIES and count > SHARE_OF_CATEGORIES * rows and name in dataset.targets:
        raise DataError(
            f"{table.name}: column {quoted(name)}: expected classes, got {count:,} different "
            f"texts in {rows:,} rows"
        )
    if count > MOST_CATEGORIES and count > SHARE_OF_CATEGORIES * rows:
        raise DataError(
            f"{table.name}: column {quoted(name)}: {count:,} different texts in {rows:,} rows are "
            f"no categories; name it in exclude, in text, or (to take each as one) in categorical"
        )
    return Kind("category", coded=found)


def _counted(found: Coded, name: str, table: Table) -> Coded:
    if not found.values:
        raise empty_column(name, table)
    return found


def empty_column(name: str, table: Table) -> DataError:
    return DataError(
        f"{table.name}: column {quoted(name)} has no value in any row; name it in exclude"
    )


def kind_reading(kind: pa.DataType) -> Reading:
    from pyarrow import types

    inner = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_boolean(inner):
        return "truth"
    return "time" if types.is_temporal(inner) else "number"


def _is_time(found: Coded, name: str, table: Table) -> bool:
    """Whether all cells are ISO dates or times.

    Raises:
        DataError: half of them or more are dates, but not so that there is one way to read them.
    """
    cells = [value.strip() for value in found.values]
    if all(_ISO.fullmatch(cell) and seconds(cell) is not None for cell in cells):
        return True
    dates = [_DATE.fullmatch(cell) is not None for cell in cells]
    if 2 * sum(dates) < len(dates):
        return False
    code = dates.index(True)
    row = int(np.flatnonzero(found.codes == code)[0])
    error = table.places.refusal(row, name, EXPECTED["time"], found.values[code])
    raise DataError(f"{error}; write dates that way, or name the column in categorical or exclude")


def _is_numeric(found: Coded, name: str, table: Table) -> bool:
    """Whether all cells are numerals.

    Raises:
        DataError: half of them or more are, and one is not.
    """
    counts = found.counts()
    if all(map(is_numeral, found.values)):
        return True
    meant = sum(int(n) for value, n in zip(found.values, counts, strict=True)
                if is_meant_as_number(value))  # fmt: skip
    if 2 * meant < int(counts.sum()):
        return False
    odd = {index for index, value in enumerate(found.values) if not is_numeral(value)}
    row = next(row for row, code in enumerate(found.codes) if int(code) in odd)
    cell = found.values[found.codes[row]]
    error = table.places.refusal(row, name, "a number", cell)
    if is_meant_as_number(cell):
        raise DataError(f"{error}; numbers are written with a point, and without thousands marks")
    raise error
