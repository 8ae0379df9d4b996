"""List the runs of a folder: their summaries, sorted, and as a table."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from nnintro.errors import CheckpointError, UsageError
from nnintro.runs.folder import CONFIG, is_locked
from nnintro.runs.settings import cell, differing, headings
from nnintro.runs.summary import NAME, read_summary
from nnintro.wording import duration

COLUMNS = ("name", "status", "steps", "epochs", "parameters", "training", "total", "modified")
PLAIN_WIDTH = 200
BEGINNING = ("run", "status")
HEADINGS = (*BEGINNING, "train/loss", "validation", "updates", "updates/s", "time")
MOST_SETTINGS = 8
"""Columns of settings, however wide the terminal is: runs of unlike data differ in nearly all of them."""


def find_runs(runs_dir: Path) -> list[dict[str, Any]]:
    """The summaries of all runs below a folder, each with ``directory`` as it is found now.

    A run without a summary has the status ``running`` while a process holds its lock, else ``unfinished`` (it was
    killed); one whose summary is not what nnintro writes has ``damaged``.

    Raises:
        CheckpointError: there is no such folder.
    """
    if not runs_dir.is_dir():
        raise CheckpointError(f"{runs_dir}: no such folder of runs")
    # A hidden folder is a run that never took its name.
    runs = [path for path in _with_config(runs_dir) if not path.name.startswith(".")]
    return [_summary(path) for path in sorted(runs, key=lambda path: natural(str(path)))]


def with_settings(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same runs, each with ``settings``: its values of the keys in which these runs differ."""
    settings = differing([Path(run["directory"]) for run in runs])
    return [{**run, "settings": own} for run, own in zip(runs, settings, strict=True)]


def _with_config(top: Path) -> Iterator[Path]:
    """Of the folder and all below it, those that have a config; links to folders are not followed."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        with suppress(OSError), os.scandir(folder) as entries:  # what nobody may look into has no runs to show
            for entry in entries:
                if entry.name == CONFIG:
                    yield folder
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(folder / entry.name)


def _summary(directory: Path) -> dict[str, Any]:
    modified = _modified(directory / NAME) or _modified(directory) or 0.0
    try:
        summary = read_summary(directory)
    except CheckpointError:
        summary = {"status": "damaged"}
    summary = {"status": "unfinished"} if summary is None else summary
    if summary["status"] == "unfinished" and is_locked(directory):
        summary = {**summary, "status": "running"}
    return {"name": directory.name, **summary, "directory": str(directory), "modified": modified}


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _value(run: dict[str, Any], key: str) -> Any:
    """A column, a part of ``seconds``, a metric under its whole tag or its last word, or a setting likewise."""
    if key in run and not isinstance(run[key], dict):
        return run[key]
    values = {**run.get("metrics", {}), **run.get("seconds", {})}
    for tag in (key, f"validation/{key}", f"train/{key}"):
        if tag in values:
            return values[tag]
    settings = run.get("settings", {})
    named = (name for name in settings if f".{name.removesuffix('.kind')}".endswith(f".{key}"))
    return next((settings[name] for name in [key, *named] if name in settings), None)


def in_order(runs: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """Sorted by a column; runs without it come last.

    Raises:
        UsageError: no run has such a column.
    """
    reverse, key = sort.startswith("-"), sort.removeprefix("-")
    valued = [run for run in runs if _value(run, key) is not None]
    if runs and not valued:
        own = (tag for run in runs for group in ("metrics", "settings") for tag in run.get(group, {}))
        known = sorted({*COLUMNS, *own})
        raise UsageError(f"--sort {sort}: no run has it; expected one of {', '.join(known)}")
    rest = [run for run in runs if _value(run, key) is None]
    try:
        valued.sort(key=lambda run: natural(_value(run, key)), reverse=reverse)
    except TypeError:
        valued.sort(key=lambda run: str(_value(run, key)), reverse=reverse)
    return valued + rest


def natural(value: Any) -> Any:
    """What a text is sorted by: run-2 comes before run-10; a number by itself."""
    if not isinstance(value, str):
        return value
    parts = re.split(r"([0-9]+)", value)
    return [(int(part), "") if index % 2 else (0, part) for index, part in enumerate(parts)]


def as_table(runs: list[dict[str, Any]], runs_dir: Path) -> tuple[str, list[str]]:
    """The runs as lines of text, as wide as the terminal on stdout.

    Returns:
        The text, and the headings of the settings in which the runs differ that it has no room for.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # A pipe has no width to fit into.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    short = headings(list(dict.fromkeys(key for run in runs for key in run.get("settings", {}))), HEADINGS)
    rows = [_cells(run, runs_dir, short) for run in runs]
    names = _fitting(rows, list(short.values()), console.width)
    # Without styles: who prints it shows escapes, of which names in a file may hold some, as text.
    table = Table(box=None, header_style="", padding=(0, 2, 0, 0), pad_edge=False)
    for name in names:
        of_words = name in short.values() and not all(_is_number(row[name]) for row in rows)
        table.add_column(name, overflow="fold", justify="left" if name in BEGINNING or of_words else "right")
    for row in rows:
        table.add_row(*(Text(row[name]) for name in names))
    with console.capture() as captured:
        console.print(table)
    text = "\n".join(line.rstrip() for line in captured.get().splitlines())
    return text, [name for name in short.values() if name not in names]


