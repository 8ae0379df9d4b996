"""Open a file of rows and named columns, whatever its format."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from nnintro.datasets.tables.files.csv import CsvTable
from nnintro.datasets.tables.files.npz import ArraysTable
from nnintro.datasets.tables.files.parquet import ParquetTable
from nnintro.datasets.tables.files.places import Places, require_readable, shown_path
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
    unnamed: list[str]
    """Those of columns to which the file gives none: ``column 3``, or what pandas calls an index."""
    rows: int
    """Known once it is loaded."""
    places: Places

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
    encoding: str = "utf-8",
    delimiter: str | None = None,
    wanted: Sequence[str] = (),
    memory: float = math.inf,
) -> Table:
    """Open a .csv, .tsv (also .gz), .parquet or .npz, or CSV on stdin for ``-``, and read its columns' names.

    Args:
        path: of stdin there is no more than ``blocks``.
        wanted: columns that are needed; they help to see the delimiter.
        memory: MiB that ``load`` may take (``dataset.memory``).

    Raises:
        ConfigError: there is no such encoding (``dataset.encoding``).
        DataError: the file cannot be read, or is not a table.
    """
    if path != STDIN:
        require_readable(path)
    lower = path.lower()
    if path == STDIN or lower.endswith(TEXT):
        return CsvTable(TextFile(path, python_name(encoding)), delimiter, wanted, memory=memory)
    if lower.endswith(".parquet"):
        return ParquetTable(path, memory)
    if lower.endswith(".npz"):
        return ArraysTable(path, memory)
    raise DataError(f"{shown_path(path)}: expected a file that ends in .csv, .tsv, .csv.gz, .parquet or .npz")


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
