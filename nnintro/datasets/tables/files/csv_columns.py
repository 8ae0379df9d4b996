"""Make columns of a CSV's pieces, several at a time, in little more memory than the columns themselves take."""

from __future__ import annotations

import contextlib
import itertools
import mmap
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from nnintro.datasets.tables.cells import LARGEST_WHOLE, Array
from nnintro.datasets.tables.files.csv_rows import Piece

if TYPE_CHECKING:
    import pyarrow as pa

Types = dict[str, "pa.DataType"]
Parse = Callable[[Piece, Types], "pa.Table"]
MOST_AT_ONCE = 4
"""Pieces that are parsed at a time; each takes three times its text."""
LARGE = 1 << 20
"""Bytes of a column from which on it has memory of its own, which the system gets back at once."""


class OtherTypesError(Exception):
    """Pieces whose columns are of types that do not go together."""


def joined(pieces: Iterator[Piece], parse: Parse, given: Types, size: int = 0) -> pa.Table:
    """The rows of all pieces as one table; each column has the type that its cells have in all pieces.

    Args:
        parse: makes a table of a piece whose columns have these types, or those that their cells say.
        given: types that are known.
        size: of all pieces' text, more or less, as far as it is known.

    Raises:
        OtherTypesError: a column has cells of one type in one piece and of another in another one.
    """
    import pyarrow as pa

    start = next(pieces)
    first = parse(start, given)
    second = next(pieces, None)
    if second is None:
        return first
    rows = int(1.05 * first.num_rows * size / len(start.text))
    columns = {name: _Column(cells, rows) for name, cells in zip(first.column_names, first.columns, strict=True)}
    del start, first

    def again(piece: Piece, types: Types) -> pa.Table:
        try:
            return parse(piece, types)
        except pa.ArrowInvalid:
            # Numbers that were whole so far may have fractions here.
            return parse(piece, {name: kind for name, kind in types.items() if not pa.types.is_int64(kind)})

    def tasks() -> Iterator[Callable[[], pa.Table]]:
        for piece in itertools.chain([second], pieces):
            types = {name: column.type for name, column in columns.items() if column.is_known} | given
            yield lambda piece=piece, types=types: again(piece, types)  # type: ignore[misc]

    with contextlib.closing(_in_order(tasks())) as tables:
        for table in tables:
            for name, cells in zip(table.column_names, table.columns, strict=True):
                columns[name].append(cells)
    whole = pa.table({name: column.cells() for name, column in columns.items()})
    pa.default_memory_pool().release_unused()
    return whole


def _in_order(tasks: Iterable[Callable[[], pa.Table]]) -> Generator[pa.Table, None, None]:
    """What the tasks give, in their order, a few of them done at a time."""
    import pyarrow as pa

    workers = max(1, min(MOST_AT_ONCE, pa.cpu_count()))
    waiting: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(workers, "csv") as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(task))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def may_be_odd(column: pa.ChunkedArray, has_odd: bool) -> bool:
    """Whether it is a column of numbers whose cells may say more than the numbers.

    Args:
        has_odd: whether the file has what looks like 0x10 or nan(1).
    """
    import pyarrow.compute as pc
    from pyarrow import types

    if not types.is_floating(column.type):
        return has_odd and bool(types.is_integer(column.type))
    ends = pc.min_max(column).as_py()
    return has_odd or any(end is not None and abs(end) >= LARGEST_WHOLE for end in ends.values())


class _Column:
    """A column that grows: numbers in one array, cells of other types as the parts that they came in."""

    def __init__(self, cells: pa.ChunkedArray, rows: int) -> None:
        self.type = cells.type
        self._rows, self._expected = 0, rows
        self._values = np.empty(0)
        self._parts: list[pa.ChunkedArray] = []
        """Of numbers only whether each is valid, where some are not."""
        self.append(cells)

    @property
    def is_known(self) -> bool:
        import pyarrow as pa

        return not pa.types.is_null(self.type)

    @property
    def _is_number(self) -> bool:
        import pyarrow as pa

        return bool(pa.types.is_int64(self.type) or pa.types.is_float64(self.type))

    def append(self, cells: pa.ChunkedArray) -> None:
        """Put the cells behind those that are there; OtherTypesError where the types do not go together."""
        if cells.type != self.type:
            cells = self._of_one_type(cells)
        if not self._is_number:
            self._parts.append(cells)
            self._rows += len(cells)
            return
        if cells.null_count or self._parts:
            self._note_gaps(cells)
        self._reserve(self._rows + len(cells))
        for chunk in cells.chunks:
            data = np.frombuffer(chunk.buffers()[1], self._values.dtype)[chunk.offset : chunk.offset + len(chunk)]
            self._values[self._rows : self._rows + len(chunk)] = data
            self._rows += len(chunk)

    def _note_gaps(self, cells: pa.ChunkedArray) -> None:
        import pyarrow as pa

        if not self._parts and self._rows:
            self._parts.append(pa.chunked_array([np.ones(self._rows, bool)]))
        self._parts.append(cells.is_valid())

    def _of_one_type(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """The cells in the column's type, which may become theirs."""
        import pyarrow as pa
        from pyarrow import types

        if types.is_null(cells.type) or (types.is_int64(cells.type) and types.is_float64(self.type)):
            return cells.cast(self.type, safe=False)
        if types.is_null(self.type):
            missing, self.type, self._parts = self._rows, cells.type, []
            self._rows = 0
            self.append(pa.chunked_array([pa.nulls(missing, cells.type)]))
        elif types.is_int64(self.type) and types.is_float64(cells.type):
            values = self._values[: self._rows]
            values.view(np.float64)[:] = values
            self._values, self.type = self._values.view(np.float64), cells.type
        else:
            raise OtherTypesError
        return cells

    def _reserve(self, rows: int) -> None:
        """Make the array long enough; what is beyond its last row takes no memory yet."""
        if rows > len(self._values) or self._values.dtype != self.type.to_pandas_dtype():
            values = _room(max(2 * rows, self._expected), np.dtype(self.type.to_pandas_dtype()))
            values[: self._rows] = self._values[: self._rows]
            self._values = values

    def cells(self) -> pa.ChunkedArray:
        import pyarrow as pa

        if not self._is_number:
            return pa.chunked_array([chunk for part in self._parts for chunk in part.chunks], self.type)
        valid = None
        if self._parts:
            (valid,) = pa.concat_arrays([chunk for part in self._parts for chunk in part.chunks]).buffers()[1:]
        buffers = [valid, pa.py_buffer(self._values)]
        return pa.chunked_array([pa.Array.from_buffers(self.type, self._rows, buffers)])


def _room(count: int, dtype: np.dtype[np.number]) -> Array:
    size = count * dtype.itemsize
    if size < LARGE:
        return np.empty(count, dtype)
    # Not shared where a system tells the two apart.
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    memory = mmap.mmap(-1, size, **private)
    if size >= 4 * LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a system without them is slower, and no worse
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype)
