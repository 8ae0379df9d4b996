"""``python -m benchmarks.large_files``: whole commands on wide tables, many rows and a large image.

    python -m benchmarks.large_files [--quick] [--works wide-20000 ...] [--rounds 3]

Everything is a command as a user types it, in a process of its own: its wall seconds and its peak
memory (``ru_maxrss``), all libraries included.  Beside the tables stands what Python's csv module takes to
read the same file into floats.  ``--quick`` takes smaller files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import machine

THREADS = 2
ROWS_OF_WIDE = 100
READ_ROWS = (
    "import csv, sys; lines = csv.reader(open(sys.argv[1], newline='')); next(lines); "
    "rows = [[float(cell) for cell in row] for row in lines]"
)
"""Python, row by row."""


@dataclass(frozen=True)
class Work:
    """Files of some size, and the commands that are timed on them, by their names."""

    title: str
    write: Callable[[Path], dict[str, list[str]]]


def wide(columns: int) -> Work:
    """A hundred rows of so many numbers: train, evaluate, predict."""

    def write(folder: Path) -> dict[str, list[str]]:
        import numpy as np

        random = np.random.default_rng(0)
        x = random.normal(size=(ROWS_OF_WIDE, columns)).round(4)
        names = ",".join(f"gene{index}" for index in range(columns))
        file = folder / "wide.csv"
        np.savetxt(file, np.column_stack([x, x[:, 0] + x[:, 1]]), "%.4f", ",", header=f"{names},y", comments="")
        run = _config(folder, {"kind": "table", "path": "wide.csv", "target": "y"}, {"kind": "mlp", "hidden": [32]}, 20)
        return {
            "train": [*_nnintro("train"), str(folder / "config.yaml"), "--runs-dir", str(folder)],
            "evaluate": [*_nnintro("evaluate"), run, "--dataset", str(file)],
            "predict": [*_nnintro("predict"), run, str(file), "--output", str(folder / "out.csv")],
            "Python reads its rows": [sys.executable, "-c", READ_ROWS, str(file)],
        }

    return Work(f"CSV, {ROWS_OF_WIDE} x {columns:,}", write)


def long(rows: int) -> Work:
    """So many rows of ten numbers: predict."""

    def write(folder: Path) -> dict[str, list[str]]:
        import numpy as np
        import pyarrow as pa
        import pyarrow.csv

        random = np.random.default_rng(0)
        table = pa.table({f"x{index}": random.normal(size=rows).round(6) for index in range(10)})
        pyarrow.csv.write_csv(table, folder / "new.csv")
        pyarrow.csv.write_csv(table.slice(0, 1000).append_column("y", table["x0"].slice(0, 1000)), folder / "train.csv")
        run = _config(folder, {"kind": "table", "path": "train.csv", "target": "y"}, {"kind": "mlp", "hidden": [32]}, 2)
        _train(folder)
        file = str(folder / "new.csv")
        return {
            "predict": [*_nnintro("predict"), run, file, "--output", str(folder / "out.csv")],
            "Python reads its rows": [sys.executable, "-c", READ_ROWS, file],
        }

    return Work(f"CSV, {rows:,} x 10", write)


def image(side: int) -> Work:
    """A gray image of so many pixels a side: predict."""

    def write(folder: Path) -> dict[str, list[str]]:
        import numpy as np
        from PIL import Image

        random = np.random.default_rng(0)
        for name in ("images", "masks"):
            (folder / "cells" / name).mkdir(parents=True)
        for number in range(4):
            pixels = random.integers(0, 256, (64, 64), np.uint8)
            Image.fromarray(pixels).save(folder / f"cells/images/{number}.png")
            Image.fromarray((pixels > 127).astype(np.uint8)).save(folder / f"cells/masks/{number}.png")
        Image.fromarray(random.integers(0, 256, (side, side), np.uint8)).save(folder / "large.png", compress_level=1)
        unet = {"kind": "unet", "channels": [16, 32, 64]}
        run = _config(folder, {"kind": "images", "path": "cells"}, unet, 1)
        _train(folder)
        return {"predict": [*_nnintro("predict"), run, str(folder / "large.png"), "--output", str(folder / "found")]}

    return Work(f"image, {side:,} x {side:,}, gray, channels 16, 32, 64", write)


WORKS = {
    "wide-20000": (wide(20_000), wide(2_000)),
    "wide-60000": (wide(60_000), wide(6_000)),
    "long": (long(1_000_000), long(50_000)),
    "image": (image(8_000), image(2_500)),
}
"""Name -> the work, and a quick one like it."""


def _nnintro(command: str) -> list[str]:
    return [sys.executable, "-m", "nnintro", command]


def _config(folder: Path, dataset: dict[str, object], model: dict[str, object], epochs: int) -> str:
    """Write a config (JSON is YAML); the folder of its run."""
    sections = {
        "name": "run", "device": "cpu", "dataset": dataset, "model": model, "training": {"epochs": epochs},
        "descent": {"optimizer": "adam", "learning_rate": 0.001},
    }  # fmt: skip
    (folder / "config.yaml").write_text(json.dumps(sections), encoding="utf-8")
    return str(folder / "run")


def _train(folder: Path) -> None:
    timed([*_nnintro("train"), str(folder / "config.yaml"), "--runs-dir", str(folder)])


def timed(command: list[str]) -> tuple[float, float]:
    """Wall seconds and bytes of a command.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said.read().decode()}")
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measured(work: Work, rounds: int) -> dict[str, tuple[float, float]]:
    """Command -> seconds and bytes, medians of so many processes."""
    with tempfile.TemporaryDirectory() as name:
        print(f"{work.title}: writing", file=sys.stderr)
        found = {}
        for command, words in work.write(Path(name)).items():
            print(f"{work.title}: {command}", file=sys.stderr)
            taken = [timed(words) for _ in range(rounds)]
            found[command] = median(seconds for seconds, _ in taken), median(peak for _, peak in taken)
        return found


def report(found: dict[str, dict[str, tuple[float, float]]]) -> str:
    """Title of a work -> its commands -> seconds and bytes, as Markdown."""
    from benchmarks.table import markdown  # loads torch

    lines = [
        [title, command, f"{seconds:.1f} s", f"{peak / 1e6:,.0f} MB"]
        for title, commands in found.items()
        for command, (seconds, peak) in commands.items()
    ]
    return markdown(["file", "command", "seconds", "peak memory"], lines)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_files")
    parser.add_argument("--quick", action="store_true", help="smaller files")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(words)
    machine.limit_threads(THREADS)
    load = machine.load()
    works = [WORKS[name][options.quick] for name in options.works]
    print(report({work.title: measured(work, options.rounds) for work in works}))
    facts = ", ".join(f"{name} {value}" for name, value in machine.describe().items())
    print(f"\nMeasured on: {facts}, threads {THREADS}, load before {load}.")


if __name__ == "__main__":
    main()
