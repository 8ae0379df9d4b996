"""Take a Parquet column of lists of one length as several columns: ``emb[0]``, ``emb[1]``, ..."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnintro.datasets.tables.files.places import Places
from nnintro.errors import DataError
from nnintro.wording import quoted

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet

ROWS = 1024
"""That are read at a time to find the first list."""


@dataclass(frozen=True)
class Element:
    """One of the columns that a column of lists becomes."""

    source: str
    """The column of lists."""
    index: tuple[int, ...]
    """Of the element in a list, from 0; one number for each level of lists in lists."""
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        return indexed(self.source, self.index)


def indexed(name: str, index: tuple[int, ...]) -> str:
    """``x_train[3,5]``."""
    return f"{name}[{','.join(map(str, index))}]"


def is_list(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def element_type(kind: pa.DataType) -> pa.DataType:
    """Of what stands in lists, or in lists of lists."""
    while is_list(kind):
        kind = kind.value_type
    return kind


def elements(file: pyarrow.parquet.ParquetFile, name: str) -> list[Element]:
    """The columns that a column of lists becomes, as its first list has them; none where it has no list."""
    shape = next(_shapes(file, name), ())
    if not shape or any(length == 0 for length in shape):
        return []
    return [Element(name, index, shape) for index in itertools.product(*map(range, shape))]


def _shapes(file: pyarrow.parquet.ParquetFile, name: str) -> Iterator[tuple[int, ...]]:
    for batch in file.iter_batches(ROWS, columns=[name]):
        for value in batch.column(0).drop_null()[:1].to_pylist():
            yield _shape(value)


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        return ()
    return (len(value), *(_shape(value[0]) if value else ()))


def require_shape(cells: Any, element: Element, places: Places) -> None:
    """Raise DataError of the first list that has another length than the first one of its column."""
    import pyarrow.compute as pc

    for depth, length in enumerate(element.shape):
        other = pc.fill_null(pc.not_equal(pc.list_value_length(cells), length), False)
        if pc.any(other).as_py():
            row = other.index(True).as_py()
            got = pc.list_value_length(cells)[row].as_py()
            place = f"{places.at(row)}: " if depth == 0 else f"{places.name}: "
            column = f"column {quoted(element.source)}"
            raise DataError(
                f"{place}{column}: expected lists of {length:,} as the first, got {got:,}; name it in exclude"
            )
        cells = pc.list_flatten(cells)


def element_of(cells: Any, element: Element) -> Any:
    """One element of every list, null where there is no list."""
    import pyarrow.compute as pc

    for index in element.index:
        cells = pc.list_element(cells, index)
    return cells
