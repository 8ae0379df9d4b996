"""What a section's policies make of its input columns: which rows lack a value, and so on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnintro.config.table import TableDataset
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns import Category, Column, Number, Words
from nnintro.datasets.tables.encode import finite_numbers
from nnintro.datasets.tables.fill import Prepared
from nnintro.datasets.tables.hashing import sentences
from nnintro.datasets.tables.roles import Roles, kind_of
from nnintro.datasets.tables.source import Table


def prepare(
    dataset: TableDataset, roles: Roles, table: Table
) -> tuple[list[Prepared], Array | None]:
    """The input columns, but for their means; and with ``missing: drop`` which rows lack a value.

    Raises:
        DataError: a column cannot be used.
    """
    prepared = [_prepared(name, dataset, table) for name in roles.inputs]
    if dataset.missing == "error":
        return prepared, None
    if dataset.missing == "drop":
        absent = np.zeros(table.rows, bool)
        for item in prepared:
            absent |= _absent(item, table)
        return prepared, absent
    return [_marked(item, dataset, table) for item in prepared], None


def _prepared(name: str, dataset: TableDataset, table: Table) -> Prepared:
    kind = kind_of(name, dataset, table)
    if kind.kind == "number":
        return Prepared(Number(name, kind.reading))
    if kind.kind == "words":
        return Prepared(Words(name, dataset.text_features))
    assert kind.coded is not None
    return Prepared(Category(name, tuple(kind.coded.values)), kind.coded.codes)


def _marked(item: Prepared, dataset: TableDataset, table: Table) -> Prepared:
    """With a category, or an input besides, for missing values where the file has some."""
    column: Column = item.column
    if isinstance(column, Category):
        return replace(item, column=replace(column, missing=bool(_absent(item, table).any())))
    if isinstance(column, Number) and dataset.missing == "indicator":
        return replace(item, column=replace(column, flagged=bool(_absent(item, table).any())))
    return item


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
