"""Encode a new table exactly as the training's table was, block by block in constant memory."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nnintro.config.datasets.text_keys import NOTHING_SAID, TextKeys
from nnintro.datasets.tables.cells import Array, is_numeral
from nnintro.datasets.tables.columns.coded import coded, plain_words
from nnintro.datasets.tables.encoding import Encoding
from nnintro.datasets.tables.files import full_blocks
from nnintro.datasets.tables.files.places import Places, no_column
from nnintro.datasets.tables.files.text import STDIN
from nnintro.datasets.tables.past import Past
from nnintro.datasets.tables.series import rows_ahead
from nnintro.datasets.tables.skipped import open_like_the_training_file, require_no_row_skipped
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
    """(n, features), raw.  With a window the first rows of a series have none."""
    rows: Array
    """(n,) the rows of the block that the inputs are of, rising."""
    targets: Array | None
    """As ``Encoding.encode_targets`` has them, of all rows, where they were asked for."""
    places: Places
    """Where the block's rows stand in the file."""
    numbers: Collection[str]
    """The columns that training took as numbers."""
    series: Array
    """(rows,) the number of each row's series."""
    unseen: Mapping[str, int]
    """Column -> how many of its categories, up to here, training did not have."""
    dropped: int = 0
    """Rows of the file, up to here, that lack a value and are left out."""

    def row_of(self, sample: int, feature: int, encoding: Encoding) -> int:
        """The row that a feature of a sample comes from; negative where it is of the block before."""
        last = int(self.rows[sample])
        if encoding.window is None:
            return last
        back = encoding.window.rows - 1 - feature // len(encoding.row_features)
        of_series = np.flatnonzero(self.series == self.series[last])
        place = int(np.searchsorted(of_series, last)) - back
        return int(of_series[place]) if place >= 0 else last - back

    def texts(self) -> list[list[str]]:
        """Column by column, the text of every cell."""
        return [self._texts(name) for name in self.columns.schema.names]

    def values(self) -> list[list[Any]]:
        """Column by column, what JSON has for the cells.

        Numbers and truth values are what they are, None where empty or not finite; anything else is
        text.  Text is a number where training took the column as numbers and it is a numeral.
        """
        return [self._values(name) for name in self.columns.schema.names]

    def _values(self, name: str) -> list[Any]:
        from pyarrow import types

        column = _decoded(self.columns.column(name))
        if types.is_floating(column.type):
            return [_finite(value) for value in column.to_pylist()]
        if types.is_integer(column.type) or types.is_boolean(column.type):
            return cast(list[Any], column.to_pylist())
        read = _number_or_text if name in self.numbers else str
        cells = zip(self._texts(name), column.is_valid().to_pylist(), strict=True)
        return [read(text) if valid else None for text, valid in cells]

    def _texts(self, name: str) -> list[str]:
        import pyarrow as pa
        from pyarrow import types

        column = self.columns.column(name)
        try:
            decoded = _decoded(column)
            if not _has_text(decoded.type):
                return ["" if value is None else str(value) for value in decoded.to_pylist()]
            if types.is_floating(decoded.type):
                return plain_words(decoded)
            return ["" if cell is None else cell for cell in decoded.cast("string").to_pylist()]
        except (pa.ArrowException, ValueError, OverflowError) as error:
            reason = f"cells of type {shown_key(str(column.type))} cannot be written as text"
            raise DataError(f"{self.places.name}: column {quoted(name)}: {reason}") from error


def _decoded(column: pa.Array) -> pa.Array:
    from pyarrow import types

    return column.dictionary_decode() if types.is_dictionary(column.type) else column


