"""A file of inputs, or of samples, opened as a table."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from nnintro.errors import DataError
from nnintro.predict.arrays import ArrayTable
from nnintro.predict.block import Table
from nnintro.predict.feed import cannot_be_read
from nnintro.predict.text import TextTable

SUFFIXES = (".csv", ".tsv", ".npy")

STDIN = "-"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes.

    Raises:
        DataError: it cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise cannot_be_read(str(path), error) from error
    with file:
        yield file


@contextlib.contextmanager
def open_table(source: str, wanted: Sequence[str], dtype: np.dtype[Any]) -> Iterator[Table]:
    """Open a .csv, .tsv or .npy, or CSV on stdin for ``-``.

    Args:
        wanted: names of the columns to be read as numbers.
        dtype: of the run; the numbers have to be finite in it.

    Raises:
        DataError: it cannot be read, or is no table of these columns.
    """
    if source == STDIN:
        yield TextTable(_stdin(), "<stdin>", wanted, dtype)
        return
    path = Path(source)
    with opened(path) as file:
        yield _table(file, path, wanted, dtype)


def _table(
    file: IO[bytes], path: Path, wanted: Sequence[str], dtype: np.dtype[Any]
) -> TextTable | ArrayTable:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise unknown_suffix(path, ".csv, .tsv or .npy, or - for CSV on stdin")
    if suffix == ".npy":
        return ArrayTable(file, os.fstat(file.fileno()).st_size, str(path), wanted, dtype)
    return TextTable(file, str(path), wanted, dtype, "\t" if suffix == ".tsv" else None)


def unknown_suffix(path: Path, expected: str) -> DataError:
    return DataError(f"{path}: expected a file that ends in {expected}")


def _stdin() -> IO[bytes]:
    if sys.stdin is None:
        raise DataError("<stdin>: is closed")
    return sys.stdin.buffer
