"""Apply a trained run to other data: predictions and metrics; does not import torch."""

from __future__ import annotations

from pathlib import Path

from nnintro.errors import UsageError
from nnintro.files import chosen_format

FORMATS = {"csv": (".csv",), "tsv": (".tsv",), "npy": (".npy",), "jsonl": (".jsonl", ".ndjson")}
"""Format of predictions -> its suffixes, the usual one first."""


def format_of(name: str | None, output: Path | None) -> str:
    """The format of predictions: named, by the output's suffix, or csv where nothing says another.

    Raises:
        UsageError: as ``files.chosen_format`` does, or for an array on stdout.
    """
    if name is None and output is None:
        return "csv"
    chosen = chosen_format(name, output, FORMATS)
    if chosen == "npy" and output is None:
        raise UsageError("--format npy needs --output: an array cannot go to stdout")
    return chosen
