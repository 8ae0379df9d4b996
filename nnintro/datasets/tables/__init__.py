"""dataset kind ``table``: CSV, TSV, Parquet and .npz."""

from nnintro.datasets.tables.build import build_table
from nnintro.datasets.tables.encoding import Encoding
from nnintro.datasets.tables.stream import Block, encoded_blocks, encoded_columns, joined

__all__ = [
    "Block",
    "Encoding",
    "build_table",
    "encoded_blocks",
    "encoded_columns",
    "joined",
]
