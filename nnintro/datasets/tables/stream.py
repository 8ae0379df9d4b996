"""A stranger's table in blocks of rows, encoded as the training's table was: constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnintro.datasets.tables.categories import plain_words
from nnintro.datasets.tables.cells import EXPECTED, Array
from nnintro.datasets.tables.columns import Window
from nnintro.datasets.tables.encode import chunked, finite_numbers
from nnintro.datasets.tables.encoding import Encoding
from nnintro.datasets.tables.files.places import Places, no_column
from nnintro.datasets.tables.files.source import open_stream
from nnintro.errors import DataError
from nnintro.wording import quoted, shown_key

if TYPE_CHECKING:
    import pyarrow as pa

CELLS = 1 << 20
"""Features in a block: what is in memory does not depend on the length of a file."""


@dataclass(frozen=True)
class Block:
    """Some consecutive rows of a table."""

    columns: pa.RecordBatch
    """All columns of the file; of a text file as they were written."""
    inputs: Array
    """(n, features), raw: of the last n rows.  With a window the first rows of a file have none."""
    targets: Array | None
    """As ``Encoding.encode_targets`` has them, of all rows, where they were asked for."""
    places: Places
    """Where the block's rows stand in the file."""

    def texts(self) -> list[list[str]]:
        """Column by column, the text of every cell."""
        return [
            self._texts(name, column)
            for name, column in zip(self.columns.schema.names, self.columns.columns, strict=True)
        ]

    def values(self) -> list[list[Any]]:
        """Column by column: numbers, truth values and texts as they are, whatever else there is as
        text; None where nothing stands."""
        names = self.columns.schema.names
        return [self._values(*of) for of in zip(names, self.columns.columns, strict=True)]

    def _values(self, name: str, column: pa.Array) -> list[Any]:
        from pyarrow import types

        if types.is_dictionary(column.type):
            column = column.dictionary_decode()
        kind = column.type
        plain = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
        texts = self._texts(name, column)  # which refuses what is not text
        if plain or types.is_string(kind) or types.is_large_string(kind):
            found: list[Any] = column.to_pylist()
            return found
        there = column.is_valid().to_pylist()
        return [text if valid else None for text, valid in zip(texts, there, strict=True)]

    def _texts(self, name: str, column: pa.Array) -> list[str]:
        import pyarrow as pa

        try:
            return _texts(column)
        except (pa.ArrowException, ValueError, OverflowError) as error:
            message = f"cells of type {shown_key(str(column.type))} cannot be written as text"
            raise DataError(f"{self.places.name}: column {quoted(name)}: {message}") from error


def _texts(column: pa.Array) -> list[str]:
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not _has_text(column.type):
        return ["" if value is None else str(value) for value in column.to_pylist()]
    if types.is_floating(column.type):
        return plain_words(column)
    return ["" if cell is None else cell for cell in column.cast("string").to_pylist()]


def _has_text(kind: pa.DataType) -> bool:
    """Whether pyarrow can write it as text; bytes, which it takes for text, are shown as bytes."""
    from pyarrow import types

    return not (
        types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind)
        or types.is_binary_view(kind) or types.is_fixed_size_binary(kind)
    )  # fmt: skip


