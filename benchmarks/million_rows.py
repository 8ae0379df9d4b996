"""A table of a million rows and 50 columns: time and memory of loading it, and of one epoch.

    python -m benchmarks.million_rows [--csv] [--rounds 3] [--rows 1000000]

Everybody works in a process of its own and imports its libraries before the clock starts.  Memory
is the process's peak (``ru_maxrss``) less that of a process that imports the same and ends.  This
process imports nothing large itself: a child's peak begins with its parent's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine

SAMPLE = 50_000
"""Rows that row-wise Python reads; its time and memory are scaled up."""
TITLES = {
    "ours-load": "nnintro, load",
    "ours-epoch": "nnintro, load and an epoch",
    "torch-load": "pandas to tensors, load",
    "torch-epoch": "pandas and torch's DataLoader, load and an epoch",
    "sklearn-load": "pandas and scikit-learn's scaler, load",
    "sklearn-epoch": "pandas and scikit-learn, load and an epoch",
    "rows-load": "Python, row by row",
}
THREADS = 2


def child(job: str, *arguments: str) -> dict[str, Any]:
    """What a job of ``benchmarks.million_rows_jobs`` in a process of its own prints."""
    command = [sys.executable, "-m", "benchmarks.million_rows_jobs", job, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(job: str, file: Path, rounds: int, scale: float = 1.0) -> tuple[float, float]:
    """Seconds and bytes, medians of so many processes."""
    taken = []
    for round_ in range(rounds):
        print(f"{TITLES[job]}, {file.suffix[1:]}, round {round_ + 1}", file=sys.stderr)
        taken.append(child(job, str(file)))
    nothing = child(job, "")["peak"]
    peak = median(found["peak"] for found in taken) - nothing
    return median(found["seconds"] for found in taken) * scale, peak * scale


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million_rows")
    parser.add_argument("--csv", action="store_true", help="read the table as CSV too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    machine.limit_threads(THREADS)
    load, scale = machine.load(), options.rows / min(options.rows, SAMPLE)
    found: dict[tuple[str, str], tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("writing", file=sys.stderr)
        sizes = str(options.rows), str(min(options.rows, SAMPLE))
        child("write", str(folder), *sizes, *["csv"] * options.csv)
        for job in TITLES:
            if job == "rows-load":
                found["csv", job] = measured(job, folder / "sample.csv", options.rounds, scale)
                continue
            for suffix in ("parquet", *["csv"] * options.csv):
                file = folder / f"table.{suffix}"
                found[suffix, job] = measured(job, file, options.rounds)
    print(report(found, options.rows))
    facts = ", ".join(f"{name} {value}" for name, value in machine.describe().items())
    print(f"\nMeasured on: {facts}, threads {THREADS}, load before {load}.")


def report(found: dict[tuple[str, str], tuple[float, float]], rows: int) -> str:
    """(file type, job) -> seconds and bytes, as Markdown."""
    from benchmarks.table import markdown  # loads torch

    numbers = rows * 50 * 8
    slow = found["csv", "rows-load"][0]
    lines = []
    for (suffix, job), (seconds, peak) in found.items():
        title = TITLES[job] + (f" (of {SAMPLE:,} rows, scaled)" if job == "rows-load" else "")
        faster = f"{slow / seconds:.0f}" if job.endswith("load") else ""
        memory = [f"{peak / 1e6:,.0f} MB", f"{peak / numbers:.2f}"]
        lines.append([title, suffix, f"{seconds:.1f} s", *memory, faster])
    lines.sort(key=lambda line: (line[0].endswith("epoch"), line[1] != "parquet"))
    header = ["", "file", "seconds", "peak memory", "over the numbers' own", "x row by row"]
    return markdown(header, lines)


if __name__ == "__main__":
    main()
