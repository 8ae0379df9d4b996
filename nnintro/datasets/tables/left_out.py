"""Leave out the columns that nothing can be learned from, and say which."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnintro.config.datasets.table import TableDataset
from nnintro.datasets.tables.cells import Array
from nnintro.datasets.tables.columns import recognized
from nnintro.datasets.tables.columns.category import ManyTextsError
from nnintro.datasets.tables.columns.column import Column, FileColumn, UselessColumnError
from nnintro.datasets.tables.files import Table
from nnintro.datasets.tables.files.parquet import INDEX
from nnintro.errors import DataError
from nnintro.wording import MOST_NAMED, counted, listed

Recognized = list[tuple[Column, FileColumn]]


@dataclass
class LeftOut:
    """The inputs of a table that are left out, one after the other."""

    table: Table
    reasons: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def unless_useless(self) -> Iterator[None]:
        """Do this for a column; where it turns out to be useless, leave the column out instead."""
        try:
            yield
        except UselessColumnError as error:
            self.reasons.append(error.why)

    def recognized(self, sources: Sequence[FileColumn]) -> Recognized:
        """The other columns, each as its kind has it.

        Raises:
            DataError: one cannot be used.
        """
        columns: Recognized = []
        many: list[ManyTextsError] = []
        for source in sources:
            with self.unless_useless():
                _require_name(source)
                try:
                    columns.append((recognized(source), source))
                except ManyTextsError as error:
                    many.append(error)
        if many:
            raise _of_all(many, sources[0].dataset)
        return columns

    def with_gaps(self, columns: Recognized) -> tuple[Recognized, Array | None]:
        """The columns that have values, and (rows,) whether one of them lacks its value."""
        absent, kept = None, []
        for column, source in columns:
            values = column.read_file(source)
            gaps, rows = column.absent(values), np.arange(len(values))
            with self.unless_useless():
                # No row is dropped for what a constant column lacks.
                column.learn_features(source, rows).learn_values(source, values, rows)
                if gaps.all():
                    raise source.useless("has no value in any row")
                absent = gaps if absent is None else absent | gaps
                kept.append((column, source))
        return kept, absent

    def require_others(self, columns: Sequence[object]) -> None:
        """Raise DataError where no column is left."""
        if not columns:
            raise DataError(f"{self.table.name}: no column is left to predict from: {self._listed()}")

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence, or none."""
        if not self.reasons:
            return ()
        count = counted(len(self.reasons), "column")
        return (f"{self.table.name}: {count} left out, from which nothing can be learned: {self._listed()}",)

    def _listed(self) -> str:
        more = len(self.reasons) - MOST_NAMED
        return ", ".join(self.reasons[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _of_all(many: Sequence[ManyTextsError], dataset: TableDataset) -> DataError:
    """One error for all columns of texts that are not categories, with the key that leaves them out."""
    if dataset.inputs is not None:
        return many[0]
    names = [error.column for error in many]
    also = f"; nor are those of {listed(names[1:])}" if len(many) > 1 else ""
    verb, keys = "set" if dataset.exclude else "add", ", ".join(map(repr, [*dataset.exclude, *names]))
    it = "it" if len(many) == 1 else "them"
    others = f"name {it} in text, or (to take each as one) in categorical"
    return DataError(f"{many[0].message}{also}; {verb} exclude: [{keys}], or {others}")


def _require_name(source: FileColumn) -> None:
    """Raise DataError of a column without a name that the section does not ask for; usually it is not an input."""
    import pyarrow.compute as pc
    from pyarrow import types

    dataset, table, name = source.dataset, source.table, source.name
    if name not in table.unnamed or name in (*(dataset.inputs or []), *dataset.categorical, *dataset.text):
        return
    if INDEX.fullmatch(name):
        raise source.useless("is the index that pandas wrote")
    cells = source.cells
    if cells.null_count == len(cells):
        raise source.useless("has no name and no value")
    is_label = source.is_text or types.is_integer(source.type)
    if name == table.names[0] and is_label and pc.count_distinct(cells, mode="all").as_py() == len(cells):
        raise source.useless("has no name and another value in each row")
    raise _nameless(source)


def _nameless(source: FileColumn) -> DataError:
    """What to raise of this column, and of the others that have values and no name."""
    table, excluded = source.table, source.dataset.exclude
    numbers = [table.names.index(name) + 1 for name in table.unnamed if name not in excluded]
    several = len(numbers) > 1
    more = f" and {len(numbers) - MOST_NAMED:,} more" if len(numbers) > MOST_NAMED else ""
    columns = f"column{'s' if several else ''} {', '.join(map(str, numbers[:MOST_NAMED]))}{more}"
    told = f"{table.place}: {columns} of {len(table.names)} {'have' if several else 'has'} no name"
    # '' is all of them.
    verb, keys = "set" if excluded else "add", ", ".join(map(repr, [*excluded, ""]))
    return DataError(f"{told}; name {'them' if several else 'it'} there, or {verb} exclude: [{keys}]")