def _number_or_text(text: str) -> int | float | str | None:
    if re.fullmatch(r"[+-]?\d{1,300}", text, re.ASCII):
        return int(text)
    return _finite(float(text)) if is_numeral(text) else text if text.strip() else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


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
    drop: bool = False,
    keys: TextKeys = NOTHING_SAID,
    block_rows: int | None = None,
) -> Iterator[Block]:
    """The rows of a file, or of CSV on stdin for ``-``, once, from the first to the last.

    Args:
        drop: whether to leave out rows that lack an input or a target.
        keys: what the run's config says of text files.

    Raises:
        ConfigError: there is no such text encoding.
        DataError: the file cannot be read or lacks a column; a cell cannot be used; with a window,
            the rows are not in the order of time or too few.  The blocks before it were good.
    """
    needed = [*encoding.input_columns, *(encoding.target_names if with_targets else [])]
    table = open_like_the_training_file(source, _as_trained(keys, encoding, needed), needed)
    there = frozenset(table.names)  # there may be tens of thousands
    for name in needed:
        if name not in there:
            measured = "; only rows with the target can be measured" if name in encoding.target_names else ""
            raise DataError(f"{table.place}: {no_column(name, table.names, table.name)}{measured}")
    rows = block_rows or max(1, CELLS // max(encoding.features, len(table.names)))
    past, dropped = Past(encoding), 0
    # What somebody sends is answered as it comes.
    blocks = table.blocks(rows) if source == STDIN else full_blocks(table.blocks(rows), rows)
    for batch, places in blocks:
        if drop:
            before = batch.num_rows
            batch, places = _complete(batch, places, encoding)  # noqa: PLW2901
            dropped += before - batch.num_rows
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        encoded = past.samples(columns, places)
        targets = encoding.encode_targets(columns, places) if with_targets else None
        yield Block(
            *(batch, encoded.inputs, encoded.rows, targets, places, encoding.number_columns),
            *(encoded.series, past.unseen, dropped),
        )
    require_no_row_skipped(table, encoding)
    past.require_samples(table.name)


def _complete(batch: pa.RecordBatch, places: Places, encoding: Encoding) -> tuple[pa.RecordBatch, Places]:
    """The rows that lack neither an input nor a target."""
    import pyarrow as pa

    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    gaps = np.zeros(batch.num_rows, bool)
    for column in encoding.columns:
        gaps |= column.absent(column.read(encoding.cells_of(column, columns, places), places))
    for target in encoding.targets:
        gaps |= coded(encoding.known(target.name, columns)).codes < 0
    kept = np.flatnonzero(~gaps)
    return batch.filter(pa.array(~gaps)), Places(places.name, lambda row: places.at(int(kept[row])))


def _as_trained(keys: TextKeys, encoding: Encoding, needed: Collection[str]) -> TextKeys:
    """The columns by their places in the training's file; targets that are not needed may be left out of another."""
    optional = frozenset(encoding.target_names) - frozenset(needed)
    if encoding.positions is None:
        return replace(keys, optional=optional)
    return replace(keys, header=False, names=encoding.positions, optional=optional)


def encoded_columns(columns: Any, encoding: Encoding) -> Array:
    """Columns in memory -> (n, features), raw.

    Args:
        columns: name -> values: a mapping, a pandas DataFrame, a pyarrow table.

    Raises:
        DataError: a column is missing or of another length, or a cell cannot be used.
    """
    needed = {name: _column(columns, name) for name in encoding.input_columns}
    lengths = {name: len(values) for name, values in needed.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{quoted(name)} has {count}" for name, count in lengths.items())
        raise DataError(f"inputs: expected columns of one length; {counts}")
    places = Places("inputs", lambda row: f"inputs, row {row}")
    return Past(encoding).samples(needed, places).inputs


def _column(columns: Any, name: str) -> Any:
    import pyarrow as pa

    there = list(getattr(columns, "column_names", columns))
    if there.count(name) > 1:
        raise DataError(f"inputs: column {quoted(name)} is given more than once")
    try:
        values = columns[name]
    except KeyError:
        raise DataError(f"inputs: {no_column(name, there, 'the inputs')}") from None
    expected = f"inputs: column {quoted(name)}: expected numbers or texts, got"
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        try:
            if hasattr(values, "detach"):  # a tensor
                values = values.detach().cpu().numpy()
            values = pa.array(values, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{expected} {str(error).splitlines()[0]}") from error
    if pa.types.is_nested(values.type):
        raise DataError(f"{expected} {values.type}")
    return values


def joined(
    blocks: Iterable[Block], encoding: Encoding, held: Callable[[Block], Array] = lambda block: block.inputs
) -> tuple[Array, Array]:
    """Blocks with targets as one: inputs (n, features), and targets.

    Args:
        held: what is kept of a block's inputs, by default these, raw.

    Raises:
        DataError: no row is a sample.
    """
    inputs, targets, rows, series, count, name = [], [], [], [], 0, ""
    for block in blocks:  # whose columns are forgotten
        assert block.targets is not None
        inputs.append(held(block))
        targets.append(block.targets)
        rows.append(count + block.rows)
        series.append(block.series)
        count, name = count + block.columns.num_rows, block.places.name
    if not count:
        raise DataError(f"{name}: no row has a value in each column that is used")
    x, y = np.concatenate(inputs), np.concatenate(targets)
    if encoding.window is not None:
        answers = rows_ahead(np.concatenate(series), encoding.window.horizon)[np.concatenate(rows)]
        x, y = x[answers >= 0], y[answers[answers >= 0]]
        if not len(x):
            raise DataError(f"{name}: no row has both a window before it and a target ahead of it")
    return x, y
