"""What a section's policies make of its input columns: which rows lack a value, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns import Category, Number, Words
from nnintro.datasets.tables.encode import finite_numbers
from nnintro.datasets.tables.files.source import Table
from nnintro.datasets.tables.fill import MISSING, UNSEEN, Prepared, constant
from nnintro.datasets.tables.hashing import sentences
from nnintro.datasets.tables.roles import Roles, kind_of
from nnintro.errors import DataError
from nnintro.wording import quoted


def prepare(
    dataset: TableDataset, roles: Roles, table: Table
) -> tuple[list[Prepared], Array | None]:
    """The input columns as the whole file has them; with ``missing: drop`` which rows lack a value.

    Raises:
        DataError: a column cannot be used.
    """
    prepared = [_prepared(name, dataset, table) for name in roles.inputs]
    if dataset.missing != "drop":
        return prepared, None
    absent = np.zeros(table.rows, bool)
    for item in prepared:
        absent |= _absent(item, table)
    return prepared, absent


def learned(
    prepared: Sequence[Prepared], training: Array, dataset: TableDataset, table: Table
) -> list[Prepared]:
    """The same columns with what the training rows have: categories, and marks of missing values.

    What no training row has would have weights that nothing has trained.

    Raises:
        DataError: a column says nothing.
    """
    return [_learned(item, training, dataset, table) for item in prepared]


def _prepared(name: str, dataset: TableDataset, table: Table) -> Prepared:
    kind = kind_of(name, dataset, table)
    if kind.kind == "number":
        return Prepared(Number(name, kind.reading))
    if kind.kind == "words":
        return Prepared(Words(name, dataset.text_features))
    assert kind.coded is not None
    return Prepared(Category(name, tuple(kind.coded.values)), kind.coded.codes)


def _learned(item: Prepared, training: Array, dataset: TableDataset, table: Table) -> Prepared:
    column = item.column
    if isinstance(column, Category):
        assert item.codes is not None
        return _of_categories(column, item.codes, training, dataset, table)
    if isinstance(column, Number) and dataset.missing == "indicator":
        flagged = bool(_absent(item, table)[training].any())
        return replace(item, column=replace(column, flagged=flagged))
    return item


def _of_categories(
    column: Category, codes: Array, training: Array, dataset: TableDataset, table: Table
) -> Prepared:
    marks = dataset.missing in ("mean", "indicator")
    if len(column.values) + (marks and bool((codes < 0).any())) < 2:
        raise constant(column.name, quoted(column.values[0]), table)
    seen = codes[training]
    missing = marks and bool((seen < 0).any())
    known = np.bincount(seen[seen >= 0], minlength=len(column.values)) > 0
    if missing and not known.any():
        message = f"column {quoted(column.name)} has no value in the training part"
        raise DataError(f"{table.name}: {message}; name it in exclude")
    values = tuple(np.array(column.values, object)[known].tolist())
    new = np.append(np.where(known, np.cumsum(known) - 1, UNSEEN), MISSING).astype(np.int32)
    return Prepared(Category(column.name, values, missing), new[codes])


def _absent(item: Prepared, table: Table) -> Array:
    """(rows,) truth values: the column has no value there."""
    column = item.column
    if isinstance(column, Category):
        assert item.codes is not None
        return np.less(item.codes, 0)
    cells = table.column(column.name)
    if isinstance(column, Number):
        return np.isnan(finite_numbers(cells, column.name, column.reading, table.places))
    return np.array([cell is None for cell in sentences(cells)], bool)
