"""How predictions are written: by the name of a format, or the suffix of a file."""

from __future__ import annotations

from pathlib import Path

from nnintro.config.wording import choice
from nnintro.errors import UsageError

FORMATS = ["csv", "npy", "jsonl"]
SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".npy": "npy", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def chosen_format(name: str | None, output: Path | None) -> str:
    """csv, tsv, npy or jsonl: ``--format`` if it is given, else by the suffix of ``--output``.

    Raises:
        UsageError: neither tells a format, or an array is to go to stdout.
    """
    if name is not None and name not in FORMATS:
        raise UsageError(f"--format: {choice(name, FORMATS)}")
    found = name or ("csv" if output is None else SUFFIXES.get(output.suffix.lower()))
    if found is None:
        known = ", ".join(SUFFIXES)
        raise UsageError(f"--output {output}: no format has this suffix ({known}); add --format")
    if found == "npy" and output is None:
        raise UsageError("--format npy needs --output: an array is no text for stdout")
    return found