def _is_number(text: str) -> bool:
    return not text or text.lstrip("-").replace(".", "").replace("e-", "").isdecimal()


def _fitting(rows: list[dict[str, str]], settings: list[str], width: int) -> list[str]:
    """The headings of as many columns as fit, those that matter most first; run and status are always there."""
    by_weight = ["validation", *settings[:3], "time", "updates", "train/loss", *settings[3:MOST_SETTINGS], "updates/s"]
    chosen, room = set(BEGINNING), width - sum(_width(name, rows) + 2 for name in BEGINNING) + 2
    for name in by_weight:
        needed = _width(name, rows) + 2
        if needed <= room:
            chosen.add(name)
            room -= needed
    return [name for name in rows[0] if name in chosen]


def _width(name: str, rows: list[dict[str, str]]) -> int:
    from rich.cells import cell_len

    return max(len(name), *(cell_len(row[name]) for row in rows))


def _cells(run: dict[str, Any], runs_dir: Path, short: dict[str, str]) -> dict[str, str]:
    """Heading -> text."""
    metrics, seconds = run.get("metrics", {}), run.get("seconds", {})
    missing = "not finite" if run["status"] == "diverged" else "undefined"  # such as auc of one class
    steps, speed, total = run.get("steps"), run.get("steps_per_second"), seconds.get("total")
    return {
        "run": Path(run["directory"]).relative_to(runs_dir).as_posix(),
        "status": f"{run['status']} (smoke)" if run.get("smoke") is True else run["status"],
        **{heading: cell(run.get("settings", {}), key) for key, heading in short.items()},
        "train/loss": _metric(metrics, "train/loss", missing),
        "validation": _main_metric(metrics, missing),
        "updates": "" if steps is None else f"{steps:,}",
        "updates/s": "" if speed is None else f"{speed:,.0f}" if speed >= 1 else f"{speed:.2g}",
        "time": "" if total is None else duration(total),
    }


def _main_metric(metrics: dict[str, float | None], missing: str) -> str:
    for name in ("sup_error", "accuracy", "iou", "rmse", "loss"):
        if f"validation/{name}" in metrics:
            return f"{name} {_metric(metrics, f'validation/{name}', missing)}"
    return ""


def _metric(metrics: dict[str, float | None], tag: str, missing: str) -> str:
    """Four digits; ``missing`` for a metric without a value: JSON has neither infinity nor NaN."""
    if tag not in metrics:
        return ""
    value = metrics[tag]
    return missing if value is None else f"{value:.4g}"
