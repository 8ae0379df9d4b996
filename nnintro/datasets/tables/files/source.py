"""A file of rows and named columns, whatever its format."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
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


SUFFIXES = (*TEXT, ".parquet", ".npz")


class Table(Protocol):
    """An opened file; its columns' names are known and checked."""

    name: str
    """The file, as messages show it."""
    place: str
    """Where its columns' names stand."""
    names: list[str]
    rows: int
    """Known once it is loaded."""
    places: Places

    def load(self, names: Sequence[str], as_text: Collection[str]) -> None:
        """Make these columns ready; those ``as_text`` keep their spelling."""

    def column(self, name: str) -> pa.ChunkedArray:
        """One of the columns that were loaded."""

    def forget(self, name: str) -> None:
        """The column is not needed again."""

    def blocks(self, block_rows: int) -> Iterator[tuple[pa.RecordBatch, Places]]:
        """All columns, at most so many rows at a time, and where these stand; needs no ``load``."""


def open_table(
    path: str,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    wanted: Sequence[str] = (),
) -> Table:
    """Open a .csv, .tsv (also .gz), .parquet or .npz and read the names of its columns.

    Args:
        wanted: columns that are needed; they help to see the delimiter.

    Raises:
        ConfigError: there is no such encoding (``dataset.encoding``).
        DataError: the file cannot be read, or is no table.
    """
    require_readable(path)
    lower = path.lower()
    if lower.endswith(TEXT):
        return CsvTable(TextFile(path, python_name(encoding)), delimiter, wanted)
    if lower.endswith(".parquet"):
        return ParquetTable(path)
    if lower.endswith(".npz"):
        return ArraysTable(path)
    raise DataError(
        f"{shown_path(path)}: expected a file that ends in .csv, .tsv, .csv.gz, .parquet or .npz"
    )


def open_stream(source: str, encoding: str, delimiter: str | None, wanted: Sequence[str]) -> Table:
    """As ``open_table``, or CSV on stdin for ``-``, of which there is no more than ``blocks``."""
    if source == STDIN:
        return CsvTable(TextFile(STDIN, python_name(encoding)), delimiter, wanted)
    return open_table(source, encoding, delimiter, wanted)