def encoded_blocks(
    source: str,
    encoding: Encoding,
    *,
    with_targets: bool = False,
    text_encoding: str = "utf-8",
    delimiter: str | None = None,
    dtype: type[np.floating[Any]] = np.float64,
    block_rows: int | None = None,
) -> Iterator[Block]:
    """The rows of a file, or of CSV on stdin for ``-``, once, from the first to the last.

    Raises:
        ConfigError: there is no such text encoding.
        DataError: the file cannot be read or lacks a column; a cell cannot be used; with a window,
            the rows are not in the order of time or too few.  The blocks before it were good.
    """
    needed = [*encoding.input_columns, *(encoding.target_names if with_targets else [])]
    table = open_stream(source, text_encoding, delimiter, needed)
    for name in needed:
        if name not in table.names:
            raise DataError(f"{table.place}: {no_column(name, table.names, table.name)}")
    rows = block_rows or max(1, CELLS // max(encoding.features, len(table.names)))
    order = _Order(encoding.window)
    history = np.zeros((0, len(encoding.row_features)), dtype)
    count = 0
    for batch, places in table.blocks(rows):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        inputs = encoding.encode(columns, places, dtype)
        if encoding.window is not None:
            order.check(columns, places)
            together = np.concatenate([history, inputs])
            inputs = encoding.windows(together)
            history = together[max(0, len(together) - encoding.window.rows + 1) :]
        targets = encoding.encode_targets(columns, places) if with_targets else None
        yield Block(batch, inputs, targets, places)
        count += batch.num_rows
    if encoding.window is not None and count < encoding.window.rows:
        wanted = f"expected {encoding.window.rows:,} rows or more for a window"
        raise DataError(f"{table.name}: {wanted}, got {count:,}")


class _Order:
    """Checks that a series goes on in the order of time, from block to block."""

    def __init__(self, window: Window | None) -> None:
        self._column = None if window is None else window.order
        self._last = -np.inf

    def check(self, columns: dict[str, Any], places: Places) -> None:

        column = self._column
        if column is None:
            return
        cells = chunked(columns[column.name])
        times = finite_numbers(cells, column.name, column.reading, places)
        absent = np.isnan(times)
        if absent.any():
            wanted = EXPECTED[column.reading]
            raise places.refusal(int(absent.argmax()), column.name, wanted, None)
        before = np.concatenate([[self._last], times[:-1]])
        if (times <= before).any():
            row = int((times <= before).argmax())
            got = str(columns[column.name][row])
            error = places.refusal(row, column.name, "a time later than the row before has", got)
            raise DataError(f"{error}; sort the rows by it, one for each time")
        self._last = float(times[-1])


def encoded_columns(columns: Any, encoding: Encoding) -> Array:
    """Columns in memory -> (n, features), raw.

    Args:
        columns: name -> values: a mapping, a pandas DataFrame, a pyarrow table.

    Raises:
        DataError: a column is missing or of another length, or a cell cannot be used.
    """
    wanted = {name: _column(columns, name) for name in encoding.input_columns}
    lengths = {name: len(values) for name, values in wanted.items()}
    if len(set(lengths.values())) > 1:
        message = ", ".join(f"{quoted(name)} has {count}" for name, count in lengths.items())
        raise DataError(f"inputs: expected columns of one length; {message}")
    places = Places("inputs", lambda row: f"inputs, row {row}")
    _Order(encoding.window).check(wanted, places)
    rows = encoding.encode(wanted, places)
    return rows if encoding.window is None else encoding.windows(rows)


def _column(columns: Any, name: str) -> Any:
    import pyarrow as pa

    there = list(getattr(columns, "column_names", columns))
    if there.count(name) > 1:
        raise DataError(f"inputs: column {quoted(name)} is there more than once")
    try:
        values = columns[name]
    except KeyError:
        raise DataError(f"inputs: {no_column(name, there, 'the inputs')}") from None
    wanted = f"inputs: column {quoted(name)}: expected numbers or texts, got"
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        try:
            if hasattr(values, "detach"):  # a tensor
                values = values.detach().cpu().numpy()
            values = pa.array(values, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{wanted} {str(error).splitlines()[0]}") from error
    if pa.types.is_nested(values.type):
        raise DataError(f"{wanted} {values.type}")
    return values


def encoded_samples(path: str, encoding: Encoding, **options: Any) -> tuple[Array, Array]:
    """All of a file's samples with their targets: inputs (n, features) raw, and targets.

    Raises:
        ConfigError, DataError: see ``encoded_blocks``.
    """
    return joined(encoded_blocks(path, encoding, with_targets=True, **options), encoding)


def joined(some: Iterable[Block], encoding: Encoding) -> tuple[Array, Array]:
    """Blocks with targets as one: inputs (n, features) raw, and targets.

    Raises:
        DataError: no row of a series is a sample.
    """
    blocks = list(some)
    inputs = np.concatenate([block.inputs for block in blocks])
    targets = np.concatenate([block.targets for block in blocks if block.targets is not None])
    if encoding.window is not None:
        ahead = encoding.window.horizon
        inputs, targets = inputs[:-ahead], targets[encoding.window.rows - 1 + ahead :]
        if not len(inputs):
            name = blocks[0].places.name
            raise DataError(f"{name}: no row has both a window before it and a target ahead of it")
    return inputs, targets
