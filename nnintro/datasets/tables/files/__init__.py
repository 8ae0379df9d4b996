"""Open a file of rows and named columns, whatever its format."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from nnintro.config.datasets.text_keys import NOTHING_SAID, TextKeys
from nnintro.datasets.tables.files.csv import CsvTable
from nnintro.datasets.tables.files.kinds import other_kind
from nnintro.datasets.tables.files.npz import ArraysTable
from nnintro.datasets.tables.files.parquet import ParquetTable
from nnintro.datasets.tables.files.places import Places, opened, require_readable, shown_path
from nnintro.datasets.tables.files.text import STDIN, TextFile, python_name
from nnintro.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


TEXT = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
LONGEST_BLOCK = 1 << 23
"""Bytes of text in a full block, more or less: cells may be long."""


class Table(Protocol):
    """An opened file; its columns' names are known and checked."""

    name: str
    """The file, as messages show it."""
    place: str
    """Where its columns' names stand."""
    names: list[str]
    is_in_memory: bool
    """Whether all columns that were loaded are there until they are forgotten."""
    groups: dict[str, list[str]]
    """Arrays of several columns, and columns of lists -> the columns that they become."""
    has_header: bool
    """Whether its columns have names of their own; without, they are known by their places."""
    unnamed: list[str]
    """Those of columns to which the file gives none: ``column 3``, or what pandas calls an index."""
    rows: int
    """Known once it is loaded."""
    places: Places

    def advice(self, name: str) -> str:
        """What may be the reason that there is no column of this name, and what to do; or nothing."""

    def row_advice(self, row: int, cell: str) -> str:
        """What to add where this row, by one of its cells, is a line of another kind; or nothing."""

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:
        """Make these columns ready; those ``as_text`` keep their spelling.

        Raises:
            DataError: they take more memory than the table may.
        """

    def type(self, name: str) -> pa.DataType:
        """Of the cells of a column that was loaded; they need not be read for it."""

    def column(self, name: str) -> pa.ChunkedArray:
        """One of the columns that were loaded."""

    def forget(self, name: str) -> None:
        """The column is not needed again."""

    def blocks(self, block_rows: int) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """All columns, at most ``block_rows`` rows at a time, and their places; needs no ``load``."""


def open_table(
    path: str,
    keys: TextKeys = NOTHING_SAID,
    wanted: Sequence[str] = (),
    memory: float = math.inf,
    *,
    targets: Sequence[str] = (),
    only_whole: bool = False,
) -> Table:
    """Open a table in text, .parquet or .npz, or CSV on stdin for ``-``, and read its columns' names.

    A file of another name, such as .txt or .data, is what its first bytes say.

    Args:
        path: of stdin there is no more than ``blocks``.
        keys: what a config says of text files.
        wanted: columns that are needed; they help to see the delimiter.
        memory: MiB that ``load`` may take (``dataset.memory``).
        targets: columns to predict; of arrays of different lengths they say which are the rows.
        only_whole: whether cells of text with a point are left as text, for it may not be a decimal point.

    Raises:
        ConfigError: there is no such encoding (``dataset.encoding``).
        DataError: the file cannot be read, or is not a table.
    """
    if path != STDIN:
        require_readable(path)
    kind = _kind_of(path)
    if kind == ".parquet":
        return ParquetTable(path, memory, wanted)
    if kind == ".npz":
        return ArraysTable(path, memory, needed=[*wanted, *targets])
    return CsvTable(TextFile(path, python_name(keys.encoding)), keys, wanted, memory=memory, only_whole=only_whole)


def _kind_of(path: str) -> str:
    """.parquet or .npz, as the file's name says or else its first bytes; of text nothing.

    Raises:
        DataError: neither knows it as one of these.
    """
    lower = path.lower()
    if path == STDIN or lower.endswith(TEXT):
        return ""
    for kind in (".parquet", ".npz"):
        if lower.endswith(kind):
            return kind
    if lower.endswith((".xlsx", ".xls", ".ods")):
        raise DataError(f"{shown_path(path)}: expected text, got a spreadsheet; save the sheet as CSV")
    with opened(path) as file:
        start = file.read(1 << 12)
    if start.startswith(b"PAR1"):
        return ".parquet"
    if start.startswith(b"PK\x03\x04") and b".npy" in start:
        return ".npz"
    if other := other_kind(start):
        expected = "expected a table in text (CSV, TSV), .parquet or .npz"
        raise DataError(f"{shown_path(path)}: {expected}, got what looks like {other}")
    return ""


def full_blocks(batches: Iterable[tuple[pa.RecordBatch, Places]], rows: int) -> Iterator[tuple[pa.RecordBatch, Places]]:
    """Join and cut batches so that every block but the last has ``rows`` rows.

    The last bits of a matrix product depend on the number of rows, which must not depend on how
    long the other columns' texts are; but where these would fill memory.
    """
    parts: list[tuple[pa.RecordBatch, Places]] = []
    count = size = 0
    for batch, places in batches:
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, rows - count)
            parts.append((part, places.behind(start)))
            start, count, size = start + part.num_rows, count + part.num_rows, size + part.nbytes
            if count == rows or size > LONGEST_BLOCK:
                yield _joined(parts)
                parts, count, size = [], 0, 0
    if parts:
        yield _joined(parts)


def _joined(parts: list[tuple[pa.RecordBatch, Places]]) -> tuple[pa.RecordBatch, Places]:
    import pyarrow as pa

    if len(parts) == 1:
        return parts[0]
    (whole,) = pa.Table.from_batches([batch for batch, _ in parts]).combine_chunks().to_batches()

    def place(row: int) -> str:
        for batch, places in parts:
            if row < batch.num_rows:
                return places.at(row)
            row -= batch.num_rows
        raise AssertionError(row)

    return whole, Places(parts[0][1].name, place)
