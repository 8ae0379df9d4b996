"""trials.csv: a line for each trial, written when it has ended; also after kill -9 every line is whole."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from nnintro.config.parse.nodes import scalar
from nnintro.errors import CheckpointError
from nnintro.files import as_csv, read_bytes, write_text
from nnintro.runs.folder import explained
from nnintro.sweeps.trial import Result, Status

NAME, LOOKS = "trials.csv", "looks.csv"
LARGEST = 1 << 33
"""Bytes of trials.csv."""


class Record:
    """The results of a sweep, on the disk.

    Args:
        keys, tags: the columns of values and of metrics.
        looks: whether to keep the objective at each look too (in looks.csv), by which later trials are stopped.
    """

    def __init__(self, folder: Path, keys: Sequence[str], tags: Sequence[str], *, looks: bool) -> None:
        self.path, self._looks_path = folder / NAME, folder / LOOKS if looks else None
        self._keys, self._tags = list(keys), list(tags)
        self.header = ["number", *keys, "objective", *tags, "seed", "status", "seconds"]
        self._lock = threading.Lock()

    def read(self) -> dict[int, Result]:
        """Number -> result, of all trials that have ended; what a killed process left of a line is cut away.

        Raises:
            CheckpointError: the file cannot be read, or is not one of this sweep.
        """
        with explained(f"cannot read {self.path}"):
            self._cut_torn_lines()
            if not self.path.exists() or self.path.stat().st_size == 0:
                self._write(self.path, as_csv([self.header]))
            text = read_bytes(self.path, LARGEST).decode(errors="replace")
        try:
            lines = list(csv.reader(io.StringIO(text)))
        except csv.Error as error:
            raise CheckpointError(f"{self.path}: is damaged: {error}") from error
        if not lines or lines[0] != self.header:
            raise CheckpointError(f"{self.path}:1: is not of this sweep: expected the columns {', '.join(self.header)}")
        looks = dict(self._read_looks())
        results: dict[int, Result] = {}
        for line, cells in enumerate(lines[1:], start=2):
            result = self._result(cells, looks, line)
            results.setdefault(result.number, result)
        return results

    def add(self, result: Result) -> None:
        """Append a result; it is with the system when this returns, so that no kill of this process loses it.

        Raises:
            CheckpointError: the disk failed.
        """
        with self._lock:
            if self._looks_path is not None and result.looks:
                # First: a trial that stands in trials.csv is not run again.
                self._append(self._looks_path, [str(result.number), *map(repr, result.looks)])
            self._append(self.path, self._cells(result))

    def rewrite(self, results: Mapping[int, Result]) -> None:
        """Write the file whole, in the order of the numbers.

        Raises:
            CheckpointError: the disk failed.
        """
        rows = [self.header, *(self._cells(results[number]) for number in sorted(results))]
        with self._lock, explained(f"cannot write {self.path}"):
            write_text(self.path, as_csv(rows))

    def _append(self, path: Path, cells: list[str]) -> None:
        self._write(path, as_csv([cells]))

    def _write(self, path: Path, text: str) -> None:
        with explained(f"cannot write {path}"):
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            before = os.fstat(descriptor).st_size
            try:
                rest = memoryview(text.encode(errors="backslashreplace"))
                while rest:  # of a disk that is nearly full a part is written, and then nothing
                    rest = rest[os.write(descriptor, rest) :]
            except OSError:
                with contextlib.suppress(OSError):  # what another worker appends must not join half a line
                    os.ftruncate(descriptor, before)
                raise
            finally:
                os.close(descriptor)

    def _cut_torn_lines(self) -> None:
        for path in filter(None, (self.path, self._looks_path)):
            if path.exists():
                data = read_bytes(path, LARGEST)
                whole = data.rfind(b"\n") + 1
                if whole < len(data):
                    os.truncate(path, whole)

    def _read_looks(self) -> Iterator[tuple[int, list[float]]]:
        if self._looks_path is None or not self._looks_path.exists():
            return
        with explained(f"cannot read {self._looks_path}"):
            text = read_bytes(self._looks_path, LARGEST).decode(errors="replace")
        for line, row in enumerate(text.splitlines(), start=1):
            number, *looks = row.split(",")
            try:
                yield int(number), list(map(float, looks))
            except ValueError as error:
                raise CheckpointError(f"{self._looks_path}:{line}: is damaged: {error}") from error

    def _cells(self, result: Result) -> list[str]:
        return [
            str(result.number),
            *(as_cell(result.values[key]) for key in self._keys),
            _number_cell(result.objective),
            *(_number_cell(result.metrics.get(tag)) for tag in self._tags),
            str(result.seed),
            result.status,
            f"{result.seconds:.6g}",
        ]

    def _result(self, cells: list[str], looks: Mapping[int, Sequence[float]], line: int) -> Result:
        try:
            if len(cells) != len(self.header):
                raise ValueError(f"expected {len(self.header)} cells, got {len(cells)}")
            by_name = dict(zip(self.header, cells, strict=True))
            number, status = int(by_name["number"]), by_name["status"]
            if status not in get_args(Status):
                raise ValueError(f"status: expected {', '.join(get_args(Status))}, got {status!r}")
            return Result(
                number=number,
                values={key: from_cell(by_name[key]) for key in self._keys},
                status=cast(Status, status),
                objective=float(by_name["objective"]) if by_name["objective"] else None,
                metrics={tag: float(by_name[tag]) for tag in self._tags if by_name[tag]},
                seed=int(by_name["seed"]),
                seconds=float(by_name["seconds"]),
                looks=looks.get(number, ()),
            )
        except ValueError as error:
            raise CheckpointError(f"{self.path}:{line}: is damaged: {error}") from error


def tags_in(folder: Path, keys: Sequence[str]) -> list[str]:
    """The metrics that a sweep's trials.csv has columns of.

    Raises:
        CheckpointError: it cannot be read.
    """
    with explained(f"cannot read {folder / NAME}"), (folder / NAME).open(encoding="utf-8", newline="") as file:
        header = next(csv.reader([file.readline(1 << 20)]), [])
    return header[len(keys) + 2 : -3]


def as_cell(value: Any) -> str:
    """A value of a key on one line, so that ``from_cell`` gives it back: words as they are, lists as JSON."""
    if isinstance(value, str) and scalar(value) == value and value.isprintable() and value[:1] not in '[{"':
        return value
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def from_cell(text: str) -> Any:
    """The value that ``as_cell`` wrote.

    Raises:
        ValueError: it did not write that.
    """
    return json.loads(text) if text[:1] in ("[", "{", '"') else scalar(text)


def _number_cell(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else repr(float(value))
